/// An expression with resolved names and known types.
///
/// Equality and hash ignore the position and the spelling: two expressions that compute the same
/// are equal.
struct TypedExpression: Hashable, Sendable {
  indirect enum Node: Hashable, Sendable {
    /// A column of the relation with this number.
    case column(relation: Int, index: Int)
    case constant(Constant)
    case operation(Operator, [TypedExpression])
    case call(Function, [TypedExpression])
    /// A conversion to this expression's type.
    case cast(TypedExpression)
    case conditional([Branch], otherwise: TypedExpression)
    case aggregate(AggregateCall)
    case window(WindowCall)
    /// GROUPING(a, b), with its keys.
    case grouping([TypedExpression])
    case inQuery(TypedExpression, Relation)
    case exists(Relation)
    case scalarQuery(Relation)
  }

  struct Branch: Hashable, Sendable {
    var condition: TypedExpression
    var result: TypedExpression
  }

  enum Constant: Hashable, Sendable {
    case null
    case text(String)
    /// An integer; also a time (milliseconds) or an interval.
    case long(Int64)
    case double(Double)
    case boolean(Bool)
    /// `TIMESTAMP '...'`, to be read in a time zone other than UTC: `yyyy-MM-dd HH:mm:ss.SSS`.
    case localTime(String)
  }

  var node: Node
  var type: SQLType
  /// The position in the statement.
  var range: SourceRange
  /// A string that may have several values.
  var isMultiple = false
  /// A double that may be infinite or NaN.
  var isWild = false
  /// One value of a multi-value expression by which a subquery groups.
  var isExploded = false
  /// A whole number by its type that Druid's expressions hold as the double that the cast reads.
  var isCutDouble = false

  init(_ node: Node, _ type: SQLType, _ range: SourceRange = .none) {
    self.node = node
    self.type = type
    self.range = range
  }

  static func == (left: TypedExpression, right: TypedExpression) -> Bool {
    left.node == right.node && left.type.kind == right.type.kind
  }

  func hash(into hasher: inout Hasher) { hasher.combine(node) }

  var constant: Constant? {
    if case .constant(let value) = node { return value }
    return nil
  }

  var isNullConstant: Bool { constant == .null }

  var isColumn: Bool {
    if case .column = node { return true }
    return false
  }

  /// A column passed on unchanged, or the NULL that a join sees in place of one.
  var isPassedOn: Bool { isColumn || node == .operation(.unfinishedNull, []) }

  /// The text of a string constant.
  var text: String? {
    if case .constant(.text(let text)) = node { return text }
    return nil
  }
}

/// An aggregate function with its arguments and modifiers.
struct AggregateCall: Hashable, Sendable {
  var function: Function
  var arguments: [TypedExpression]
  var isDistinct: Bool
  var filter: TypedExpression?
  var orderBy: [OrderKey] = []
}

/// A window function with its arguments and window.
struct WindowCall: Hashable, Sendable {
  var function: Function
  var arguments: [TypedExpression]
  var partitionBy: [TypedExpression]
  var orderBy: [OrderKey]
  /// The frame in SQLite's syntax; nil for none.
  var frame: String?
  var filter: TypedExpression?
  /// Whether it is written as the aggregate is without a window.
  var isSpelt = false
}

struct OrderKey: Hashable, Sendable {
  var expression: TypedExpression
  var isDescending: Bool
}

extension TypedExpression {
  /// The direct operands, without those of subqueries.
  var children: [TypedExpression] {
    switch node {
    case .column, .constant, .exists, .scalarQuery: []
    case .operation(_, let operands), .call(_, let operands), .grouping(let operands): operands
    case .cast(let operand), .inQuery(let operand, _): [operand]
    case .conditional(let branches, let otherwise):
      branches.flatMap { [$0.condition, $0.result] } + [otherwise]
    case .aggregate(let call):
      call.arguments + [call.filter].compactMap { $0 } + call.orderBy.map(\.expression)
    case .window(let call):
      call.arguments + call.partitionBy + call.orderBy.map(\.expression)
        + [call.filter].compactMap { $0 }
    }
  }

  /// Whether it, or any expression inside it, passes the test.
  func contains(where test: (TypedExpression) -> Bool) -> Bool {
    test(self) || children.contains { $0.contains(where: test) }
  }

  var hasAggregate: Bool {
    contains {
      switch $0.node {
      case .aggregate, .grouping: true
      default: false
      }
    }
  }

  /// The first aggregate in it.
  var firstAggregate: TypedExpression? {
    switch node {
    case .aggregate, .grouping: return self
    default:
      for child in children {
        if let found = child.firstAggregate { return found }
      }
      return nil
    }
  }

  var hasWindow: Bool {
    contains {
      if case .window = $0.node { return true }
      return false
    }
  }

  /// Computed from constants alone, and independent of the clock.
  var isConstant: Bool {
    switch node {
    case .constant: true
    case .operation, .call, .cast, .conditional: children.allSatisfy(\.isConstant)
    default: false
    }
  }

  /// A copy in which `change` has replaced parts. It is called for each part before the part's
  /// operands; what it returns replaces the whole part, and nil keeps the part and continues with
  /// the operands.
  func rewritten<Failure: Error>(
    _ change: (TypedExpression) throws(Failure) -> TypedExpression?
  ) throws(Failure) -> TypedExpression {
    if let whole = try change(self) { return whole }
    var copy = self
    switch node {
    case .column, .constant, .exists, .scalarQuery: break
    case .operation(let op, let operands):
      copy.node = .operation(op, try Self.rewritten(operands, change))
    case .call(let function, let operands):
      copy.node = .call(function, try Self.rewritten(operands, change))
    case .grouping(let operands): copy.node = .grouping(try Self.rewritten(operands, change))
    case .cast(let operand): copy.node = .cast(try operand.rewritten(change))
    case .inQuery(let operand, let relation):
      copy.node = .inQuery(try operand.rewritten(change), relation)
    case .conditional(let branches, let otherwise):
      var changed: [Branch] = []
      for branch in branches {
        changed.append(
          Branch(
            condition: try branch.condition.rewritten(change),
            result: try branch.result.rewritten(change)))
      }
      copy.node = .conditional(changed, otherwise: try otherwise.rewritten(change))
    case .aggregate(var call):
      call.arguments = try Self.rewritten(call.arguments, change)
      call.filter = try call.filter?.rewritten(change)
      copy.node = .aggregate(call)
    case .window(var call):
      call.arguments = try Self.rewritten(call.arguments, change)
      call.partitionBy = try Self.rewritten(call.partitionBy, change)
      for index in call.orderBy.indices {
        call.orderBy[index].expression = try call.orderBy[index].expression.rewritten(change)
      }
      call.filter = try call.filter?.rewritten(change)
      copy.node = .window(call)
    }
    return copy
  }

  private static func rewritten<Failure: Error>(
    _ list: [TypedExpression],
    _ change: (TypedExpression) throws(Failure) -> TypedExpression?
  ) throws(Failure) -> [TypedExpression] {
    var changed: [TypedExpression] = []
    for item in list { changed.append(try item.rewritten(change)) }
    return changed
  }
}
