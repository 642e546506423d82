/// Operators with two operands. The raw value is Calcite's spelling.
enum BinaryOperator: String, Hashable, Sendable {
  case plus = "+"
  case minus = "-"
  case times = "*"
  case divide = "/"
  case concat = "||"
  case equal = "="
  case notEqual = "<>"
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case isDistinctFrom = "IS DISTINCT FROM"
  case isNotDistinctFrom = "IS NOT DISTINCT FROM"
  case contains = "CONTAINS"
  case overlaps = "OVERLAPS"
  case equals = "EQUALS"
  case precedes = "PRECEDES"
  case succeeds = "SUCCEEDS"
  case immediatelyPrecedes = "IMMEDIATELY PRECEDES"
  case immediatelySucceeds = "IMMEDIATELY SUCCEEDS"
  case memberOf = "MEMBER OF"
  case submultisetOf = "SUBMULTISET OF"
  case multisetUnion = "MULTISET UNION"
  case multisetIntersect = "MULTISET INTERSECT"
  case multisetExcept = "MULTISET EXCEPT"

  var isComparison: Bool {
    switch self {
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: true
    default: false
    }
  }
}

enum LogicalOperator: String, Hashable, Sendable {
  case and = "AND"
  case or = "OR"
}

enum PrefixOperator: String, Hashable, Sendable {
  case not = "NOT"
  case minus = "-"
  case plus = "+"
}

/// Tests that follow their operand: `x IS NOT NULL`.
enum Test: String, Hashable, Sendable {
  case isNull = "IS NULL"
  case isNotNull = "IS NOT NULL"
  case isTrue = "IS TRUE"
  case isNotTrue = "IS NOT TRUE"
  case isFalse = "IS FALSE"
  case isNotFalse = "IS NOT FALSE"
  case isUnknown = "IS UNKNOWN"
  case isNotUnknown = "IS NOT UNKNOWN"
  case isASet = "IS A SET"
  case isNotASet = "IS NOT A SET"
  case isEmpty = "IS EMPTY"
  case isNotEmpty = "IS NOT EMPTY"
  case isJSON = "IS JSON VALUE"
  case isNotJSON = "IS NOT JSON VALUE"
  case isJSONObject = "IS JSON OBJECT"
  case isNotJSONObject = "IS NOT JSON OBJECT"
  case isJSONArray = "IS JSON ARRAY"
  case isNotJSONArray = "IS NOT JSON ARRAY"
  case isJSONScalar = "IS JSON SCALAR"
  case isNotJSONScalar = "IS NOT JSON SCALAR"
}

enum Quantifier: String, Hashable, Sendable {
  case some = "SOME"
  case all = "ALL"
}

enum TrimSide: String, Hashable, Sendable {
  case both = "BOTH"
  case leading = "LEADING"
  case trailing = "TRAILING"
}
