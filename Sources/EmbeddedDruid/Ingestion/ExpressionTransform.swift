/// A field that is computed from a message's other fields: arithmetic, `concat`, `nvl`, `lower` and `upper` of Druid's
/// expressions. Everything else is refused when the spec is read.
struct ExpressionTransform: Sendable, Equatable {
  indirect enum Node: Sendable, Equatable {
    case field(String)
    case long(Int64)
    case double(Double)
    case text(String)
    case operation(Character, Node, Node)
    case call(String, [Node])
  }

  /// What an expression makes of a row that it can't compute.
  struct Failure: Error, Equatable {
    let reason: String
  }

  var name: String
  var node: Node

  init(name: String, expression: String) throws(SpecFailure) {
    self.name = name
    var parser = Parser(rest: Substring(expression))
    guard let node = parser.sum(depth: 0), parser.isAtEnd else {
      throw .unsupported("transformSpec.transforms.\(name)", expression)
    }
    self.node = node
  }

  /// Fields that are missing are null, and null makes arithmetic null.
  func value(of fields: [FieldValue.Member]) throws(Failure) -> FieldValue {
    try Self.value(node, fields)
  }

  private static func value(
    _ node: Node, _ fields: [FieldValue.Member]
  ) throws(Failure) -> FieldValue {
    switch node {
    case .field(let name): return fields.first { $0.key == name }?.value ?? .null
    case .long(let value): return .long(value)
    case .double(let value): return .double(value)
    case .text(let text): return .text(text)
    case .operation(let sign, let left, let right):
      return try combine(sign, try value(left, fields), try value(right, fields))
    case .call(let name, let arguments):
      var values: [FieldValue] = []
      for argument in arguments { values.append(try value(argument, fields)) }
      if name == "nvl" { return values[0] == .null ? values[1] : values[0] }
      let texts = values.compactMap(\.javaText)
      guard texts.count == values.count else { return .null }
      switch name {
      case "concat": return .text(texts.joined())
      case "lower": return .text(texts[0].lowercased())
      default: return .text(texts[0].uppercased())
      }
    }
  }

  private static func combine(
    _ sign: Character, _ left: FieldValue, _ right: FieldValue
  ) throws(Failure) -> FieldValue {
    switch (left, right) {
    case (.null, _), (_, .null): return .null
    case (.long(let a), .long(let b)):
      switch sign {
      case "+": return .long(a &+ b)
      case "-": return .long(a &- b)
      case "*": return .long(a &* b)
      default:
        guard b != 0 else { throw Failure(reason: "/ by zero") }
        return .long(
          sign == "/"
            ? a.dividedReportingOverflow(by: b).partialValue
            : a.remainderReportingOverflow(dividingBy: b).partialValue)
      }
    default:
      guard let a = left.number, let b = right.number else {
        throw Failure(reason: "operator '\(sign)' is not supported for these types")
      }
      switch sign {
      case "+": return .double(a + b)
      case "-": return .double(a - b)
      case "*": return .double(a * b)
      case "/": return .double(a / b)
      default: return .double(a.truncatingRemainder(dividingBy: b))
      }
    }
  }

  private struct Parser {
    var rest: Substring

    private static let functions = ["concat": 1...20, "nvl": 2...2, "lower": 1...1, "upper": 1...1]

    var isAtEnd: Bool {
      mutating get {
        skipSpace()
        return rest.isEmpty
      }
    }

    private mutating func skipSpace() { rest = rest.drop(while: \.isWhitespace) }

    private mutating func take(_ characters: String) -> Character? {
      skipSpace()
      guard let first = rest.first, characters.contains(first) else { return nil }
      rest.removeFirst()
      return first
    }

    mutating func sum(depth: Int) -> Node? {
      guard depth < 50, var left = product(depth: depth) else { return nil }
      while let sign = take("+-") {
        guard let right = product(depth: depth) else { return nil }
        left = .operation(sign, left, right)
      }
      return left
    }

    private mutating func product(depth: Int) -> Node? {
      guard var left = operand(depth: depth) else { return nil }
      while let sign = take("*/%") {
        guard let right = operand(depth: depth) else { return nil }
        left = .operation(sign, left, right)
      }
      return left
    }

    private mutating func operand(depth: Int) -> Node? {
      skipSpace()
      guard let first = rest.first else { return nil }
      if take("(") != nil {
        guard let inner = sum(depth: depth + 1), take(")") != nil else { return nil }
        return inner
      }
      if let quote = take("'\"") {
        guard let end = rest.firstIndex(of: quote), !rest[..<end].contains("\\") else {
          return nil
        }
        let text = String(rest[..<end])
        rest = rest[rest.index(after: end)...]
        return quote == "'" ? .text(text) : .field(text)
      }
      if first.isASCII, first.isNumber {
        let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        rest = rest.dropFirst(digits.count)
        return Int64(digits).map { .long($0) } ?? Double(digits).map { .double($0) }
      }
      guard first.isASCII, first.isLetter || first == "_" else { return nil }
      let word = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      rest = rest.dropFirst(word.count)
      return take("(") == nil ? .field(String(word)) : call(String(word), depth: depth)
    }

    private mutating func call(_ name: String, depth: Int) -> Node? {
      guard let counts = Self.functions[name] else { return nil }
      var arguments: [Node] = []
      repeat {
        guard let argument = sum(depth: depth + 1) else { return nil }
        arguments.append(argument)
      } while take(",") != nil
      guard take(")") != nil, counts.contains(arguments.count) else { return nil }
      return .call(name, arguments)
    }
  }
}

extension FieldValue {
  fileprivate var number: Double? {
    switch self {
    case .long(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
}
