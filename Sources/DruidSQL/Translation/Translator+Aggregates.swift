extension Translator {
  func aggregate(_ call: AggregateCall) throws(SQLFailure) -> String {
    let filter = try call.filter.map { (item) throws(SQLFailure) in
      " FILTER (WHERE \(try text(item)))"
    }
    return try function(call) + (filter ?? "")
  }

  private func function(_ call: AggregateCall) throws(SQLFailure) -> String {
    guard let first = call.arguments.first else { return "COUNT(*)" }
    let argument = try definite(first)
    switch call.function {
    case "COUNT" where call.isDistinct && approximatesCountDistinct,
      "APPROX_COUNT_DISTINCT", "APPROX_COUNT_DISTINCT_BUILTIN":
      return "druid_approx_count_distinct(\(argument), \(first.type.kind == .float ? 1 : 0))"
    case "COUNT": return "COUNT(\(call.isDistinct ? "DISTINCT " : "")\(try text(first)))"
    case "APPROX_COUNT_DISTINCT_DS_HLL", "APPROX_COUNT_DISTINCT_DS_THETA":
      // A sketch passes empty texts over as it does NULL.
      if first.isMultiple { return "druid_count_distinct(\(argument))" }
      return "COUNT(DISTINCT \(first.type.isCharacter ? "NULLIF(\(argument), '')" : argument))"
    case "SUM": return first.type.isIntegral ? "druid_sum_long(\(argument))" : "SUM(\(argument))"
    case "AVG", "MIN", "MAX": return "\(call.function)(\(argument))"
    case "APPROX_QUANTILE_DS":
      return "druid_quantile(\(argument), \(try text(call.arguments[1])))"
    case "EARLIEST", "LATEST", "ANY_VALUE":
      let rest = try texts(Array(call.arguments.dropFirst())).joined(separator: ", ")
      return "druid_\(call.function.lowercased())(\(argument), \(rest))"
    case "ARRAY_AGG", "ARRAY_CONCAT_AGG", "STRING_AGG":
      let rest = try texts(Array(call.arguments.dropFirst())).joined(separator: ", ")
      let isNested = call.function == "ARRAY_AGG" && first.type.isArray
      let mode = (call.isDistinct ? 1 : 0) + (isNested ? 2 : 0)
      return "druid_\(call.function.lowercased())(\(argument), \(rest), \(mode))"
    // Druid starts from 0, with which no bit survives.
    case "BIT_AND": return "MIN(\(argument) & 0)"
    case "BIT_OR", "BIT_XOR":
      return "druid_\(call.function.lowercased())(\(argument))"
    default: throw .unknown(call.function, at: first.range)
    }
  }

  func window(_ call: WindowCall) throws(SQLFailure) -> String {
    var arguments: [String] = []
    for argument in call.arguments { arguments.append(try definite(argument)) }
    var name = call.function
    if name == "SUM", call.arguments.first?.type.isIntegral == true { name = "druid_sum_long" }
    if name == "COUNT", arguments.isEmpty { arguments = ["*"] }
    var parts: [String] = []
    if !call.partitionBy.isEmpty {
      var keys: [String] = []
      for key in call.partitionBy { keys.append(try text(key)) }
      parts.append("PARTITION BY " + keys.joined(separator: ", "))
    }
    if !call.orderBy.isEmpty {
      var keys: [String] = []
      for key in call.orderBy {
        keys.append(try text(key.expression) + (key.isDescending ? " DESC" : ""))
      }
      parts.append("ORDER BY " + keys.joined(separator: ", "))
    }
    if let frame = call.frame { parts.append(frame) }
    return
      "\(name)(\(arguments.joined(separator: ", "))) OVER (\(parts.joined(separator: " ")))"
  }

  /// The value, or an error at run time when it is NaN.
  private func definite(_ expression: TypedExpression) throws(SQLFailure) -> String {
    let text = try self.text(expression)
    return expression.isWild ? "druid_definite(\(text))" : text
  }
}
