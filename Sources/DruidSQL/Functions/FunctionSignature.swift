/// The parameters and the result type of a function.
struct FunctionSignature: Sendable {
  /// What an argument must be. A bare NULL is refused where it stands by all that do not say otherwise.
  enum Operand: Sendable {
    /// NULL as well.
    case any
    /// A number, or a text as the number that it spells; NULL as well.
    case number
    /// A number and nothing else.
    case strictNumber
    /// A whole number.
    case integer
    /// A text and nothing else.
    case string
    /// A text; NULL as well.
    case optionalString
    /// A text, or a number, a truth or a time as its text; NULL as well.
    case printable
    /// A TIMESTAMP.
    case time
    /// A TIMESTAMP; NULL as well.
    case optionalTime
    /// A string constant, such as a period.
    case constantText
    /// A string constant, such as a zone; NULL as well.
    case optionalText
    case constantInteger
    /// A string constant: what Druid's own functions search for.
    case pattern
    case boolean, array
    /// A string column that may hold several values.
    case multiple
    /// A string or a number: a possible element of an array.
    case scalar
    /// An array, or a string column as the array of its values.
    case arrayOrText
    /// A text, or a whole number.
    case address
  }

  enum Result: Sendable {
    case boolean, integer, bigint, double, varchar, char, timestamp, json
    /// The type of the argument at that index.
    case argument(Int)
    case elementOf(Int)
    case varcharArray
    /// The least restrictive type of all arguments.
    case common
    case custom(@Sendable ([TypedExpression]) -> SQLType?)
  }

  var operands: [Operand]
  /// The number of required operands. With `isVariadic`, the last operand repeats.
  var required: Int
  var isVariadic: Bool
  var result: Result
  /// Whether the result may be NULL although no argument is.
  var isNullable: Bool
  /// SQL for omitted operands at the end.
  var defaults: [String]

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

  func operand(at index: Int) -> Operand { operands[min(index, operands.count - 1)] }

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
    case .char: type = SQLType(.char(1))
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
