/// Aggregates that choose one row's value, and those that collect all of them.
extension Resolver {
  /// Default length to which Druid cuts a string, in bytes.
  private static let stringLimit: Int64 = 1024

  /// EARLIEST, LATEST, EARLIEST_BY, LATEST_BY and ANY_VALUE.
  func chosen(_ use: Function.AggregateUse) throws(SQLFailure) -> TypedExpression {
    let (name, arguments, range) = (use.name, use.arguments, use.range)
    if use.isDistinct { throw .unknown("\(name)(DISTINCT ...)", at: range) }
    let isBy = name.hasSuffix("_BY")
    guard arguments.count <= (name == "EARLIEST" || name == "LATEST" ? 2 : 3),
      arguments.count >= (isBy ? 2 : 1)
    else { throw .unknown("\(name) with this number of arguments", at: range) }
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
        .operation(joins ? .listText : .firstValue, [value]), .varchar, value.range)
    }
    var operands = [value]
    if name != "ANY_VALUE" {
      if time == nil { time = try self.time(of: name, in: use.scope, at: range) }
      operands += [time].compactMap { $0 }
    }
    return use.aggregate(operands + [long(limit)], type.nullable(true))
  }

  /// The `__time` column by which EARLIEST and LATEST choose.
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

  /// STRING_AGG and LISTAGG.
  func joinedTexts(_ use: Function.AggregateUse) throws(SQLFailure) -> TypedExpression {
    let (name, range) = (use.name, use.range)
    var value = use.arguments[0]
    var rest = Array(use.arguments.dropFirst())
    if value.isWild { throw .unknown("\(name) of what may be infinite", at: range) }
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
    if value.type.isNumeric {
      value = TypedExpression(.operation(.print, [value]), .varchar, value.range)
    }
    guard value.type.isCharacter else { throw .unknown("\(name) of this", at: range) }
    return try collection(use, [value, separator], rest, .varchar)
  }

  /// An aggregate that collects values. Its limit in bytes follows its operands.
  func collection(
    _ use: Function.AggregateUse, _ operands: [TypedExpression], _ rest: [TypedExpression],
    _ type: SQLType
  ) throws(SQLFailure) -> TypedExpression {
    var limit = Self.stringLimit
    if let given = rest.first {
      guard rest.count == 1, case .long(let bytes)? = given.constant, bytes > 0 else {
        throw .unknown("This \(use.name)", at: use.range)
      }
      limit = bytes
    }
    return use.aggregate(operands + [long(limit)], type)
  }
}
