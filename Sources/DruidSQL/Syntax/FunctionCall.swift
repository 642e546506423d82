/// A call written `name(arguments)`, with the clauses that may follow the parentheses.
///
/// SUBSTRING(x FROM a FOR b), POSITION(a IN b) and OVERLAY(...) become calls with plain arguments,
/// as in Calcite.
struct FunctionCall: Hashable, Sendable {
  /// The name as written. Function names are not case-sensitive.
  var name: Name
  var arguments: [Argument] = []
  /// `COUNT(DISTINCT x)` is true, `COUNT(ALL x)` false.
  var isDistinct: Bool?
  /// DISTINCT or ALL.
  @Position var quantifierRange: SourceRange = .none
  /// ORDER BY inside the parentheses: `ARRAY_AGG(x ORDER BY y)`.
  var orderBy: [OrderItem] = []
  var withinGroup: [OrderItem] = []
  var filter: Expression?
  var nulls: NullTreatment?
  /// Where IGNORE or RESPECT stands.
  @Position var nullsRange: SourceRange = .none
  var over: WindowReference?
  /// False for CURRENT_TIMESTAMP and similar words.
  var hasParentheses = true
  /// The clauses inside JSON_VALUE, JSON_QUERY and similar functions.
  var json: JSONClauses?
  /// The range from the name to the closing parenthesis. The expression's own range is that of
  /// FILTER (...) or OVER ..., if present, because Calcite reports those.
  @Position var range: SourceRange = .none

  /// The name in capitals, for looking up the function.
  var function: String { name.text.uppercased() }

  /// The name by which Calcite's parser calls the function: as written, but for a few.
  var innerName: String { function == "TRANSLATE" ? "TRANSLATE3" : name.text }

  /// The types of the arguments that Calcite's parser puts before and behind those that are written.
  var innerTypes: (before: [String], behind: [String]) {
    switch function {
    case "JSON_ARRAY": (["SYMBOL"], [])
    case "FIRST", "LAST": ([], arguments.count == 1 ? ["NUMERIC"] : [])
    default: ([], [])
    }
  }

  enum Argument: Hashable, Sendable {
    case expression(Expression)
    /// The star of COUNT(*), with its position.
    case star(Position)
    /// `name => value`
    case named(Identifier, Expression)
    case query(Query)
    /// TABLE(name) or TABLE name: the input of a table function
    case table(Name)
    /// DEFAULT in place of a value
    case defaultValue(Position)
  }

  enum NullTreatment: String, Hashable, Sendable {
    case ignore = "IGNORE NULLS"
    case respect = "RESPECT NULLS"
  }
}

/// The clauses of SQL/JSON: RETURNING, wrappers, ON EMPTY, ON ERROR, key-value pairs.
struct JSONClauses: Hashable, Sendable {
  enum Behaviour: Hashable, Sendable {
    case error
    case null
    case emptyArray
    case emptyObject
    case defaultValue(Expression)
    case boolean(String)
  }

  var returning: TypeName?
  var onEmpty: Behaviour?
  var onError: Behaviour?
  /// `WITH WRAPPER` and its variants, as text.
  var wrapper: String?
  /// Whether it is JSON_OBJECT(KEY a VALUE b, ...); the arguments are then a, b, ...
  var hasPairs = false
  /// `NULL ON NULL` is false, `ABSENT ON NULL` true.
  var absentOnNull: Bool?
}

/// A window name or specification after OVER.
enum WindowReference: Hashable, Sendable {
  case name(Identifier)
  case specification(WindowSpecification)
}

/// `([base] PARTITION BY ... ORDER BY ... frame)`
struct WindowSpecification: Hashable, Sendable {
  var base: Identifier?
  var partitionBy: [Expression]
  var orderBy: [OrderItem]
  var frame: WindowFrame?
  var allowsPartial: Bool?
  @Position var range: SourceRange
}

/// ROWS or RANGE with its bounds. `ROWS x` has no second bound and usually ends at the current row.
struct WindowFrame: Hashable, Sendable {
  enum Unit: String, Hashable, Sendable {
    case rows = "ROWS"
    case range = "RANGE"
  }

  indirect enum Bound: Hashable, Sendable {
    case unboundedPreceding
    case preceding(Expression)
    case currentRow
    case following(Expression)
    case unboundedFollowing
  }

  var unit: Unit
  var start: Bound
  var end: Bound?
  /// Where its bounds stand.
  @Position var startRange: SourceRange = .none
  @Position var endRange: SourceRange = .none
  @Position var range: SourceRange
}
