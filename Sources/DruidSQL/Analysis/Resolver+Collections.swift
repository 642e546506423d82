/// Aggregates that choose one row's value, and those that collect all of them.
extension Resolver {
  /// What Druid keeps of a string when nothing else is said.
  private static let stringLimit: Int64 = 1024

  /// EARLIEST, LATEST, their kin with a time of their own, and ANY_VALUE.
  func chosen(
    _ name: String, _ arguments: [TypedExpression], _ filter: TypedExpression?, in scope: Scope,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let isBy = name.hasSuffix("_BY")
    guard arguments.count <= (name == "EARLIEST" || name == "LATEST" ? 2 : 3),
      arguments.count >= (isBy ? 2 : 1)
    else { throw .unknown("\(name) with so many arguments", at: range) }
    var value = arguments[0]
    let type = value.type
    guard type.isNumeric || type.isCharacter, !value.isWild else {
      throw .unknown("\(name) of this", at: range)
    }
    var time: TypedExpression?
    if isBy {
      guard arguments[1].type.kind == .timestamp else {
        throw .cannotApply(name, arguments.map(\.type), at: range)
      }
      time = arguments[1]
    }
    var limit = Self.stringLimit
    let place = isBy ? 2 : 1
    if arguments.count > place {
      let given = arguments[place]
      if given.isNullConstant { throw SQLFailure("Illegal use of 'NULL'", at: given.range) }
      guard case .long(let bytes)? = given.constant, bytes > 0 else {
        throw .unknown("This length in \(name)", at: given.range)
      }
      limit = bytes
    }
    var joins = true
    if name == "ANY_VALUE", arguments.count == 3 {
      let flag = arguments[2]
      if flag.isNullConstant { throw SQLFailure("Illegal use of 'NULL'", at: flag.range) }
      guard case .boolean(let all)? = flag.constant else {
        throw .cannotApply(name, arguments.map(\.type), at: range)
      }
      joins = all
    }
    if value.isMultiple {
      value = TypedExpression(
        .call(joins ? "LIST TEXT" : "FIRST VALUE", [value]), .varchar, value.range)
    }
    var operands = [value]
    if name != "ANY_VALUE" {
      if time == nil { time = try self.time(of: name, in: scope, at: range) }
      operands += [time].compactMap { $0 }
    }
    let function = isBy ? String(name.dropLast(3)) : name
    return TypedExpression(
      .aggregate(
        AggregateCall(
          function: function, arguments: operands + [long(limit)], isDistinct: false,
          filter: filter)), type.nullable(true), range)
  }

  /// The `__time` by which EARLIEST and LATEST choose.
  private func time(
    of name: String, in scope: Scope, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    var found: [TypedExpression] = []
    for entry in scope.entries {
      for (index, column) in entry.relation.columns.enumerated() where column.name == "__time" {
        found.append(entry.column(index, at: range))
      }
    }
    guard found.count == 1, let time = found.first, time.type.kind == .timestamp else {
      throw .unknown("\(name) of what has no __time", at: range)
    }
    return time
  }

  /// ARRAY_AGG, ARRAY_CONCAT_AGG, STRING_AGG and LISTAGG.
  func collected(
    _ name: String, _ arguments: [TypedExpression], isDistinct: Bool, _ filter: TypedExpression?,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    var value = arguments[0]
    let type = value.type
    let isText = name == "STRING_AGG" || name == "LISTAGG"
    var rest = Array(arguments.dropFirst())
    if value.isWild { throw .unknown("\(name) of what may be infinite", at: range) }
    if isText {
      var separator = text("")
      if let given = rest.first {
        guard given.type.isCharacter else { throw .unknown("This separator", at: given.range) }
        guard given.isConstant else {
          throw .unplannable("the separator of \(name) must be a literal")
        }
        if let words = given.text, words.contains("'") || words.contains("\\") {
          throw .unknown("This separator", at: given.range)
        }
        separator = given
        rest.removeFirst()
      } else if name == "STRING_AGG" {
        throw SQLFailure(
          "Invalid number of arguments to function 'STRING_AGG'. Was expecting 2 arguments",
          at: range)
      }
      if type.isNumeric { value = TypedExpression(.call("PRINT", [value]), .varchar, value.range) }
      guard value.type.isCharacter else { throw .unknown("\(name) of this", at: range) }
      return try collection(
        "STRING_AGG", [value, separator], rest, isDistinct, filter, .varchar, at: range)
    }
    if name == "ARRAY_CONCAT_AGG" {
      guard let element = type.element, element.isCharacter || element.isNumeric else {
        if type.isArray { throw .unknown("\(name) of this", at: range) }
        throw .cannotApply(name, arguments.map(\.type), at: range)
      }
      return try collection(
        name, [value], rest, isDistinct, filter, type.nullable(true), at: range)
    }
    let element = type.element ?? type
    guard element.isNumeric || element.isCharacter else {
      throw .unknown("ARRAY_AGG of \(type.sqlName)", at: range)
    }
    return try collection(
      name, [value], rest, isDistinct, filter, SQLType(.array(type)), at: range)
  }

  private func collection(
    _ name: String, _ operands: [TypedExpression], _ rest: [TypedExpression], _ isDistinct: Bool,
    _ filter: TypedExpression?, _ type: SQLType, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    var limit = Self.stringLimit
    if let given = rest.first {
      guard rest.count == 1, case .long(let bytes)? = given.constant, bytes > 0 else {
        throw .unknown("This \(name)", at: range)
      }
      limit = bytes
    }
    return TypedExpression(
      .aggregate(
        AggregateCall(
          function: name, arguments: operands + [long(limit)], isDistinct: isDistinct,
          filter: filter)), type, range)
  }
}
