/// A function of Druid's SQL, defined in one place.
///
/// Name lookup, argument checks, the SQL for SQLite, the registration with SQLite,
/// `INFORMATION_SCHEMA.ROUTINES` and the fuzzers all read ``all``. To add a function, add a
/// definition to the list of its kind.
package final class Function: Sendable {
  /// How a call becomes an expression.
  enum Binding: Sendable {
    /// By its signature, then by an additional check of the arguments.
    case signature(Check?)
    /// By its own rule.
    case custom(Binder)
    /// An aggregate; with DISTINCT, FILTER and a window where those are allowed.
    case aggregate(AggregateBinder)
    /// Only valid with OVER.
    case window
    /// The parser has its own syntax for it (CAST, EXTRACT, ...). The definition exists for the
    /// list of routines.
    case syntax
    /// Druid has the function, but this module does not support it.
    case refused
  }

  typealias Check =
    @Sendable (Resolver, [TypedExpression], SourceRange) throws(SQLFailure) -> Void
  typealias Binder = @Sendable (Resolver, Call) throws(SQLFailure) -> TypedExpression
  typealias AggregateBinder =
    @Sendable (Resolver, AggregateUse) throws(SQLFailure) -> TypedExpression
  typealias WindowType = @Sendable (WindowUse) throws(SQLFailure) -> SQLType
  typealias Spelling = @Sendable (Spelt) throws(SQLFailure) -> String
  typealias AggregateSpelling = @Sendable (SpeltAggregate) throws(SQLFailure) -> String

  struct Traits: OptionSet, Sendable {
    let rawValue: Int

    /// The result may be infinite or NaN.
    static let wild = Traits(rawValue: 1)
    /// Druid calls it for each value of a multi-value argument, and the result is a multi-value.
    static let mapsValues = Traits(rawValue: 2)
    /// It takes a multi-value argument as a list.
    static let readsValues = Traits(rawValue: 4)
    /// The result may be a multi-value.
    static let givesValues = Traits(rawValue: 8)
    /// `INFORMATION_SCHEMA.ROUTINES` does not list it.
    static let unlisted = Traits(rawValue: 16)
    /// An aggregate that Druid finalizes only in the outermost query; a join sees NULL.
    static let unfinishedNull = Traits(rawValue: 32)
    /// An aggregate that Druid finalizes only in the outermost query; what a join sees is not
    /// known.
    static let unfinished = Traits(rawValue: 64)
    /// A function of multi-values that also takes arrays of strings, as the ARRAY_ function of the
    /// same name.
    static let takesArrays = Traits(rawValue: 128)
    /// It writes its arguments as text, doubles as such.
    static let writesNumbers = Traits(rawValue: 256)
  }

  let name: String
  let aliases: [String]
  /// A one-line description.
  let summary: String
  let signature: FunctionSignature
  let traits: Traits
  let binding: Binding
  /// The result type of a call with OVER; nil when OVER is not allowed.
  let windowType: WindowType?
  let spelling: Spelling?
  let aggregateSpelling: AggregateSpelling?
  /// The SQLite functions that its calls use.
  let kernels: [Kernel]

  /// A scalar function with one kernel, which is called `druid_` followed by its name. Omitted
  /// arguments take the signature's defaults.
  init(
    _ name: String, aliases: [String] = [], _ summary: String, _ signature: FunctionSignature,
    _ traits: Traits = [], check: Check? = nil, spelling: Spelling? = nil, isStrict: Bool = true,
    kernel: @escaping Kernel.Scalar
  ) {
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.signature = signature
    self.traits = traits
    self.binding = .signature(check)
    self.windowType = nil
    self.spelling = spelling
    self.aggregateSpelling = nil
    self.kernels = [
      Kernel.scalar(name.lowercased(), signature.kernelArity, isStrict: isStrict, kernel)
    ]
  }

  /// A function with its own rules for binding, SQL or computation.
  init(
    _ name: String, aliases: [String] = [], _ summary: String,
    _ signature: FunctionSignature = .init([.any], variadic: true, .common), _ traits: Traits = [],
    binding: Binding = .signature(nil), windowType: WindowType? = nil, kernels: [Kernel] = [],
    aggregateSpelling: AggregateSpelling? = nil, spelling: Spelling? = nil
  ) {
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.signature = signature
    self.traits = traits
    self.binding = binding
    self.windowType = windowType
    self.spelling = spelling
    self.aggregateSpelling = aggregateSpelling
    self.kernels = kernels
  }

  /// A function of Druid that this module refuses by name.
  static func refused(_ name: String, aliases: [String] = [], _ summary: String) -> Function {
    Function(
      name, aliases: aliases, summary, .init([.any], variadic: true, .common), [.unlisted],
      binding: .refused)
  }

  /// A function for which the parser has its own syntax.
  static func syntax(_ name: String, _ summary: String) -> Function {
    Function(name, summary, .init([.any], variadic: true, .common), binding: .syntax)
  }

  package var isAggregate: Bool { if case .aggregate = binding { true } else { false } }

  var isWindow: Bool { if case .window = binding { true } else { false } }

  /// Whether a call can be written `name(arguments)` and is supported.
  var isScalar: Bool {
    switch binding {
    case .signature, .custom: true
    case .aggregate, .window, .syntax, .refused: false
    }
  }

  var isListed: Bool { !traits.contains(.unlisted) }
}

