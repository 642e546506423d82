/// COALESCE, NVL, GREATEST or LEAST with bound arguments.
struct Choice {
  let name: String
  let arguments: [TypedExpression]
  let range: SourceRange

  fileprivate var types: [SQLType] { arguments.map(\.type) }
}

extension Restrictions {
  /// What COALESCE and NVL may not be of.
  static let choices: [Restriction<Choice>] = [
    Restriction("COALESCE of nothing", druid: "Fails by an index out of bounds.") {
      choice throws(SQLFailure) in
      if choice.arguments.isEmpty {
        throw .uncategorized(
          "Uncategorized calcite error message: [java.lang.IndexOutOfBoundsException: end index "
            + "(-1) must not be negative]")
      }
    },
    Restriction("NVL of anything but two values", druid: "Counts the arguments of Calcite's NVL.") {
      choice throws(SQLFailure) in
      if choice.name != "COALESCE", choice.arguments.count != 2 {
        throw .argumentCount(of: choice.name, 2, at: choice.range)
      }
    },
    Restriction(
      "NVL of types that have nothing in common", druid: "Cannot infer a type, and fails."
    ) { choice throws(SQLFailure) in
      guard choice.name != "COALESCE", SQLType.leastRestrictive(choice.types) == nil else { return }
      let types = choice.types.map(\.signature).joined(separator: ", ")
      throw .uncategorized(
        "Uncategorized calcite error message: [java.lang.IllegalArgumentException: Cannot infer "
          + "return type for \(choice.name); operand types: [\(types)]]")
    },
  ]

  /// What COALESCE may not be of, once its arguments have a common type.
  static let typedChoices: [Restriction<Choice>] = [
    Restriction(
      "COALESCE of several multi-value columns",
      druid: "Evaluates it for each value of one column; of several it is not recorded."
    ) { choice throws(SQLFailure) in
      if choice.arguments.contains(where: \.isMultiple), !Function.coalesce.maps(choice.arguments) {
        throw .operands(of: choice.name, at: choice.range)
      }
    },
    Restriction("COALESCE of arrays of different elements", druid: "Not recorded.") {
      choice throws(SQLFailure) in
      guard let type = SQLType.leastRestrictive(choice.types), type.isArray,
        !choice.arguments.allSatisfy({ $0.type.kind == type.kind || $0.isNullConstant })
      else { return }
      let elements = choice.types.compactMap(\.element)
      if elements.count != choice.arguments.count || !elements.allSatisfy(\.isCharacter) {
        throw .unknown("\(choice.name) of these arrays", at: choice.range)
      }
    },
  ]

  /// The GREATEST and LEAST that Druid's planner fails on.
  static let extremePlans: [Restriction<Choice>] = [
    Restriction("GREATEST or LEAST of an array", druid: "Does not accept the type.") {
      choice throws(SQLFailure) in
      if let array = choice.types.first(where: \.isArray) {
        throw .planning(
          "Function[\(choice.name.lowercased())] does not accept \(array.nativeName) types")
      }
    },
    Restriction(
      "GREATEST or LEAST of NULL",
      druid: "Fails on the type of NULL; of nothing but constants its planner overflows its stack."
    ) { choice throws(SQLFailure) in
      guard choice.types.contains(where: { $0.kind == .null }) else { return }
      var failure = SQLFailure.planning(
        "Cannot coerce field [v0] from type [java.lang.Integer] to type [NULL]")
      if choice.arguments.allSatisfy(\.isConstant) { failure.category = .overflow }
      throw failure
    },
  ]
}
