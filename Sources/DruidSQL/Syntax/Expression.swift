package import JavaValues

/// An expression of SQL and where it stands.
///
/// Two expressions are equal, and hash alike, when they say the same, wherever they stand: so a SELECT item is found among
/// the GROUP BY keys by `==`.
package struct Expression: Hashable, Sendable {
  package var kind: Kind
  package var range: SourceRange
  /// The height of the tree, so that the parser can refuse what would overflow a walker's stack.
  package let depth: Int32

  package init(_ kind: Kind, _ range: SourceRange) {
    self.kind = kind
    self.range = range
    var deepest: Int32 = 0
    kind.forEachChild { deepest = max(deepest, $0.depth) }
    self.depth = deepest + 1
  }

  package static func == (left: Expression, right: Expression) -> Bool { left.kind == right.kind }

  package func hash(into hasher: inout Hasher) { hasher.combine(kind) }

  package indirect enum Kind: Hashable, Sendable {
    case literal(Literal)
    /// `?`, counted from 0.
    case parameter(index: Int)
    /// A column, a table or a field: the resolver decides.
    case name(Name)
    /// `*` or `t.*`; the name is what stands before the star.
    case star(Name?)
    case prefix(PrefixOperator, Expression)
    case binary(BinaryOperator, Expression, Expression)
    /// `a AND b AND c` is one node of three operands, however long the chain.
    case logical(LogicalOperator, [Expression])
    case test(Test, Expression)
    case between(Expression, low: Expression, high: Expression, isNegated: Bool, isSymmetric: Bool)
    /// LIKE, or SIMILAR TO when `isSimilar`.
    case like(
      Expression, pattern: Expression, escape: Expression?, isNegated: Bool, isSimilar: Bool)
    case inList(Expression, [Expression], isNegated: Bool)
    case inQuery(Expression, Query, isNegated: Bool)
    case exists(Query)
    /// `x > ALL (SELECT ...)`; SOME and ANY are the same word.
    case quantified(Expression, BinaryOperator, Quantifier, QuantifiedSet)
    /// A scalar subquery, a `(SELECT ...)` in place of a value.
    case subquery(Query)
    /// `CASE x WHEN ...` has an operand, `CASE WHEN ...` none.
    case conditional(operand: Expression?, [WhenBranch], otherwise: Expression?)
    case cast(Expression, TypeName, CastKind)
    /// EXTRACT(unit FROM x)
    case extract(TimeUnit, Expression)
    /// FLOOR(x TO unit) and CEIL(x TO unit)
    case round(RoundDirection, Expression, TimeUnit)
    /// TRIM([BOTH] [characters] FROM x); TRIM(x) as well
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
    /// Field access on something other than a name: `f(x).y`
    case field(Expression, Identifier)
    /// Every other call, CURRENT_TIMESTAMP and JSON_VALUE among them.
    case call(FunctionCall)
  }
}

package struct WhenBranch: Hashable, Sendable {
  package var condition: Expression
  package var result: Expression

  package init(condition: Expression, result: Expression) {
    self.condition = condition
    self.result = result
  }
}

package enum CastKind: String, Hashable, Sendable {
  case cast = "CAST"
  case tryCast = "TRY_CAST"
  case safeCast = "SAFE_CAST"
}

package enum RoundDirection: String, Hashable, Sendable {
  case floor = "FLOOR"
  case ceil = "CEIL"
}

package enum QuantifiedSet: Hashable, Sendable {
  case query(Query)
  case list([Expression])
}
