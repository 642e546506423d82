/// A function of Druid's SQL: everything that is known of it, in one place.
///
/// Name lookup, argument checks, the SQL that SQLite runs, the registration with SQLite, `INFORMATION_SCHEMA.ROUTINES`
/// and the fuzzers all read ``all``. A new function is one more definition in the list of its kind.
package final class Function: Sendable {
  /// How a call becomes an expression.
  enum Binding: Sendable {
    /// By its signature; then by what it asks of its arguments beyond types.
    case signature(Check?)
    /// By a rule of its own.
    case custom(Binder)
    /// Aggregates: with DISTINCT, FILTER and a window where those are allowed.
    case aggregate(AggregateBinder)
    /// Only with OVER.
    case window
    /// The parser knows it as a form of its own (CAST, EXTRACT, ...); it is here for the list of routines.
    case syntax
    /// Druid has it and this module does not.
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

    /// The answer may be infinite or NaN.
    static let wild = Traits(rawValue: 1)
    /// Druid calls it for each value of a multi-value argument, and the answers are a multi-value.
    static let mapsValues = Traits(rawValue: 2)
    /// It takes a multi-value argument as a whole.
    static let readsValues = Traits(rawValue: 4)
    /// The answer may hold several values.
    static let givesValues = Traits(rawValue: 8)
    /// `INFORMATION_SCHEMA.ROUTINES` does not list it.
    static let unlisted = Traits(rawValue: 16)
    /// As an aggregate: Druid finishes it at the top only, and a join sees NULL.
    static let unfinishedNull = Traits(rawValue: 32)
    /// As an aggregate: Druid finishes it at the top only, and what a join sees is not known.
    static let unfinished = Traits(rawValue: 64)
    /// A function of multi-values that takes arrays of strings as well: it is the ARRAY_ function of that name then.
    static let takesArrays = Traits(rawValue: 128)
  }

  package let name: String
  package let aliases: [String]
  /// One line for a person.
  package let summary: String
  package let signature: FunctionSignature
  let traits: Traits
  let binding: Binding
  /// The type of the call with OVER; nil when there is none.
  let windowType: WindowType?
  let spelling: Spelling?
  let aggregateSpelling: AggregateSpelling?
  /// What SQLite calls for it.
  package let kernels: [Kernel]

  /// A scalar function of one kernel, called `druid_` and its name; arguments that are left out are filled in with the
  /// signature's defaults.
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

  /// A function that is bound, spelt or computed in a way of its own.
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

  /// Something that Druid has and this module refuses by name.
  static func refused(_ name: String, aliases: [String] = [], _ summary: String) -> Function {
    Function(
      name, aliases: aliases, summary, .init([.any], variadic: true, .common), [.unlisted],
      binding: .refused)
  }

  /// A form that the parser knows.
  static func syntax(_ name: String, aliases: [String] = [], _ summary: String) -> Function {
    Function(
      name, aliases: aliases, summary, .init([.any], variadic: true, .common), binding: .syntax)
  }

  package var isAggregate: Bool { if case .aggregate = binding { true } else { false } }

  package var isWindow: Bool { if case .window = binding { true } else { false } }

  /// Whether a call may be written `name(arguments)` and is answered.
  package var isScalar: Bool {
    switch binding {
    case .signature, .custom: true
    case .aggregate, .window, .syntax, .refused: false
    }
  }

  package var isListed: Bool { !traits.contains(.unlisted) }
}

extension Function: Hashable {
  package static func == (left: Function, right: Function) -> Bool { left === right }

  package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

// MARK: - The list

extension Function {
  /// Every function, by kind.
  package static let all: [Function] =
    numeric + strings + times + choices + multiples + arrays + json + aggregates + windows + syntax
    + refused

  private static let byName: [String: Function] = Dictionary(
    all.flatMap { function in ([function.name] + function.aliases).map { ($0, function) } },
    uniquingKeysWith: { first, _ in first })

  /// The function of a name in capitals.
  package static func named(_ name: String) -> Function? { byName[name] }

  /// What `INFORMATION_SCHEMA.ROUTINES` lists, by name.
  package static let routines: [(name: String, function: Function)] =
    byName.filter { $0.value.isListed }.sorted { $0.key < $1.key }
    .map { (name: $0.key, function: $0.value) }

  /// What the engine registers: the kernels of all functions and operators.
  package static let kernels: [Kernel] = all.flatMap(\.kernels) + Operator.kernels
}

// MARK: - What the closures of a definition are given

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

    /// The bound aggregate.
    func aggregate(_ arguments: [TypedExpression], _ type: SQLType) -> TypedExpression {
      TypedExpression(
        .aggregate(
          AggregateCall(
            function: function, arguments: arguments, isDistinct: isDistinct,
            filter: filter)), type, range)
    }
  }

  /// A call with OVER, its arguments bound.
  struct WindowUse {
    var name: String
    var arguments: [TypedExpression]
    /// The frame as SQLite spells it.
    var frame: String?
    var hasOrder: Bool
    var range: SourceRange

    var first: SQLType? { arguments.first?.type }

    func refusal(_ words: String) -> SQLFailure { .unknown(words, at: range) }
  }

  /// A call whose operands are written.
  struct Spelt {
    /// The operands as SQLite's SQL.
    var values: [String]
    var operands: [TypedExpression]
    var whole: TypedExpression
    /// The query's zone.
    var zone: String

    var isReal: Bool { operands.first?.type.isReal ?? false }

    func kernel(_ name: String) -> String { "druid_\(name)(\(values.joined(separator: ", ")))" }

    func kernel(_ name: String, _ values: String...) -> String {
      "druid_\(name)(\(values.joined(separator: ", ")))"
    }
  }

  /// An aggregate whose first argument is written.
  struct SpeltAggregate {
    var call: AggregateCall
    /// The first argument, refused at run time where it is NaN and the kernel can't take that.
    var argument: String
    var others: [String]
    var approximatesCountDistinct: Bool

    var type: SQLType? { call.arguments.first?.type }
  }
}

extension Function {
  /// The call as SQLite's SQL.
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
