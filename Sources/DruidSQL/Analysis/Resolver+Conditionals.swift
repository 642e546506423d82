/// CASE and ARRAY, whose expressions must have a common type.
extension Resolver {
  func conditional(
    _ operand: Expression?, _ branches: [WhenBranch], _ otherwise: Expression?, in scope: Scope,
    _ place: Place, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let value = try operand.map { (item) throws(SQLFailure) in
      try resolve(item, in: scope, place)
    }
    var resolved: [TypedExpression.Branch] = []
    for branch in branches {
      var condition = try resolve(branch.condition, in: scope, place)
      if let value {
        condition = try compare(.equal, value, condition, at: branch.condition.range)
      } else if condition.type.kind != .boolean && !condition.isNullConstant {
        throw .unknown("A condition that is not boolean", at: branch.condition.range)
      }
      resolved.append(
        .init(condition: condition, result: try resolve(branch.result, in: scope, place)))
    }
    let last =
      try otherwise.map { (item) throws(SQLFailure) in try resolve(item, in: scope, place) }
      ?? TypedExpression(.constant(.null), .null)
    return try conditional(resolved, last, at: range)
  }

  func conditional(
    _ branches: [TypedExpression.Branch], _ otherwise: TypedExpression, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    if let texts = texts(of: branches.map(\.result) + [otherwise]) {
      var printed = branches
      for index in printed.indices { printed[index].result = texts[index] }
      return try conditional(printed, texts[branches.count], at: range)
    }
    let results = branches.map(\.result) + [otherwise]
    guard let type = SQLType.leastRestrictive(results.map(\.type)) else {
      try refuseMixture(results, at: range)
      throw .unknown("A CASE of mixed types", at: range)
    }
    if results.contains(where: \.isMultiple)
      || branches.contains(where: { $0.condition.isMultiple })
    {
      throw .unknown("A CASE over a multi-value column", at: range)
    }
    let cast = branches.map {
      TypedExpression.Branch(condition: $0.condition, result: $0.result.widened(to: type))
    }
    var result = TypedExpression(
      .conditional(cast, otherwise: otherwise.widened(to: type)), type, range)
    result.isWild = results.contains(where: \.isWild)
    return result
  }

  /// Texts, numbers and booleans, all of them as texts; nil when they have a type in common.
  private func texts(of results: [TypedExpression]) -> [TypedExpression]? {
    let kinds = results.filter { !$0.isNullConstant }.map(\.type)
    guard kinds.contains(where: \.isCharacter), !kinds.allSatisfy(\.isCharacter),
      kinds.allSatisfy({ $0.isCharacter || $0.isNumeric || $0.kind == .boolean }),
      !results.contains(where: \.isWild)
    else { return nil }
    return results.map { result in
      if result.isNullConstant { return result }
      if result.type.isCharacter {
        var text = result
        text.type = SQLType.varchar.nullable(result.type.isNullable)
        return text
      }
      let type = SQLType.varchar.nullable(result.type.isNullable)
      return TypedExpression(.cast(result), type, result.range)
    }
  }

  func array(
    _ elements: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard let element = SQLType.leastRestrictive(elements.map(\.type)),
      !elements.contains(where: { $0.isMultiple || $0.isWild || $0.type.isArray }),
      element.isNumeric || element.isCharacter || element.kind == .null
    else { throw .unknown("This ARRAY", at: range) }
    return TypedExpression(
      .operation(.array, elements.map { $0.widened(to: element) }),
      SQLType(.array(element), isNullable: false), range)
  }
}
