extension Parser {
  /// The tokens that can start an expression, in the order of Druid's messages.
  static let expressionStart: [Option] =
    [
      "+", "-", "NOT", "EXISTS", "UNIQUE", "INTERVAL", "<UNSIGNED_INTEGER_LITERAL>",
      "<DECIMAL_NUMERIC_LITERAL>", "DECIMAL", "<APPROX_NUMERIC_LITERAL>", "<BINARY_STRING_LITERAL>",
      "<PREFIXED_STRING_LITERAL>", "<QUOTED_STRING>", "<UNICODE_STRING_LITERAL>",
      "<C_STYLE_ESCAPED_STRING_LITERAL>", "<BIG_QUERY_DOUBLE_QUOTED_STRING>",
      "<BIG_QUERY_QUOTED_STRING>", "TRUE", "FALSE", "UNKNOWN", "NULL", "<LBRACE_D>", "<LBRACE_T>",
      "<LBRACE_TS>", "DATE", "DATETIME", "TIME", "TIMESTAMP", "?", "CAST", "SAFE_CAST", "TRY_CAST",
      "EXTRACT", "POSITION", "CONVERT", "TRANSLATE", "OVERLAY", "FLOOR", "CEIL", "CEILING",
      "SUBSTRING", "TRIM", "CLASSIFIER", "MATCH_NUMBER", "RUNNING", "PREV", "NEXT", "JSON_EXISTS",
      "JSON_VALUE", "JSON_QUERY", "JSON_OBJECT", "JSON_OBJECTAGG", "JSON_ARRAY", "JSON_ARRAYAGG",
      "<LBRACE_FN>", "MULTISET", "ARRAY", "PERIOD", "PERCENTILE_CONT", "PERCENTILE_DISC",
      "SPECIFIC",
    ].map(Option.init) + identifierTokens.map(Option.init)
    + [
      "ABS", "AVG", "CARDINALITY", "CHAR", "CHAR_LENGTH", "CHARACTER_LENGTH", "COALESCE", "COLLECT",
      "COVAR_POP", "COVAR_SAMP", "CUME_DIST", "COUNT", "CURRENT_DATE", "CURRENT_TIME",
      "CURRENT_TIMESTAMP", "DENSE_RANK", "ELEMENT", "EVERY", "EXP", "FIRST_VALUE", "FUSION",
      "INTERSECTION", "GROUPING", "HOUR", "LAG", "LEAD", "LEFT", "LAST_VALUE", "LN", "LOCALTIME",
      "LOCALTIMESTAMP", "LOWER", "MAX", "MIN", "MINUTE", "MOD", "MONTH", "NTH_VALUE", "NTILE",
      "NULLIF", "OCTET_LENGTH", "PERCENT_RANK", "POWER", "RANK", "REGR_COUNT", "REGR_SXX",
      "REGR_SYY", "RIGHT", "ROW_NUMBER", "SECOND", "SOME", "SQRT", "STDDEV_POP", "STDDEV_SAMP",
      "SUM", "UPPER", "TRUNCATE", "USER", "VAR_POP", "VAR_SAMP", "YEAR", "CURRENT_CATALOG",
      "CURRENT_DEFAULT_TRANSFORM_GROUP", "CURRENT_PATH", "CURRENT_ROLE", "CURRENT_SCHEMA",
      "CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "NEW", "CASE", "CURRENT", "CURSOR", "ROW", "(",
    ].map(Option.init)

  /// The tokens that can follow an operand inside an expression.
  private static let operatorOptions = [
    ".", "NOT", "IN", "<", "<=", ">", ">=", "=", "<>", "!=", "BETWEEN", "LIKE", "SIMILAR", "+", "-",
    "*", "/", "%", "||", "AND", "OR", "IS", "MEMBER", "SUBMULTISET", "CONTAINS", "OVERLAPS",
    "EQUALS", "PRECEDES", "SUCCEEDS", "MULTISET", "[",
  ]

  struct Option: Sendable {
    let name: String

    init(_ name: String) { self.name = name }

    /// The word; nil for a class of tokens or a symbol.
    var bare: String? { name.first?.isLetter == true ? name : nil }
  }

  mutating func noteExpression() {
    guard notedIndex >= 0 else { return }
    for option in Self.expressionStart { note(option.name) }
  }

  /// Notes the tokens that can start a statement.
  mutating func noteStatement() {
    guard notedIndex >= 0 else { return }
    let first = [
      "INSERT", "UPSERT", "EXPLAIN", "SET", "RESET", "ALTER", "WITH", "SELECT", "VALUES", "VALUE",
      "TABLE",
    ]
    for word in first { note(word) }
    noteExpression()
    for word in ["DESCRIBE", "DELETE", "UPDATE", "MERGE", "CALL"] { note(word) }
  }

  mutating func noteOperators() {
    guard notedIndex >= 0 else { return }
    for option in Self.operatorOptions { note(option) }
  }
}
