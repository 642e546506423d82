/// A call written `name(arguments)`, with the clauses that may follow the parentheses.
///
/// SUBSTRING(x FROM a FOR b), POSITION(a IN b) and OVERLAY(...) become calls with plain arguments,
/// as in Calcite.
package struct FunctionCall: Hashable, Sendable {
  /// The name as written. Function names are not case-sensitive.
  package var name: Name
  package var arguments: [Argument]
  /// `COUNT(DISTINCT x)` is true, `COUNT(ALL x)` false.
  package var isDistinct: Bool?
  /// ORDER BY inside the parentheses: `ARRAY_AGG(x ORDER BY y)`.
  package var orderBy: [OrderItem]
  package var withinGroup: [OrderItem]
  package var filter: Expression?
  package var nulls: NullTreatment?
  /// Where IGNORE or RESPECT stands.
  package var nullsPosition: Position
  package var over: WindowReference?
  /// False for CURRENT_TIMESTAMP and similar words.
  package var hasParentheses: Bool
  /// The clauses inside JSON_VALUE, JSON_QUERY and similar functions.
  package var json: JSONClauses?
  /// The range from the name to the closing parenthesis. The expression's own range is that of
  /// FILTER (...) or OVER ..., if present, because Calcite reports those.
  package var position: Position

  package init(
    name: Name, arguments: [Argument] = [], hasParentheses: Bool = true,
    range: SourceRange = .none
  ) {
    self.name = name
    self.arguments = arguments
    self.isDistinct = nil
    self.orderBy = []
    self.withinGroup = []
    self.filter = nil
    self.nulls = nil
    self.nullsPosition = Position(.none)
    self.over = nil
    self.hasParentheses = hasParentheses
    self.json = nil
    self.position = Position(range)
  }

  /// The name in capitals, for looking up the function.
  package var function: String { name.text.uppercased() }

  /// The name by which Calcite's parser calls the function: as written, but for a few.
  package var innerName: String { function == "TRANSLATE" ? "TRANSLATE3" : name.text }

  /// The types of the arguments that Calcite's parser puts before and behind those that are written.
  package var innerTypes: (before: [String], behind: [String]) {
    switch function {
    case "JSON_ARRAY": (["SYMBOL"], [])
    case "FIRST", "LAST": ([], arguments.count == 1 ? ["NUMERIC"] : [])
    default: ([], [])
    }
  }

  package enum Argument: Hashable, Sendable {
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

  package enum NullTreatment: String, Hashable, Sendable {
    case ignore = "IGNORE NULLS"
    case respect = "RESPECT NULLS"
  }
}

/// A position that equality ignores.
package struct Position: Hashable, Sendable {
  package var range: SourceRange

  package init(_ range: SourceRange) { self.range = range }

  package static func == (left: Position, right: Position) -> Bool { true }

  package func hash(into hasher: inout Hasher) {}
}

/// The clauses of SQL/JSON: RETURNING, wrappers, ON EMPTY, ON ERROR, key-value pairs.
package struct JSONClauses: Hashable, Sendable {
  package enum Behaviour: Hashable, Sendable {
    case error
    case null
    case emptyArray
    case emptyObject
    case defaultValue(Expression)
    case boolean(String)
  }

  package var returning: TypeName?
  package var onEmpty: Behaviour?
  package var onError: Behaviour?
  /// `WITH WRAPPER` and its variants, as text.
  package var wrapper: String?
  /// Whether it is JSON_OBJECT(KEY a VALUE b, ...); the arguments are then a, b, ...
  package var hasPairs: Bool
  /// `NULL ON NULL` is false, `ABSENT ON NULL` true.
  package var absentOnNull: Bool?

  package init() {
    self.returning = nil
    self.onEmpty = nil
    self.onError = nil
    self.wrapper = nil
    self.hasPairs = false
    self.absentOnNull = nil
  }
}

/// A window name or specification after OVER.
package enum WindowReference: Hashable, Sendable {
  case name(Identifier)
  case specification(WindowSpecification)
}

/// `([base] PARTITION BY ... ORDER BY ... frame)`
package struct WindowSpecification: Hashable, Sendable {
  package var base: Identifier?
  package var partitionBy: [Expression]
  package var orderBy: [OrderItem]
  package var frame: WindowFrame?
  package var allowsPartial: Bool?
  package var range: SourceRange

  package init(
    base: Identifier?, partitionBy: [Expression], orderBy: [OrderItem], frame: WindowFrame?,
    allowsPartial: Bool?, range: SourceRange
  ) {
    self.base = base
    self.partitionBy = partitionBy
    self.orderBy = orderBy
    self.frame = frame
    self.allowsPartial = allowsPartial
    self.range = range
  }

  package static func == (left: WindowSpecification, right: WindowSpecification) -> Bool {
    left.base == right.base && left.partitionBy == right.partitionBy
      && left.orderBy == right.orderBy && left.frame == right.frame
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(base)
    hasher.combine(partitionBy)
    hasher.combine(orderBy)
    hasher.combine(frame)
  }
}

/// ROWS or RANGE with its bounds. `ROWS x` has no second bound and usually ends at the current row.
package struct WindowFrame: Hashable, Sendable {
  package enum Unit: String, Hashable, Sendable {
    case rows = "ROWS"
    case range = "RANGE"
  }

  package indirect enum Bound: Hashable, Sendable {
    case unboundedPreceding
    case preceding(Expression)
    case currentRow
    case following(Expression)
    case unboundedFollowing
  }

  package var unit: Unit
  package var start: Bound
  package var end: Bound?
  /// Where its bounds stand.
  package var startPosition: Position
  package var endPosition: Position
  package var range: SourceRange

  package init(
    unit: Unit, start: Bound, end: Bound?, startPosition: Position = Position(.none),
    endPosition: Position = Position(.none), range: SourceRange
  ) {
    self.unit = unit
    self.start = start
    self.end = end
    self.startPosition = startPosition
    self.endPosition = endPosition
    self.range = range
  }

  package static func == (left: WindowFrame, right: WindowFrame) -> Bool {
    left.unit == right.unit && left.start == right.start && left.end == right.end
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(unit)
    hasher.combine(start)
    hasher.combine(end)
  }
}
