package import JavaValues

/// A function as SQLite calls it: its name, its number of arguments and its body.
///
/// The translator writes calls of kernels, and the engine registers every kernel of
/// ``Function/kernels``. A *double* is an integer, a real, or the text `NaN`; a result is never an
/// integer. A *time* is milliseconds since 1970. A *zone* is an IANA name. A *multi* is a string,
/// or a blob with a JSON array of strings. An *array* is JSON text.
package struct Kernel: Sendable {
  package typealias Scalar =
    @Sendable (_ arguments: [SQLValue], _ context: ValueContext) throws(ValueFailure) -> SQLValue

  package enum Body: Sendable {
    /// Deterministic. A strict one returns NULL when any argument is NULL.
    case scalar(isStrict: Bool, Scalar)
    /// Also works over windows when its state can remove a row.
    case aggregate(@Sendable () -> any AggregateState)
  }

  /// A second body for kernels that run once a row. It takes numbers without boxing them as
  /// ``SQLValue``, and gives the same results as ``body`` for numbers and NULL.
  package enum Fast: Sendable {
    case double(@Sendable (Double) -> Double)
    case doubles(@Sendable (Double, Double) -> Double)
    case longs(@Sendable (Int64, Int64) throws(ValueFailure) -> Int64)
    case timeFloor
  }

  package let name: String
  /// The numbers of arguments that it accepts.
  package let arity: ClosedRange<Int>
  package let body: Body
  package let fast: Fast?

  private init(_ name: String, _ arity: ClosedRange<Int>, _ body: Body, fast: Fast? = nil) {
    self.name = "druid_" + name
    self.arity = arity
    self.body = body
    self.fast = fast
  }

  /// Maximum number of arguments of a variadic kernel. SQLite's own limit is 127.
  static let mostArguments = 120

  static func strict(_ name: String, _ arity: Int, _ body: @escaping Scalar) -> Kernel {
    Kernel(name, arity...arity, .scalar(isStrict: true, body))
  }

  static func lenient(_ name: String, _ arity: Int, _ body: @escaping Scalar) -> Kernel {
    Kernel(name, arity...arity, .scalar(isStrict: false, body))
  }

  static func scalar(
    _ name: String, _ arity: ClosedRange<Int>, isStrict: Bool, _ body: @escaping Scalar
  ) -> Kernel {
    Kernel(name, arity, .scalar(isStrict: isStrict, body))
  }

  static func aggregate(
    _ name: String, _ arity: Int, _ make: @escaping @Sendable () -> any AggregateState
  ) -> Kernel {
    Kernel(name, arity...arity, .aggregate(make))
  }

  /// An aggregate that takes different numbers of arguments.
  static func aggregate(
    _ name: String, _ arity: ClosedRange<Int>, _ make: @escaping @Sendable () -> any AggregateState
  ) -> Kernel {
    Kernel(name, arity, .aggregate(make))
  }

  /// A function of one double.
  static func double(
    _ name: String, _ operation: @escaping @Sendable (Double) -> Double
  ) -> Kernel {
    let body: Scalar = { arguments, _ throws(ValueFailure) in
      .double(operation(try arguments.double(0)))
    }
    return Kernel(name, 1...1, .scalar(isStrict: true, body), fast: .double(operation))
  }

  /// A function of two doubles.
  static func doubles(
    _ name: String, _ operation: @escaping @Sendable (Double, Double) -> Double
  ) -> Kernel {
    let body: Scalar = { arguments, _ throws(ValueFailure) in
      .double(operation(try arguments.double(0), try arguments.double(1)))
    }
    return Kernel(name, 2...2, .scalar(isStrict: true, body), fast: .doubles(operation))
  }

  /// A function of two or more longs, applied from left to right.
  static func longs(
    _ name: String, arity: ClosedRange<Int> = 2...2,
    _ operation: @escaping @Sendable (Int64, Int64) throws(ValueFailure) -> Int64
  ) -> Kernel {
    let body: Scalar = { arguments, _ throws(ValueFailure) in
      var result = try arguments.long(0)
      for index in arguments.indices.dropFirst() {
        result = try operation(result, try arguments.long(index))
      }
      return .integer(result)
    }
    return Kernel(name, arity, .scalar(isStrict: true, body), fast: .longs(operation))
  }

  /// The same kernel, with the engine's fast path for truncating times.
  var cuttingTimes: Kernel { Kernel(String(name.dropFirst(6)), arity, body, fast: .timeFloor) }

  /// The result of a scalar kernel, including the NULL of a strict one.
  package func callAsFunction(
    _ arguments: [SQLValue], _ context: ValueContext
  ) throws(ValueFailure) -> SQLValue {
    guard case .scalar(let isStrict, let body) = body else { return .null }
    if isStrict, arguments.contains(.null) { return .null }
    return try body(arguments, context)
  }
}

// MARK: - Arguments

extension [SQLValue] {
  /// The argument's text.
  func text(_ index: Int) throws(ValueFailure) -> String {
    guard index < count, let text = self[index].text else {
      throw .unsupported("An argument is not a text")
    }
    return text
  }

  func long(_ index: Int) throws(ValueFailure) -> Int64 {
    guard index < count, let value = self[index].integer else {
      throw .unsupported("An argument is not a whole number")
    }
    return value
  }

  func double(_ index: Int) throws(ValueFailure) -> Double {
    guard index < count, let value = self[index].double else {
      throw .unsupported("An argument is not a number")
    }
    return value
  }
}
