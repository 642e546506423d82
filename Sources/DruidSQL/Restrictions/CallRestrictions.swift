/// A call of an aggregate or a window function, and where it stands.
struct PlacedCall {
  let call: FunctionCall
  /// Nil for a name that no function has.
  let function: Function?
  let place: Place
  /// The whole expression: with FILTER or OVER.
  let range: SourceRange

  /// From the name to the closing parenthesis.
  var name: SourceRange { call.range }
}

/// An aggregate whose arguments are bound.
struct BoundAggregate {
  let name: String
  let function: Function
  let arguments: [TypedExpression]
  let call: PlacedCall
  let settings: PlanSettings
  /// Whether it is the aggregate of a CASE that tests a multi-value column as Druid does.
  var isOfCase = false

  var isDistinct: Bool { call.call.isDistinct == true }
}

extension Restrictions {
  /// Where an aggregate may not stand.
  static let aggregatePlaces: [Restriction<PlacedCall>] = [
    Restriction(
      "aggregate in a clause that takes none", druid: "Refuses it in WHERE, GROUP BY, ON and FROM."
    ) { placed throws(SQLFailure) in
      guard let clause = placed.place.clause else { return }
      throw SQLFailure("Aggregate expression is illegal in \(clause) clause", at: placed.range)
    },
    Restriction(
      "aggregate inside an aggregate", druid: "Refuses it, at the outer one."
    ) { placed throws(SQLFailure) in
      if let outer = placed.place.aggregate { throw .nestedAggregate(at: outer) }
    },
    Restriction(
      "IGNORE NULLS or RESPECT NULLS of an aggregate", druid: "Has no such functions."
    ) { placed throws(SQLFailure) in try placed.refuseNulls() },
    aliases("alias inside an aggregate"),
  ]

  /// What an aggregate may not be, whichever it is.
  static let aggregates: [Restriction<BoundAggregate>] = [
    Restriction(
      "test of a multi-value column in an aggregate",
      druid: "Evaluates it for each of the values and makes a multi-value of the results."
    ) { bound throws(SQLFailure) in
      if bound.isOfCase { return }
      for argument in bound.arguments { try argument.refuseTests() }
    },
    Restriction(
      "CASE in an aggregate that compares a string as a number",
      druid: "Turns the CASE into a filter, which compares strings and floats in another way."
    ) { bound throws(SQLFailure) in
      for argument in bound.arguments { try filters.check(argument) }
    },
    Restriction(
      "EARLIEST or LATEST of nothing", druid: "Counts the arguments when it plans."
    ) { bound throws(SQLFailure) in
      if bound.arguments.isEmpty, bound.function == .earliest || bound.function == .latest {
        throw .planning("Function [\(bound.name)] expects 1 or 2 or 3 arguments but found [0]")
      }
    },
    Restriction(
      "number of arguments of an aggregate",
      druid: "Refuses the call, and names the fewest arguments."
    ) { bound throws(SQLFailure) in
      let signature = bound.function.signature
      if bound.arguments.isEmpty
        || bound.function != .count && !signature.accepts(count: bound.arguments.count)
      {
        throw .argumentCount(of: bound.name, max(1, signature.required), at: bound.call.name)
      }
    },
    Restriction(
      "SUM or AVG of different values other than numbers", druid: "Refuses the type."
    ) { bound throws(SQLFailure) in
      let type = bound.arguments[0].type
      if bound.isDistinct, ["SUM", "AVG"].contains(bound.function.name), !type.isNumeric,
        !type.isCharacter, type.kind != .null
      {
        throw .cannotApply(bound.name, [type], at: bound.call.range)
      }
    },
    Restriction(
      "DISTINCT where distinct counts are approximate",
      druid: "Has a few aggregates of its own for different values, and refuses the others."
    ) { bound throws(SQLFailure) in
      guard bound.isDistinct, bound.settings.approximatesCountDistinct else { return }
      // HAVING comes after what Druid has of its own for distinct texts.
      let isHaving = !bound.call.place.allowsWindows
      if !bound.function.takesDistinct || isHaving && bound.function == .stringAggregate
        || !bound.call.call.orderBy.isEmpty
      {
        throw SQLFailure(
          "Aggregation [\(bound.function.name)] with DISTINCT is not supported when "
            + "useApproximateCountDistinct is enabled. Run with disabling it.",
          at: bound.call.range)
      }
    },
  ]

  /// What a call of a scalar function may not be, once its arguments are cast.
  static let calls: [Restriction<Function.Call>] = [
    Restriction(
      "function of a multi-value column",
      druid: "Evaluates some functions for each value, and others for the list."
    ) { call throws(SQLFailure) in
      if !call.function.traits.contains(.readsValues),
        call.arguments.contains(where: \.isMultiple), !call.function.maps(call.arguments)
      {
        throw .unknown("\(call.name) of a multi-value column", at: call.range)
      }
    },
    Restriction(
      "function of an ARRAY of nothing but NULL", druid: "Has no type for its elements."
    ) { call throws(SQLFailure) in
      if call.function == .mvContains || call.function == .mvOverlap { return }
      if let empty = call.arguments.first(where: { $0.type.element?.kind == .null }) {
        throw .unknown("An ARRAY of nothing but NULL", at: empty.range)
      }
    },
  ]

  /// In ORDER BY, Calcite replaces an alias even inside an aggregate.
  static func aliases(_ name: String) -> Restriction<PlacedCall> {
    Restriction(
      name, druid: "Puts the item in place of the alias, which nests two aggregates."
    ) { placed throws(SQLFailure) in
      guard placed.place.prefersAliases else { return }
      for (alias, expression) in placed.place.aliases where !expression.isColumn {
        var found = false
        placed.call.forEachChild { found = found || $0.mentions(alias) }
        if !found { continue }
        if expression.hasAggregate { throw .nestedAggregate(at: placed.range) }
        throw .unknown("An alias inside \(placed.call.function)", at: placed.range)
      }
    }
  }
}

extension SQLFailure {
  static func nestedAggregate(at range: SourceRange) -> SQLFailure {
    SQLFailure("Aggregate expressions cannot be nested", at: range)
  }
}

extension PlacedCall {
  /// IGNORE NULLS and RESPECT NULLS are functions that Druid does not have.
  func refuseNulls() throws(SQLFailure) {
    guard let nulls = call.nulls else { return }
    throw .noFunction(nulls.rawValue, at: call.nullsRange)
  }
}

extension Function {
  /// The aggregates that Druid computes of different values without being told to be exact.
  fileprivate var takesDistinct: Bool {
    let names = [
      "COUNT", "STRING_AGG", "ARRAY_AGG", "ARRAY_CONCAT_AGG", "EARLIEST", "LATEST", "EARLIEST_BY",
      "LATEST_BY", "APPROX_COUNT_DISTINCT",
    ]
    return names.contains(name)
  }
}
