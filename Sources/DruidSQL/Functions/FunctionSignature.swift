/// The parameters and the result type of a function.
package struct FunctionSignature: Sendable {
  package enum Operand: Sendable {
    case any, number, integer, string, time, boolean, array, json
    /// A string constant, such as a period or a pattern; may be NULL.
    case constantText
    case constantInteger
    /// A string constant that is not NULL, such as the pattern of Druid's own search functions.
    case pattern
    /// A string column that may hold several values.
    case multiple
    /// A string or a number: a possible element of an array.
    case scalar
    /// An array, or a string column as the array of its values.
    case arrayOrText
    /// An argument of CONCAT: a string, or a number as its text.
    case printable
    case address
  }

  package enum Result: Sendable {
    case boolean, integer, bigint, double, varchar, timestamp, json
    /// The type of the argument at that index.
    case argument(Int)
    case elementOf(Int)
    case varcharArray
    /// The least restrictive type of all arguments.
    case common
    case custom(@Sendable ([TypedExpression]) -> SQLType?)
  }

  package var operands: [Operand]
  /// The number of required operands. With `isVariadic`, the last operand repeats.
  package var required: Int
  package var isVariadic: Bool
  package var result: Result
  /// Whether the result may be NULL although no argument is.
  package var isNullable: Bool
  /// SQL for omitted operands at the end.
  package var defaults: [String]

  init(
    _ operands: [Operand], required: Int? = nil, variadic: Bool = false, _ result: Result,
    nullable: Bool = false, defaults: [String] = []
  ) {
    self.operands = operands
    self.required = required ?? operands.count - defaults.count
    self.isVariadic = variadic
    self.result = result
    self.isNullable = nullable
    self.defaults = defaults
  }

  package func operand(at index: Int) -> Operand { operands[min(index, operands.count - 1)] }

  func accepts(count: Int) -> Bool {
    count >= required && (isVariadic || count <= operands.count)
  }

  /// How many arguments the kernel is called with.
  var kernelArity: ClosedRange<Int> {
    if isVariadic { return required...Kernel.mostArguments }
    return (defaults.isEmpty ? required : operands.count)...operands.count
  }

  /// The type of a call; nil if it is not known.
  func result(_ arguments: [TypedExpression]) -> SQLType? {
    let nullable = isNullable || arguments.contains { $0.type.isNullable }
    let type: SQLType?
    switch result {
    case .boolean: type = .boolean
    case .integer: type = .integer
    case .bigint: type = .bigint
    case .double: type = .double
    case .varchar: type = .varchar
    case .timestamp: type = .timestamp
    case .json: type = .json
    case .argument(let index): type = arguments[index].type
    case .elementOf(let index): type = arguments[index].type.element
    case .varcharArray: type = SQLType(.array(.varchar))
    case .common: type = SQLType.leastRestrictive(arguments.map(\.type))
    case .custom(let rule): return rule(arguments)
    }
    return type?.nullable(nullable)
  }
}
