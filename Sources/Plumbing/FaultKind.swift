/// A failure that a server can be told to simulate, as data: grammar, error messages, help and
/// manual are derived from it.
package struct FaultKind: Sendable, Equatable {
  /// The value after the name's `=`.
  package enum Parameter: Sendable, Equatable {
    case none
    /// A whole number within the range; required unless there is a default.
    case count(ClosedRange<Int>, fallback: Int? = nil)
    /// A span of time, such as `300ms`; required unless there is a default.
    case span(fallback: Duration? = nil)
  }

  /// The name as written, such as `cut@bytes`.
  package let name: String
  let parameter: Parameter
  /// The values allowed for `on=`: the first words of the requests that the fault can affect.
  package let targets: [String]
  /// What a client sees: one clause without a full stop.
  package let meaning: String

  package init(
    _ name: String, _ parameter: Parameter = .none, targets: [String], meaning: String
  ) {
    self.name = name
    self.parameter = parameter
    self.targets = targets
    self.meaning = meaning
  }

  /// The name with its value, for help and hints: `slow=SPAN`.
  package var usage: String {
    switch parameter {
    case .none: name
    case .count(_, let fallback): fallback == nil ? name + "=N" : name + "[=N]"
    case .span(let fallback): fallback == nil ? name + "=SPAN" : name + "[=SPAN]"
    }
  }
}

/// A requested failure: what happens, to which requests, and how often.
///
/// Written as `NAME[=VALUE][,xN][,p=P][,seed=N][,after=SPAN][,on=TARGET]`.
package struct Fault: Sendable, Equatable {
  package let kind: FaultKind
  /// The value of a kind that takes a number; 0 for other kinds.
  package var count = 0
  /// The value of a kind that takes a span; zero for other kinds.
  package var span = Duration.zero
  /// How many times the fault applies; `nil`: until it is cleared.
  var times: Int?
  /// The fraction of requests that it applies to, from 0 to 1.
  var probability = 1.0
  /// The seed for choosing those requests.
  var seed: UInt64 = 1
  /// How long after the order the fault begins.
  var delay = Duration.zero
  /// The requests that it applies to; empty: all that its kind supports.
  var target = ""
  /// The text that it was parsed from.
  package let text: String

  /// - Parameter kinds: all kinds that the server supports.
  /// - Throws: ``UsageFailure`` with the text and a caret under the error.
  package init(_ text: String, among kinds: [FaultKind]) throws(UsageFailure) {
    var reader = FaultReader(text)
    let head = reader.next()
    let (name, value) = reader.split(head)
    guard let kind = kinds.first(where: { $0.name == name.text }) else {
      throw reader.failure(
        name.text.isEmpty ? "expected a fault" : "unknown fault \(quoted(name.text))", at: name,
        hint: didYouMean(String(name.text), among: kinds.map(\.name))
          ?? "one of " + kinds.map(\.usage).joined(separator: ", "))
    }
    self.kind = kind
    self.text = text
    try reader.read(value, of: kind, name: name, into: &self)
    var given: Set<Substring> = []
    while !reader.isAtEnd {
      let part = reader.next()
      let (key, value) = reader.split(part)
      let isNew = given.insert(key.text.hasPrefix("x") ? "x" : key.text).inserted
      guard isNew else { throw reader.failure("\(quoted(key.text)) is given twice", at: key) }
      try reader.read(key, value, of: kind, into: &self)
    }
  }
}

/// Parses a fault from left to right and keeps its position.
private struct FaultReader {
  typealias Piece = (text: Substring, place: Int)

  private let text: String
  private var rest: Substring
  private(set) var isAtEnd = false

  init(_ text: String) {
    self.text = text
    rest = text[...]
  }

  func failure(_ message: String, at piece: Piece, hint: String? = nil) -> UsageFailure {
    UsageFailure("--fault: " + message, hint: hint, in: text, at: piece.place)
  }

  /// The text before the next comma.
  mutating func next() -> Piece {
    let place = text.count - rest.count
    let piece = rest.prefix { $0 != "," }
    rest = rest[piece.endIndex...]
    isAtEnd = rest.isEmpty
    if !isAtEnd { rest = rest.dropFirst() }
    return (piece, place)
  }

  func split(_ piece: Piece) -> (key: Piece, value: Piece?) {
    guard let sign = piece.text.firstIndex(of: "=") else { return (piece, nil) }
    let key = piece.text[..<sign]
    return (
      (key, piece.place),
      (piece.text[piece.text.index(after: sign)...], piece.place + key.count + 1)
    )
  }

  func read(
    _ value: Piece?, of kind: FaultKind, name: Piece, into fault: inout Fault
  ) throws(UsageFailure) {
    switch (kind.parameter, value) {
    case (.none, nil): break
    case (.none, let value?):
      throw failure("\(kind.name) takes no value", at: value)
    case (.count(_, let fallback), nil):
      guard let fallback else { throw missing(kind, name) }
      fault.count = fallback
    case (.count(let range, _), let value?): fault.count = try number(value, in: range)
    case (.span(let fallback), nil):
      guard let fallback else { throw missing(kind, name) }
      fault.span = fallback
    case (.span, let value?): fault.span = try span(value)
    }
  }

  private func missing(_ kind: FaultKind, _ name: Piece) -> UsageFailure {
    failure(
      "\(kind.name) needs a value", at: (name.text, name.place + name.text.count),
      hint: "write " + kind.usage)
  }

  func read(
    _ key: Piece, _ value: Piece?, of kind: FaultKind, into fault: inout Fault
  ) throws(UsageFailure) {
    switch (key.text, value) {
    case ("p", let value?):
      guard let share = decimalNumber(String(value.text)), (0...1).contains(share) else {
        throw failure("\(quoted(value.text)) is not a share from 0 to 1", at: value)
      }
      fault.probability = share
    case ("seed", let value?):
      guard let seed = UInt64(value.text) else {
        throw failure("\(quoted(value.text)) is not a whole number", at: value)
      }
      fault.seed = seed
    case ("after", let value?): fault.delay = try span(value)
    case ("on", let value?):
      guard kind.targets.contains(String(value.text)) else {
        throw failure(
          "\(kind.name) does not affect \(quoted(value.text))", at: value,
          hint: "one of " + kind.targets.joined(separator: ", "))
      }
      fault.target = String(value.text)
    case ("p", nil), ("seed", nil), ("after", nil), ("on", nil):
      throw failure("expected a value", at: (key.text, key.place + key.text.count))
    default:
      if key.text.hasPrefix("x"), value == nil {
        let digits = (text: key.text.dropFirst(), place: key.place + 1)
        fault.times = try number(digits, in: 1...1_000_000_000)
        return
      }
      throw failure(
        key.text.isEmpty ? "expected a setting" : "unknown setting \(quoted(key.text))", at: key,
        hint: "one of x3, p=0.1, seed=7, after=5s, on=\(kind.targets.first ?? "TARGET")")
    }
  }

  private func number(
    _ piece: Piece, in range: ClosedRange<Int>
  ) throws(UsageFailure) -> Int {
    guard let number = Int(piece.text), range.contains(number) else {
      throw failure(
        "\(quoted(piece.text)) is not a number from \(range.lowerBound) to \(range.upperBound)",
        at: piece)
    }
    return number
  }

  private func span(_ piece: Piece) throws(UsageFailure) -> Duration {
    guard let span = Duration(spelling: String(piece.text)) else {
      throw failure(
        "\(quoted(piece.text)) is not a span of time", at: piece, hint: "write 300ms, 2s or 1m")
    }
    return span
  }
}