extension Function: Hashable {
  package static func == (left: Function, right: Function) -> Bool { left === right }

  package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

// MARK: - The list

extension Function {
  /// Every function, by kind.
  static let all: [Function] =
    numeric + strings + times + choices + multiples + arrays + json + aggregates + windows + syntax
    + refused

  private static let byName: [String: Function] = Dictionary(
    all.flatMap { function in ([function.name] + function.aliases).map { ($0, function) } },
    uniquingKeysWith: { first, _ in first })

  /// The function of this name, in capitals.
  static func named(_ name: String) -> Function? { byName[name] }

  /// The rows of `INFORMATION_SCHEMA.ROUTINES`, by name.
  package static let routines: [(name: String, function: Function)] =
    byName.filter { $0.value.isListed }.sorted { $0.key < $1.key }
    .map { (name: $0.key, function: $0.value) }

  /// All SQLite functions that the engine registers, of functions and operators.
  package static let kernels: [Kernel] = all.flatMap(\.kernels) + Operator.kernels
}

// MARK: - Arguments of a definition's closures

extension Function {
  /// A call with its arguments bound.
  struct Call {
    var function: Function
    /// The name as written, in capitals.
    var name: String
    var arguments: [TypedExpression]
    var json: JSONClauses?
    var range: SourceRange
  }

  /// A call of an aggregate with its arguments bound.
  struct AggregateUse {
    var function: Function
    var name: String
    var arguments: [TypedExpression]
    var isDistinct: Bool
    var filter: TypedExpression?
    var scope: Scope
    var range: SourceRange

    /// The bound aggregate with these arguments.
    func aggregate(_ arguments: [TypedExpression], _ type: SQLType) -> TypedExpression {
      TypedExpression(
        .aggregate(
          AggregateCall(
            function: function, arguments: arguments, isDistinct: isDistinct,
            filter: filter)), type, range)
    }

    /// Restricts it to the rows that also satisfy this condition.
    mutating func narrow(by condition: TypedExpression) {
      filter =
        filter.map { TypedExpression(.operation(.and, [$0, condition]), .boolean, $0.range) }
        ?? condition
    }
  }

  /// A call with OVER, its arguments bound.
  struct WindowUse {
    var name: String
    var arguments: [TypedExpression]
    /// The frame in SQLite's syntax.
    var frame: String?
    var hasOrder: Bool
    /// The call, from the name to the parenthesis, and the window.
    var range: SourceRange
    var window: SourceRange
    var resolver: Resolver

    var first: SQLType? { arguments.first?.type }
  }

  /// A call whose operands are already SQL.
  struct Spelt {
    /// The operands as SQL for SQLite.
    var values: [String]
    var operands: [TypedExpression]
    var whole: TypedExpression
    /// The query's time zone.
    var zone: String

    var isReal: Bool { operands.first?.type.isReal ?? false }

    func kernel(_ name: String) -> String { "druid_\(name)(\(values.joined(separator: ", ")))" }

    func kernel(_ name: String, _ values: String...) -> String {
      "druid_\(name)(\(values.joined(separator: ", ")))"
    }
  }

  /// An aggregate whose first argument is already SQL.
  struct SpeltAggregate {
    var call: AggregateCall
    /// The first argument. Where the kernel can't take NaN, a NaN fails at run time.
    var argument: String
    var others: [String]
    var approximatesCountDistinct: Bool

    var type: SQLType? { call.arguments.first?.type }
  }
}

extension Function {
  /// The call as SQL for SQLite.
  func spelt(_ call: Spelt) throws(SQLFailure) -> String {
    var call = call
    let missing = signature.operands.count - call.values.count
    if missing > 0, !signature.defaults.isEmpty {
      call.values += signature.defaults.suffix(missing)
    }
    if let spelling { return try spelling(call) }
    return call.kernel(name.lowercased())
  }
}
