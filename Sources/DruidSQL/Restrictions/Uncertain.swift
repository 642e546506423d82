/// What Druid may take, with a result that is not certain here: the words of the refusal, before
/// "is not supported here".
enum Uncertain: String, CaseIterable {
  // MARK: Forms of expressions

  /// A star that is neither an item nor the argument of COUNT.
  case star = "A star here"

  /// `a[1]` of something else than an array
  case item = "An item in brackets"

  /// `(x).a`
  case field = "Access to a field"

  // MARK: Items of FROM

  /// `FROM a, LATERAL (SELECT ...)`
  case lateral = "LATERAL"

  /// `FROM (a JOIN b ON ...) AS c`
  case aliasedJoin = "An alias behind a parenthesised join"

  /// `a JOIN UNNEST(b) USING (c)`
  case unnestUsing = "USING of UNNEST"

  /// UNNEST makes one column of one array here.
  case manyUnnested = "UNNEST of several arrays or WITH ORDINALITY"

  /// The elements have no type.
  case unnestedNulls = "UNNEST of nothing but NULL"

  /// Without a column that both sides have, NATURAL joins on nothing.
  case nothingInCommon = "NATURAL JOIN of nothing in common"

  /// A bare column or NULL, which Druid may read as a truth.
  case joinCondition = "A join condition that is not a comparison"

  /// Which of the two types the merged column has is not certain.
  case joinedTypes = "USING columns of different types"

  // MARK: Clauses

  /// A query that reads its own result.
  case recursive = "WITH RECURSIVE"

  /// With a star, DISTINCT, or names of items beside window functions.
  case qualify = "This QUALIFY"

  /// `(SELECT ...) ORDER BY x`
  case sortBehindParentheses = "ORDER BY or LIMIT behind parentheses"

  /// What orders VALUES is known for VALUES in FROM.
  case sortedValues = "VALUES with ORDER BY or OFFSET"

  /// A row of VALUES that is computed.
  case row = "This row"

  /// A LIMIT or OFFSET other than a number, or less than 0.
  case limit = "This LIMIT or OFFSET"

  /// Druid drops it from some queries and refuses others.
  case constantOrder = "ORDER BY a constant"

  /// A multi-value column, a sketch or JSON.
  case order = "ORDER BY this"

  /// Some of the numbers are converted, depending on the plan.
  case unionTypes = "UNION ALL of different types"

  /// More than six expressions.
  case largeCube = "So large a CUBE"

  /// More than 64.
  case manySets = "So many grouping sets"

  /// Druid applies the LIMIT to the finest groups, before or after HAVING.
  case limitedSets = "GROUPING SETS with HAVING and a LIMIT ordered by keys alone"

  /// A TopN over groups by each of the values.
  case limitAroundValues = "A LIMIT around groups by a multi-value column"

  /// An approximate aggregate of a subquery that a join reads before it is a number.
  case unfinishedAggregate = "An expression of a joined aggregate that Druid has not finished"

  // MARK: Calls

  /// CURRENT_TIMESTAMP with something else than a number of digits.
  case clock = "This CURRENT_TIMESTAMP"

  /// Druid writes a separator with a quote or a backslash in another way into its expression.
  case separator = "This separator"

  /// `OVER (w ORDER BY x)` where the named window has an order or a frame already.
  case refinedWindow = "A window that refines another"

  // MARK: Types

  /// `-INTERVAL ...`
  case signOfInterval = "A sign before this"

  /// A sum that overflows 64 bits of milliseconds.
  case farTime = "A time so far away"

  /// An interval that is computed of rows.
  case extractedInterval = "EXTRACT from this interval"

  /// To anything but a whole number of one unit.
  case castInterval = "CAST of an interval"

  /// A CASE whose conditions or results are multi-value columns: Druid evaluates it for each value.
  case multiValueCase = "A CASE over a multi-value column"

  /// In an expression, Druid converts each of the values.
  case multiValueNumber = "A multi-value column as a number"

  /// Beside another condition Druid compares each of the values.
  case severalNumbers = "A comparison of several numbers"

  /// Calcite negates each of the tests, of which any value may satisfy each.
  case negatedTests = "NOT of several tests of a multi-value column"

  /// Calcite merges them as if there were one value.
  case severalTests = "Several tests of one multi-value column"

  /// Druid compares a FLOAT column with some constants as a float, with others as a double.
  case inexactFloat = "A FLOAT compared with a constant that no float holds"

  /// Druid may have turned the integer into 2 or 2.0 by then.
  case textAsDouble = "A string as DOUBLE compared with a whole number"

  /// Constants beside computed values, rows with NOT, and constants that a filter and an expression
  /// compare in two ways.
  case list = "This IN list"

  /// Its elements have no type.
  case arrayOfNulls = "An ARRAY of nothing but NULL"

  /// With anything but a constant text, of which any of the values may satisfy the comparison.
  case comparedValues = "A multi-value column compared with this"

  /// Of arrays, sketches or multi-value columns.
  case array = "This ARRAY"

  /// An interval of several units, or of a number that is none.
  case interval = "This INTERVAL"

  // MARK: Literals and parameters

  /// A number of more than nine digits.
  case longInterval = "So long an INTERVAL"

  /// A number that is not finite.
  case parameter = "This parameter"

  /// Its elements have no type.
  case emptyParameter = "An empty ARRAY parameter"

  /// To a time, for each of the values.
  case multiValueCast = "A cast of a multi-value column"

  /// A period such as -P1D.
  case negativePeriod = "This period"

  // MARK: Names

  /// In which order the columns come is not certain once several joins merge some of them.
  case starOverJoins = "'*' over joins with USING"

  /// Druid turns a few subqueries that read columns of the enclosing query into joins.
  case correlatedSubquery = "A correlated subquery"
}

extension SQLFailure {
  static func uncertain(_ what: Uncertain, at range: SourceRange?) -> SQLFailure {
    .unknown(what.rawValue, at: range, rule: "\(what)")
  }
}
