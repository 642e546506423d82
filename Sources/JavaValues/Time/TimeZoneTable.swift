/// A zone's offsets from UTC over time, from a TZif file or as a fixed offset.
package struct TimeZoneTable: Sendable {
  struct Transition: Sendable, Equatable {
    /// The time from which the offset applies, in milliseconds since 1970.
    var time: Int64
    var offset: Int64
    var abbreviation: String
  }

  /// The name by which it was requested.
  package let name: String
  var transitions: [Transition] = []
  var first = Transition(time: .min, offset: 0, abbreviation: "UTC")
  /// The rule after the last transition.
  var rule: TimeZoneRule?

  package static let utc = TimeZoneTable(name: "UTC", offsetMilliseconds: 0)

  init(name: String, offsetMilliseconds: Int64) {
    self.name = name
    first.offset = offsetMilliseconds
    if offsetMilliseconds != 0 { first.abbreviation = Self.text(offset: offsetMilliseconds) }
  }

  /// `UTC`, `Z`, `+05:30`, `-08`, `GMT+5`: zones that need no file; nil for every other name.
  static func fixed(_ name: String) -> TimeZoneTable? {
    switch name {
    case "UTC", "Etc/UTC", "Z", "GMT", "Etc/GMT", "UCT", "Etc/UCT", "Zulu", "Universal":
      return TimeZoneTable(name: "UTC", offsetMilliseconds: 0)
    default: break
    }
    let isPrefixed = name.hasPrefix("GMT")
    let text = isPrefixed ? name.dropFirst(3) : Substring(name)
    guard let sign = text.first, sign == "+" || sign == "-",
      let seconds = offset(text.dropFirst(), takesOneDigit: isPrefixed)
    else { return nil }
    return TimeZoneTable(name: name, offsetMilliseconds: (sign == "-" ? -1000 : 1000) * seconds)
  }

  /// `05`, `05:30`, `0530`, `05:30:15`, and `5` behind `GMT+`; in seconds.
  private static func offset(_ text: Substring, takesOneDigit: Bool) -> Int64? {
    var parts = text.split(separator: ":", omittingEmptySubsequences: false)
    if parts.count == 1, text.utf8.count == 4 { parts = [text.prefix(2), text.dropFirst(2)] }
    var numbers: [Int64] = []
    for part in parts {
      guard part.utf8.count == 2 || takesOneDigit && numbers.isEmpty && part.utf8.count == 1,
        part.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int64(part)
      else { return nil }
      numbers.append(number)
    }
    guard (1...3).contains(numbers.count), numbers[0] < 24,
      numbers.dropFirst().allSatisfy({ $0 < 60 })
    else { return nil }
    return numbers[0] * 3600 + (numbers.count > 1 ? numbers[1] * 60 : 0)
      + (numbers.count > 2 ? numbers[2] : 0)
  }

  /// The zones that Java's TimeZone knows by three letters.
  static let abbreviated: [String: String] = [
    "ACT": "Australia/Darwin", "AET": "Australia/Sydney",
    "AGT": "America/Argentina/Buenos_Aires", "ART": "Africa/Cairo", "AST": "America/Anchorage",
    "BET": "America/Sao_Paulo", "BST": "Asia/Dhaka", "CAT": "Africa/Harare",
    "CNT": "America/St_Johns", "CST": "America/Chicago", "CTT": "Asia/Shanghai",
    "EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris", "IET": "America/Indiana/Indianapolis",
    "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "MIT": "Pacific/Apia", "NET": "Asia/Yerevan",
    "NST": "Pacific/Auckland", "PLT": "Asia/Karachi", "PNT": "America/Phoenix",
    "PRT": "America/Puerto_Rico", "PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal",
    "VST": "Asia/Ho_Chi_Minh",
  ]

  /// `+05:30`, `-08:00`. Never `Z`, which is the caller's to write.
  static func text(offset: Int64, separator: String = ":") -> String {
    let minutes = offset.magnitude / 60_000
    let hours = minutes / 60
    func two(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return (offset < 0 ? "-" : "+") + two(hours) + separator + two(minutes % 60)
  }

  private func holding(at time: Int64) -> Transition {
    guard let last = transitions.last else { return rule?.transition(at: time) ?? first }
    if time >= last.time { return rule?.transition(at: time) ?? last }
    var low = 0
    var high = transitions.count
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle].time <= time { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? first : transitions[low - 1]
  }

  /// The milliseconds to add to UTC for local time.
  package func offset(at time: Int64) -> Int64 {
    transitions.isEmpty && rule == nil ? first.offset : holding(at: time).offset
  }

  func abbreviation(at time: Int64) -> String { holding(at: time).abbreviation }

  package func local(_ time: Int64) -> Int64 { time &+ offset(at: time) }

  /// The instant of a local time, as Druid's planner reads a literal. An ambiguous time has the
  /// standard offset in zones east of Greenwich, and the other offset west of it.
  package func instant(literal local: Int64) -> Int64 {
    let estimate = offset(at: local)
    let adjusted = offset(at: local &- estimate)
    guard estimate != adjusted, offset(at: local &- adjusted) != adjusted else {
      return local &- adjusted
    }
    // The local time does not exist.
    return local &- min(estimate, adjusted)
  }

  /// Whether its offset never changes.
  var isFixed: Bool { transitions.isEmpty && rule == nil }

  /// The instant of a local time. An ambiguous time has the offset of `original`, or else is the
  /// earlier instant. A time in a gap is moved forward by the gap's length.
  func instant(local: Int64, original: Int64? = nil) -> Int64 {
    if let original {
      let kept = offset(at: original)
      if offset(at: local &- kept) == kept { return local &- kept }
    }
    let before = offset(at: local &- 86_400_000)
    if offset(at: local &- before) == before { return local &- before }
    let after = offset(at: local &+ 86_400_000)
    if offset(at: local &- after) == after { return local &- after }
    return local &- before
  }
}
