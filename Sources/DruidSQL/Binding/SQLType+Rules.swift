/// How Calcite combines types in Druid.
extension SQLType {
  var isCharacter: Bool {
    switch kind {
    case .char, .varchar: true
    default: false
    }
  }

  var isNumeric: Bool { isExact || isApproximate }

  var isExact: Bool {
    switch kind {
    case .smallint, .tinyint, .integer, .bigint, .decimal: true
    default: false
    }
  }

  var isIntegral: Bool {
    switch kind {
    case .smallint, .tinyint, .integer, .bigint: true
    default: false
    }
  }

  var isApproximate: Bool { kind == .float || kind == .real || kind == .double }

  /// Whether Druid computes with it as a double.
  var isReal: Bool {
    switch kind {
    case .float, .real, .double, .decimal: true
    default: false
    }
  }

  var isTime: Bool { kind == .timestamp || kind == .date }

  var isInterval: Bool { kind == .dayInterval || kind == .monthInterval }

  var isArray: Bool { element != nil }

  /// Whether both are arrays of strings, or both arrays of integers, so that equal arrays have
  /// equal text.
  func holdsLike(_ other: SQLType) -> Bool {
    guard let one = element, let two = other.element else { return false }
    return one.isCharacter && two.isCharacter || one.isIntegral && two.isIntegral
  }

  var element: SQLType? {
    if case .array(let element) = kind { return element }
    return nil
  }

  package var isComplex: Bool {
    if case .complex = kind { return true }
    return false
  }

  /// The type's family as Calcite names it in `No match found for function signature F(<NUMERIC>)`.
  var family: String {
    switch kind {
    case .boolean: "BOOLEAN"
    case .smallint, .tinyint, .integer, .bigint, .float, .real, .double, .decimal: "NUMERIC"
    case .char, .varchar: "CHARACTER"
    case .timestamp: "TIMESTAMP"
    case .date: "DATE"
    case .dayInterval: "INTERVAL_DAY_TIME"
    case .monthInterval: "INTERVAL_YEAR_MONTH"
    case .array(let element): "\(element.signature) ARRAY"
    case .complex: nativeName
    case .null: "NULL"
    }
  }

  /// The type as `Cannot apply 'F' to arguments of type 'F(<CHAR(3)>)'` shows it.
  var signature: String {
    switch kind {
    case .decimal(let precision, let scale): "DECIMAL(\(precision), \(scale))"
    case .char(let length): "CHAR(\(length))"
    case .timestamp: "TIMESTAMP(3)"
    case .dayInterval: "INTERVAL DAY"
    case .monthInterval: "INTERVAL MONTH"
    case .array(let element): "\(element.signature) ARRAY"
    case .complex: nativeName.uppercased()
    default: sqlName
    }
  }

  func nullable(_ flag: Bool) -> SQLType {
    var copy = self
    copy.isNullable = flag
    return copy
  }

  /// The common type of several values, as in CASE, COALESCE and UNION; nil when there is none.
  static func leastRestrictive(_ types: [SQLType]) -> SQLType? {
    guard var result = types.first else { return nil }
    if types.count > 1, types.allSatisfy({ $0.kind == types[0].kind }) {
      return result.nullable(types.contains(where: \.isNullable))
    }
    result = result.widenedInteger
    for type in types.dropFirst().map(\.widenedInteger) {
      guard let next = result.combined(with: type) else { return nil }
      result = next
    }
    return result.nullable(types.contains { $0.isNullable || $0.kind == .null })
  }

  /// SMALLINT and TINYINT as the INTEGER that they are among others.
  private var widenedInteger: SQLType {
    switch kind {
    case .smallint, .tinyint: SQLType(.integer, isNullable: isNullable)
    default: self
    }
  }

  private func combined(with other: SQLType) -> SQLType? {
    if kind == .real || other.kind == .real {
      if kind == other.kind || other.isExact { return self }
      return isExact ? other : SQLType(kind == .real ? other.kind : kind)
    }
    switch (kind, other.kind) {
    case (let one, let two) where one == two: return self
    case (.null, _): return other
    case (_, .null): return self
    case (.char, .char), (.char, .varchar), (.varchar, .char): return .varchar
    case (.integer, .bigint), (.bigint, .integer): return .bigint
    case (.decimal(let p1, let s1), .decimal(let p2, let s2)):
      let scale = max(s1, s2)
      return SQLType(.decimal(precision: min(19, max(p1 - s1, p2 - s2) + scale), scale: scale))
    case (.decimal, .integer), (.decimal, .bigint): return self
    case (.integer, .decimal), (.bigint, .decimal): return other
    case (.decimal, .float), (.float, .decimal), (.decimal, .double), (.double, .decimal):
      return .double
    // Calcite gives both fifteen digits and prefers neither.
    case (.float, .double), (.double, .float): return self
    case (.float, .integer), (.float, .bigint), (.double, .integer), (.double, .bigint): return self
    case (.integer, .float), (.bigint, .float), (.integer, .double), (.bigint, .double):
      return other
    case (.array(let one), .array(let two)):
      return one.combined(with: two).map { SQLType(.array($0)) }
    default: return nil
    }
  }

  /// The type of an arithmetic operation; nil when Calcite's answer is not known.
  static func arithmetic(_ op: Operator, _ left: SQLType, _ right: SQLType) -> SQLType? {
    let nullable = left.isNullable || right.isNullable
    if left.kind == .null && right.kind == .null { return .null }
    let left = (left.kind == .null ? right : left).widenedInteger
    let right = (right.kind == .null ? left : right).widenedInteger
    switch (left.kind, right.kind) {
    case (.decimal, _) where right.isExact, (_, .decimal) where left.isExact:
      return decimal(op, left, right).nullable(nullable)
    default: return left.combined(with: right)?.nullable(nullable)
    }
  }

  private static func decimal(_ op: Operator, _ left: SQLType, _ right: SQLType) -> SQLType {
    let (p1, s1) = left.digits
    let (p2, s2) = right.digits
    let scale: Int
    let precision: Int
    switch op {
    case .multiply:
      scale = s1 + s2
      precision = p1 + p2
    case .divide:
      scale = max(6, s1 + p2 + 1)
      precision = p1 - s1 + s2 + scale
    default:
      scale = max(s1, s2)
      precision = max(p1 - s1, p2 - s2) + scale + 1
    }
    return SQLType(.decimal(precision: min(precision, 19), scale: min(scale, 19)))
  }

  private var digits: (precision: Int, scale: Int) {
    switch kind {
    case .decimal(let precision, let scale): (precision, scale)
    case .integer: (10, 0)
    default: (19, 0)
    }
  }
}

extension SQLType {
  /// Whether one of the two is a BOOLEAN and the other one a number.
  func isTruthBeside(_ other: SQLType) -> Bool {
    kind == .boolean && other.isNumeric || isNumeric && other.kind == .boolean
  }
}
