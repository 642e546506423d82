package import JavaValues

/// A scalar function that the translation calls by name and SQLite lacks.
package struct ScalarFunction: Sendable {
  package typealias Body =
    @Sendable (_ arguments: [SQLValue], _ context: ValueContext) throws(ValueFailure) -> SQLValue

  package let name: String
  /// Whether it answers NULL to any NULL without being asked.
  let isStrict: Bool
  let body: Body

  package func callAsFunction(
    _ arguments: [SQLValue], _ context: ValueContext
  ) throws(ValueFailure) -> SQLValue {
    if isStrict, arguments.contains(.null) { return .null }
    return try body(arguments, context)
  }

  static func strict(_ name: String, _ body: @escaping Body) -> ScalarFunction {
    ScalarFunction(name: "druid_" + name, isStrict: true, body: body)
  }

  static func lenient(_ name: String, _ body: @escaping Body) -> ScalarFunction {
    ScalarFunction(name: "druid_" + name, isStrict: false, body: body)
  }

  /// Every one, by name.
  package static let all: [String: ScalarFunction] = {
    let list = numbers + casts + strings + patterns + times + multipleValues + arrays + json
    return Dictionary(list.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }()
}

// MARK: - Arguments

extension [SQLValue] {
  /// The argument's text.
  func text(_ index: Int) throws(ValueFailure) -> String {
    guard index < count, let text = self[index].text else {
      throw .unsupported("An argument is no text")
    }
    return text
  }

  func long(_ index: Int) throws(ValueFailure) -> Int64 {
    guard index < count, let value = self[index].integer else {
      throw .unsupported("An argument is no whole number")
    }
    return value
  }

  func double(_ index: Int) throws(ValueFailure) -> Double {
    guard index < count, let value = self[index].double else {
      throw .unsupported("An argument is no number")
    }
    return value
  }
}
