import DruidSQL

/// A pattern of Joda-Time's for a moment, such as `yyyy-MM-dd HH:mm:ss`, of the letters
/// y, M, d, H, m, s, S and Z, with quoted and plain marks between them. Times without an offset are UTC.
struct JodaPattern: Sendable, Equatable {
  private enum Part: Sendable, Equatable {
    /// A number: its letter, how many digits it takes, and whether exactly so many.
    case number(Character, Int, isFixed: Bool)
    case mark(String)
    case offset
  }

  private var parts: [Part] = []

  /// - Returns: `nil` for a pattern with other letters.
  init?(_ text: String) {
    var rest = Substring(text)
    while let first = rest.first {
      if first == "'" {
        rest.removeFirst()
        guard let end = rest.firstIndex(of: "'") else { return nil }
        parts.append(.mark(end == rest.startIndex ? "'" : String(rest[..<end])))
        rest = rest[rest.index(after: end)...]
      } else if first.isASCII, first.isLetter {
        let run = rest.prefix { $0 == first }.count
        rest = rest.dropFirst(run)
        switch first {
        case "y" where run == 4: parts.append(.number("y", 9, isFixed: false))
        case "M" where run <= 2, "d" where run <= 2, "H" where run <= 2, "m" where run <= 2,
          "s" where run <= 2:
          parts.append(.number(first, 2, isFixed: false))
        case "S" where run <= 3: parts.append(.number("S", run, isFixed: false))
        case "Z" where run <= 2: parts.append(.offset)
        default: return nil
        }
      } else {
        parts.append(.mark(String(rest.removeFirst())))
      }
    }
    // Numbers that touch take as many digits as they have letters.
    for index in parts.indices.dropLast() {
      guard case .number(let letter, let digits, _) = parts[index],
        case .number = parts[index + 1]
      else { continue }
      parts[index] = .number(letter, letter == "y" ? 4 : digits, isFixed: true)
    }
    guard parts.contains(where: { if case .number("y", _, _) = $0 { true } else { false } }) else {
      return nil
    }
  }

  /// Milliseconds since 1970; `nil` when the text is no such moment.
  func milliseconds(of text: String) -> Int64? {
    var rest = Array(text.utf8)[...]
    var values: [Character: Int64] = ["M": 1, "d": 1]
    var offset: Int64 = 0
    for part in parts {
      switch part {
      case .mark(let mark):
        guard rest.starts(with: mark.utf8) else { return nil }
        rest = rest.dropFirst(mark.utf8.count)
      case .offset:
        guard let found = Self.offset(&rest) else { return nil }
        offset = found
      case .number(let letter, let limit, let isFixed):
        let digits = rest.prefix(limit).prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty, !isFixed || digits.count == limit,
          var value = Int64(String(decoding: digits, as: UTF8.self))
        else { return nil }
        rest = rest.dropFirst(digits.count)
        if letter == "S" { for _ in digits.count..<3 { value *= 10 } }
        values[letter] = value
      }
    }
    guard rest.isEmpty, let year = values["y"], let month = values["M"], let day = values["d"],
      (1...12).contains(month), day > 0
    else { return nil }
    let (hour, minute, second) = (values["H"] ?? 0, values["m"] ?? 0, values["s"] ?? 0)
    guard hour < 24, minute < 60, second < 60 else { return nil }
    guard CivilTime.years.contains(year), day <= CivilTime.length(ofMonth: month, year: year)
    else { return nil }
    let days = CivilTime.days(year: year, month: month, day: day)
    return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + (values["S"] ?? 0) - offset
  }

  /// `Z`, `+02:00` or `+0200`.
  private static func offset(_ rest: inout ArraySlice<UInt8>) -> Int64? {
    guard let sign = rest.popFirst() else { return nil }
    if sign == UInt8(ascii: "Z") { return 0 }
    guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return nil }
    var numbers: [Int64] = []
    for _ in 0..<2 {
      if rest.first == UInt8(ascii: ":"), !numbers.isEmpty { rest.removeFirst() }
      let digits = rest.prefix(2)
      guard digits.count == 2, digits.allSatisfy({ (0x30...0x39).contains($0) }),
        let number = Int64(String(decoding: digits, as: UTF8.self))
      else { return nil }
      rest = rest.dropFirst(2)
      numbers.append(number)
    }
    guard numbers[0] < 24, numbers[1] < 60 else { return nil }
    let minutes = numbers[0] * 60 + numbers[1]
    return (sign == UInt8(ascii: "-") ? -minutes : minutes) * 60_000
  }
}
