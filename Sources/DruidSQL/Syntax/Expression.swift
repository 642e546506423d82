import JavaValues

/// An SQL expression and its position.
///
/// Equality and hash ignore positions, so that `==` finds a SELECT item among the GROUP BY keys.
struct Expression: Hashable, Sendable {
  var kind: Kind
  @Position var range: SourceRange
  /// The height of the tree. The parser limits it to protect the stack of functions that walk the
  /// tree.
  let depth: Int32

  init(_ kind: Kind, _ range: SourceRange) {
    self.kind = kind
    self.range = range
    var deepest: Int32 = 0
    kind.forEachChild { deepest = max(deepest, $0.depth) }
    self.depth = deepest + 1
  }

  indirect enum Kind: Hashable, Sendable {
    case literal(Literal)
    /// `?`, counted from 0.
    case parameter(index: Int)
    /// A column, a table or a field; the resolver decides which.
    case name(Name)
    /// `*` or `t.*`; the name is the part before the star.
    case star(Name?)
    case prefix(PrefixOperator, Expression)
    case binary(BinaryOperator, Expression, Expression)
    /// AND or OR; `a AND b AND c` is one node with three operands.
    case logical(LogicalOperator, [Expression])
    case test(Test, Expression)
    case between(Expression, low: Expression, high: Expression, isNegated: Bool, isSymmetric: Bool)
    /// LIKE, or SIMILAR TO when `isSimilar`.
    case like(
      Expression, pattern: Expression, escape: Expression?, isNegated: Bool, isSimilar: Bool)
    case inList(Expression, [Expression], isNegated: Bool)
    case inQuery(Expression, Query, isNegated: Bool)
    case exists(Query)
    /// `x > ALL (SELECT ...)`. SOME and ANY mean the same.
    case quantified(Expression, BinaryOperator, Quantifier, QuantifiedSet)
    /// A scalar subquery.
    case subquery(Query)
    /// `CASE x WHEN ...` has an operand, `CASE WHEN ...` has none.
    case conditional(operand: Expression?, [WhenBranch], otherwise: Expression?)
    case cast(Expression, TypeName, CastKind)
    /// EXTRACT(unit FROM x)
    case extract(TimeUnit, Expression)
    /// FLOOR(x TO unit) and CEIL(x TO unit)
    case round(RoundDirection, Expression, TimeUnit)
    /// TRIM([BOTH] [characters] FROM x), or TRIM(x)
    case trim(TrimSide, characters: Expression?, Expression)
    case timestampAdd(TimeUnit, count: Expression, Expression)
    /// TIMESTAMPDIFF(unit, from, to)
    case timestampDiff(TimeUnit, from: Expression, to: Expression)
    /// `INTERVAL x DAY` and `(x) DAY`, where x is not a literal.
    case interval(Expression, IntervalQualifier)
    /// ROW(a, b) and (a, b)
    case row([Expression])
    /// ARRAY[a, b]
    case array([Expression])
    /// ARRAY(SELECT ...), MULTISET(...), CURSOR(...): the word and its query
    case collection(String, Query)
    /// a[1]
    case item(Expression, index: Expression)
    /// Access to a field of an expression that is not a name: `f(x).y`
    case field(Expression, Identifier)
    /// Any other call, including CURRENT_TIMESTAMP and JSON_VALUE.
    case call(FunctionCall)
  }
}

struct WhenBranch: Hashable, Sendable {
  var condition: Expression
  var result: Expression
}

enum CastKind: String, Hashable, Sendable {
  case cast = "CAST"
  case tryCast = "TRY_CAST"
  case safeCast = "SAFE_CAST"
}

enum RoundDirection: String, Hashable, Sendable {
  case floor = "FLOOR"
  case ceil = "CEIL"
}

enum QuantifiedSet: Hashable, Sendable {
  case query(Query)
  case list([Expression])
}
