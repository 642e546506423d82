import DruidSQL
import JavaValues

/// An expression in Druid's expression language, as transforms and filters of a spec use it:
/// operators, and those functions whose results are known. Any other expression is refused when the
/// spec is read.
struct Expression: Sendable, Equatable {
  indirect enum Node: Sendable, Equatable {
    case field(String)
    case null
    case long(Int64)
    case double(Double)
    case text(String)
    case binary(String, Node, Node)
    case minus(Node)
    case not(Node)
    case call(Function, [Node], Constant)
  }

  /// The value of a function's constant argument, parsed once.
  enum Constant: Sendable, Equatable {
    case none
    case type(NumberOrText)
    case unit(TimeUnit)
    case span(QueryGranularity)
    case pattern(JodaPattern)
    case path(FieldPath)
  }

  /// The target types of CAST.
  enum NumberOrText: String, Sendable {
    case long = "LONG"
    case double = "DOUBLE"
    case string = "STRING"
  }

  /// Why an expression could not be computed for a row.
  enum Failure: Error, Equatable {
    /// Druid fails, too.
    case bad(String)
    /// Druid's result is not known here.
    case unknown(String)
  }

  var root: Node

  /// - Returns: `nil` when the expression is not fully understood.
  init?(_ text: String) {
    var parser = Parser(rest: Substring(text))
    guard let root = parser.expression(depth: 0), parser.isAtEnd else { return nil }
    self.root = root
  }

  /// Parses an expression by recursive descent, with a method for each precedence level.
  private struct Parser {
    var rest: Substring

    var isAtEnd: Bool {
      mutating get {
        skipSpace()
        return rest.isEmpty
      }
    }

    private mutating func skipSpace() { rest = rest.drop(while: \.isWhitespace) }

    /// Consumes the first of the words that matches. Longer words must come first in the list.
    private mutating func take(_ words: [String]) -> String? {
      skipSpace()
      guard let word = words.first(where: { rest.hasPrefix($0) }) else { return nil }
      rest.removeFirst(word.count)
      return word
    }

    /// The precedence levels, loosest first.
    private static let levels = [
      ["&&", "||"], ["<=", ">=", "==", "!=", "<", ">"], ["+", "-"], ["*", "/", "%"],
    ]

    mutating func expression(depth: Int) -> Node? {
      guard depth < 40 else { return nil }
      return level(0, depth)
    }

    private mutating func level(_ level: Int, _ depth: Int) -> Node? {
      guard level < Self.levels.count else { return power(depth) }
      guard var left = self.level(level + 1, depth) else { return nil }
      while let sign = take(Self.levels[level]) {
        guard let right = self.level(level + 1, depth) else { return nil }
        left = .binary(sign, left, right)
      }
      return left
    }

    /// Parses a power, which binds tighter than a product and is right-associative.
    private mutating func power(_ depth: Int) -> Node? {
      guard depth < 40, let base = unary(depth) else { return nil }
      guard take(["^"]) != nil else { return base }
      guard let exponent = power(depth + 1) else { return nil }
      return .binary("^", base, exponent)
    }

    private mutating func unary(_ depth: Int) -> Node? {
      guard depth < 40 else { return nil }
      if take(["-"]) != nil { return unary(depth + 1).map { .minus($0) } }
      if take(["!"]) != nil { return unary(depth + 1).map { .not($0) } }
      return operand(depth)
    }

    private mutating func operand(_ depth: Int) -> Node? {
      skipSpace()
      guard let first = rest.first else { return nil }
      if take(["("]) != nil {
        guard let inner = expression(depth: depth + 1), take([")"]) != nil else { return nil }
        return inner
      }
      if first == "'" || first == "\"" {
        rest.removeFirst()
        guard let end = rest.firstIndex(of: first), !rest[..<end].contains("\\") else { return nil }
        let text = String(rest[..<end])
        rest = rest[rest.index(after: end)...]
        return first == "'" ? .text(text) : .field(text)
      }
      if first.isASCII, first.isNumber {
        let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        rest = rest.dropFirst(digits.count)
        // Exponents are not supported: the letter would be read as a name, and parsing would fail.
        return Int64(digits).map { .long($0) } ?? Double(digits).map { .double($0) }
      }
      guard first.isASCII, first.isLetter || first == "_" || first == "$" else { return nil }
      let word = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "_$".contains($0)) }
      rest = rest.dropFirst(word.count)
      if take(["("]) != nil { return call(String(word), depth) }
      return word == "null" ? .null : .field(String(word))
    }

    private mutating func call(_ name: String, _ depth: Int) -> Node? {
      guard let function = Function(rawValue: name.lowercased()) else { return nil }
      var arguments: [Node] = []
      if take([")"]) == nil {
        repeat {
          guard let argument = expression(depth: depth + 1) else { return nil }
          arguments.append(argument)
        } while take([","]) != nil
        guard take([")"]) != nil else { return nil }
      }
      guard function.counts.contains(arguments.count) else { return nil }
      return function.constant(in: arguments).map { .call(function, arguments, $0) }
    }
  }
}

extension Expression.Node {
  /// The value of a text literal.
  var literal: String? {
    if case .text(let text) = self { text } else { nil }
  }
}
