extension Resolver {
  /// JSON_OBJECT, JSON_VALUE and JSON_QUERY.
  func jsonCall(
    _ name: String, _ call: FunctionCall, in scope: Scope, _ place: Place, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let arguments = try self.arguments(call, in: scope, place)
    let clauses = call.json
    switch name {
    case "JSON_OBJECT":
      guard clauses?.absentOnNull == nil, arguments.count % 2 == 0,
        clauses?.hasPairs ?? true,
        arguments.indices.allSatisfy({ index in
          let argument = arguments[index]
          return index % 2 == 0
            ? argument.type.isCharacter && !argument.isMultiple
            : !argument.isMultiple && !argument.isWild
              && (argument.type.isCharacter || argument.type.isNumeric
                || argument.type.kind == .complex("json"))
        })
      else { throw .unknown("This JSON_OBJECT", at: range) }
      return TypedExpression(
        .call("JSON_OBJECT", arguments), SQLType(.complex("json"), isNullable: false), range)
    case "JSON_VALUE":
      guard arguments.count == 2, arguments[0].type.kind == .complex("json"),
        arguments[1].text != nil, clauses?.onEmpty == nil, clauses?.onError == nil
      else { throw .unknown("This JSON_VALUE", at: range) }
      let kind = clauses?.returning?.name ?? "VARCHAR"
      guard clauses?.returning?.collections.isEmpty ?? true,
        let type = ["VARCHAR": SQLType.varchar, "BIGINT": .bigint, "DOUBLE": .double][kind]
      else { throw .unknown("JSON_VALUE RETURNING \(kind)", at: range) }
      return TypedExpression(.call("JSON_VALUE", arguments + [text(kind)]), type, range)
    case "JSON_QUERY":
      guard arguments.count == 2, arguments[0].type.kind == .complex("json"),
        arguments[1].text != nil, clauses?.wrapper == nil, clauses?.returning == nil
      else { throw .unknown("This JSON_QUERY", at: range) }
      return TypedExpression(.call("JSON_QUERY", arguments), .json, range)
    case "JSON_KEYS":
      guard arguments.count == 2, arguments[0].type.kind == .complex("json"),
        arguments[1].text != nil
      else { throw .unknown("This JSON_KEYS", at: range) }
      return TypedExpression(.call("JSON_KEYS", arguments), SQLType(.array(.varchar)), range)
    default:
      if FunctionSignature.unsupported.contains(name) { throw .unknown(name, at: range) }
      let list = arguments.map { "<\($0.type.family)>" }.joined(separator: ", ")
      throw SQLFailure("No match found for function signature \(name)(\(list))", at: range)
    }
  }
}
