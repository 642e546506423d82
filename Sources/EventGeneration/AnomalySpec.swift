package import Plumbing

/// A parsed anomaly: `spike@+10h+20m,x=8,country=India`.
///
/// A decoy, such as `promotion@+10h+1d,x=3`, has the same syntax.
///
/// The kind and `@` are followed by the start, which is a span from the start of the run (`+10h`)
/// or a time, then by `+` and the length, which is optional for `shift`. Further settings narrow
/// the anomaly down or set its strength.
package struct AnomalySpec: Equatable, Sendable {
  enum Start: Equatable, Sendable {
    case afterStart(Int64)
    case at(Int64)
  }

  let kind: Anomaly.Kind
  let start: Start
  /// The length in seconds; `nil`: it stays.
  let length: Int64?
  let filter: Anomaly.Filter
  let strength: Anomaly.Strength
  let users: Int
  let discount: Double
  let ramp: Int64

  /// The anomaly, for a run that starts at this second.
  package func anomaly(id: String, runStart: Int64) -> Anomaly {
    let first =
      switch start {
      case .afterStart(let offset): runStart + offset
      case .at(let second): second
      }
    var anomaly = Anomaly(
      id: id, kind: kind, start: first, end: length.map { first + $0 }, filter: filter,
      strength: strength)
    anomaly.users = users
    anomaly.discount = discount
    anomaly.ramp = ramp
    return anomaly
  }

  /// - Parameters:
  ///   - option: the option that the spec was given to; it decides which kinds are allowed.
  ///   - rate: the base for the usual strength of some kinds.
  ///   - products: the number of products.
  ///   - now: the current time in whole seconds.
  ///   - likeness: the events of `--like`, whose places and products the spec can name.
  /// - Throws: ``UsageFailure`` with the spec and a caret under the error.
  package init(
    _ text: String, option: String = "--anomaly", rate: Double, products: Int, now: Int64,
    likeness: Likeness? = nil
  ) throws(UsageFailure) {
    var reader = SpecReader(text, option: option)
    kind = try reader.kind()
    (start, length) = try reader.span(mayStay: kind == .shift, now: now)
    var settings = SpecSettings(kind: kind, rate: rate, products: products, likeness: likeness)
    while let setting = try reader.nextSetting() { try settings.take(setting, &reader) }
    filter = settings.filter
    strength = settings.strength
    users = settings.users
    discount = settings.discount
    ramp = kind == .drift ? length ?? 0 : settings.ramp
  }
}

/// Parses a spec from left to right and keeps its position.
struct SpecReader {
  struct Setting {
    let key: String
    let keyPlace: Int
    let value: String
    let valuePlace: Int
  }

  private let text: String
  private let option: String
  private var rest: Substring
  private var given: [String] = []

  init(_ text: String, option: String) {
    self.text = text
    self.option = option
    rest = text[...]
  }

  /// The number of characters before the rest.
  private var place: Int { text.count - rest.count }

  func failure(_ message: String, at place: Int, hint: String? = nil) -> UsageFailure {
    UsageFailure(option + ": " + message, hint: hint, in: text, at: place)
  }

  func failure(
    _ word: String, isNot noun: String, of words: [String], at place: Int
  ) -> UsageFailure {
    failure(
      "\(quoted(word)) is not \(noun)", at: place,
      hint: didYouMean(word, among: words)
        ?? (words.count <= 12 ? "one of " + words.joined(separator: ", ") : nil))
  }

  mutating func kind() throws(UsageFailure) -> Anomaly.Kind {
    let word = String(rest.prefix { $0 != "@" && $0 != "," })
    let isDecoy = option == "--decoy"
    let kinds = isDecoy ? Anomaly.Kind.decoys : Anomaly.Kind.anomalies
    guard let kind = kinds.first(where: { $0.rawValue == word }) else {
      throw failure(
        word, isNot: isDecoy ? "a kind of decoy" : "a kind of anomaly", of: kinds.map(\.rawValue),
        at: place)
    }
    rest = rest.dropFirst(word.count)
    guard rest.first == "@" else {
      throw failure("expected '@' and a start", at: place, hint: "write \(word)@+10h+20m")
    }
    rest = rest.dropFirst()
    return kind
  }

  mutating func span(
    mayStay: Bool, now: Int64
  ) throws(UsageFailure) -> (AnomalySpec.Start, Int64?) {
    let place = self.place
    let whole = rest.prefix { $0 != "," }
    rest = rest[whole.endIndex...]
    var startText = whole
    var length: Int64?
    if let plus = whole.lastIndex(of: "+"), plus > whole.startIndex,
      !whole[plus...].contains(":")
    {
      startText = whole[..<plus]
      let lengthPlace = place + startText.count + 1
      let text = String(whole[plus...].dropFirst())
      guard let span = Duration(spelling: text) else {
        throw failure(
          "\(quoted(text)) is not a span of time", at: lengthPlace, hint: "write 90s, 20m, 3h or 1d"
        )
      }
      length = Int64(span.inSeconds.rounded())
      guard let length, length > 0 else {
        throw failure("it must last at least one second", at: lengthPlace)
      }
    } else if !mayStay {
      throw failure(
        "expected '+' and how long it lasts", at: place + whole.count, hint: "write +10h+20m")
    }
    return (try start(String(startText), at: place, now: now), length)
  }

  private func start(
    _ text: String, at place: Int, now: Int64
  ) throws(UsageFailure) -> AnomalySpec.Start {
    if text.hasPrefix("+"), let span = Duration(spelling: String(text.dropFirst())) {
      return .afterStart(Int64(span.inSeconds.rounded()))
    }
    if let point = TimePoint(spelling: text, now: TimePoint(milliseconds: now * 1000)) {
      return .at(point.seconds)
    }
    throw failure(
      "\(quoted(text)) is not a start", at: place,
      hint: "write +10h (from the start of the run), -2h (before now) or 2026-01-01T12:00:00Z")
  }

  /// The next `key=value`; `nil` at the end.
  mutating func nextSetting() throws(UsageFailure) -> Setting? {
    guard rest.first == "," else { return nil }
    rest = rest.dropFirst()
    let keyPlace = place
    let whole = rest.prefix { $0 != "," }
    rest = rest[whole.endIndex...]
    guard let sign = whole.firstIndex(of: "=") else {
      throw failure("expected key=value", at: keyPlace)
    }
    let key = String(whole[..<sign])
    if given.contains(key) { throw failure("'\(key)' is given twice", at: keyPlace) }
    given.append(key)
    return Setting(
      key: key, keyPlace: keyPlace, value: String(whole[whole.index(after: sign)...]),
      valuePlace: keyPlace + key.count + 1)
  }
}
