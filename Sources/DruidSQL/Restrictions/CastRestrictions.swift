/// A cast whose operand and type are bound.
struct Conversion {
  let operand: TypedExpression
  let target: SQLType
  let range: SourceRange

  var source: SQLType { operand.type }
}

extension Restrictions {
  /// What a type in CAST may not be.
  static let types: [Restriction<TypeName>] = [
    Restriction("type that is none of SQL's", druid: "Takes the name for an identifier.") {
      name throws(SQLFailure) in
      if !name.isBuiltIn { throw .unknownIdentifier(name.name, at: name.range) }
    },
    Restriction("type with a time zone, or of an interval", druid: "Not recorded.") {
      name throws(SQLFailure) in
      if name.timeZone != nil || name.interval != nil { throw .type(at: name.range) }
    },
    Restriction("DECIMAL of more than 19 digits", druid: "Not recorded.") {
      name throws(SQLFailure) in
      if ["DECIMAL", "NUMERIC"].contains(name.name), name.precision ?? 19 > 19 {
        throw .type(at: name.range)
      }
    },
    Restriction("MULTISET type", druid: "Not recorded.") { name throws(SQLFailure) in
      if name.collections.contains(where: { $0 != "ARRAY" }) { throw .type(at: name.range) }
    },
  ]

  /// The types that Druid's planner fails on.
  static let typePlans: [Restriction<TypeName>] = [
    Restriction("TIME or BINARY type", druid: "Fails: Unhandled Query Planning Failure.") {
      name throws(SQLFailure) in
      if ["TIME", "VARBINARY", "BINARY"].contains(name.name) { throw .unhandled }
    },
    Restriction("ANY type", druid: "Fails on the first value, which it cannot convert to it.") {
      name throws(SQLFailure) in
      if name.name == "ANY" {
        throw .planning("Cannot coerce field [v0] from type [java.lang.Long] to type [ANY]")
      }
    },
  ]

  /// What Calcite's CAST does not know.
  static let casts: [Restriction<Conversion>] = [
    Restriction(
      "cast between types that have nothing in common",
      druid: "Refuses truths as numbers or times, reals as dates, arrays and sketches as others."
    ) { cast throws(SQLFailure) in
      let (source, target) = (cast.source, cast.target)
      let isRefused =
        source.kind == .boolean && (target.isNumeric || target.isTime)
        || source.isReal && target.kind == .date
        || source.kind != .null && source.isArray != target.isArray
        || source.isComplex && !target.isComplex
      guard isRefused else { return }
      let name = source.isComplex ? source.nativeName : source.signature
      throw SQLFailure(
        "Cast function cannot convert value of type \(name) to type \(target.signature)",
        at: cast.range)
    }
  ]

  /// The casts that Druid's planner fails on.
  static let castPlans: [Restriction<Conversion>] = [
    Restriction(
      "cast of a multi-value column", druid: "Makes a list of it, which does not have the type."
    ) { cast throws(SQLFailure) in
      if cast.operand.isMultiple, !(cast.source.isCharacter && cast.target.kind == .varchar) {
        throw .listForValue(cast.target)
      }
    }
  ]

  /// The casts that Druid may take, with a result that is not certain.
  static let unknownCasts: [Restriction<Conversion>] = [
    Restriction("cast between other types", druid: "Not recorded.") { cast throws(SQLFailure) in
      let (source, target) = (cast.source, cast.target)
      let isKnown: Bool =
        switch (source.kind, target.kind) {
        case (.array, .array), (.boolean, .varchar), (.boolean, .char): true
        case (_, .varchar), (_, .char), (_, .bigint):
          source.isCharacter || source.isNumeric || source.isTime
        case (_, .timestamp) where source.isNumeric || source.kind == .date: true
        case (_, .date) where source.kind == .timestamp: true
        default:
          (target.isNumeric || target.kind == .boolean)
            && (source.isCharacter || source.isNumeric)
        }
      if !isKnown {
        throw .unknown("CAST of \(source.sqlName) as \(target.sqlName)", at: cast.range)
      }
    }
  ]
}

extension SQLFailure {
  fileprivate static func type(at range: SourceRange) -> SQLFailure {
    .unknown("This type", at: range)
  }
}
