extension Translator {
  func aggregate(_ call: AggregateCall) throws(SQLFailure) -> String {
    let filter = try call.filter.map { (item) throws(SQLFailure) in
      " FILTER (WHERE \(try text(item)))"
    }
    return completed(try function(call) + (filter ?? ""), call.function, call.arguments)
  }

  /// An aggregate with its FILTER or OVER, where of no rows it is 0 rather than NULL.
  private func completed(
    _ text: String, _ function: Function, _ arguments: [TypedExpression]
  ) -> String {
    guard function.name == "$SUM0" else { return text }
    return "COALESCE(\(text), \(arguments.first?.type.isIntegral == true ? "0" : "0.0"))"
  }

  private func function(_ call: AggregateCall) throws(SQLFailure) -> String {
    guard let first = call.arguments.first else { return "COUNT(*)" }
    guard let spell = call.function.aggregateSpelling else {
      throw .function(call.function.name, at: first.range)
    }
    // A plain COUNT counts NaN like any other value.
    let isExtreme = ["MIN", "MAX"].contains(call.function.name)
    let isWild = first.isWild && (isExtreme || ["SUM", "AVG"].contains(call.function.name))
    // SQLite's MIN and MAX do not order -0.0 and 0.0.
    if !call.isDistinct, isWild || isExtreme && first.type.isReal && !first.isColumn {
      return "druid_wild_\(call.function.name.lowercased())(\(try text(first)))"
    }
    return try spell(
      Function.SpeltAggregate(
        call: call, argument: try text(first),
        others: try texts(Array(call.arguments.dropFirst())),
        approximatesCountDistinct: approximatesCountDistinct))
  }

  func window(_ call: WindowCall) throws(SQLFailure) -> String {
    var arguments = try texts(call.arguments)
    var name = call.function.name
    if call.arguments.first?.isWild == true, ["SUM", "AVG", "MIN", "MAX"].contains(name) {
      name = "druid_wild_\(name.lowercased())"
    }
    if call.isSpelt {
      let aggregate = AggregateCall(
        function: call.function, arguments: call.arguments, isDistinct: false)
      let spelt = try function(aggregate)
      return completed(
        "\(spelt) OVER (\(try specification(call)))", call.function, call.arguments)
    }
    if call.function == .sum, call.arguments.first?.type.isIntegral == true {
      name = "druid_sum_long"
    }
    if call.function == .count, arguments.isEmpty { arguments = ["*"] }
    return
      "\(name)(\(arguments.joined(separator: ", "))) OVER (\(try specification(call)))"
  }

  /// What stands in OVER.
  private func specification(_ call: WindowCall) throws(SQLFailure) -> String {
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
    return parts.joined(separator: " ")
  }
}
