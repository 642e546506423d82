import JavaValues

/// Aggregates that choose one row's value, and those that collect all of them.
extension Resolver {
  /// Default length to which Druid cuts a string, in bytes.
  private static let stringLimit: Int64 = 1024

  /// EARLIEST, LATEST, EARLIEST_BY, LATEST_BY and ANY_VALUE.
  func chosen(_ use: Function.AggregateUse) throws(SQLFailure) -> TypedExpression {
    let (name, arguments, range) = (use.name, use.arguments, use.range)
    let isBy = name.hasSuffix("_BY")
    var value = arguments[0]
    if value.type.kind == .boolean || value.type.isTime {
      // It is a text by then.
      let number = TypedExpression(
        .cast(value), .bigint.nullable(value.type.isNullable), value.range)
      value = printed(value.type.isTime ? number : value)
    }
    let type = value.type
    guard type.isNumeric || type.isCharacter else {
      throw .operand(of: name, at: range)
    }
    var time: TypedExpression?
    if isBy {
      guard arguments[1].type.kind == .timestamp else {
        throw .cannotApply(name, arguments.map(\.type), at: range)
      }
      time = arguments[1]
    }
    var limit = Self.stringLimit
    let place = isBy ? 2 : name == "ANY_VALUE" ? 1 : arguments.count - 1
    if place > 0, arguments.count > place { limit = try length(arguments[place], use) }
    var joins = true
    if name == "ANY_VALUE", arguments.count == 3 {
      let flag = arguments[2]
      if flag.isNullConstant { throw .invalid(.nullArgument, at: flag.range) }
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
    var ties: [TypedExpression] = []
    if type.isNumeric, let time { ties = columns(besides: time, in: use.scope) }
    var result = TypedExpression(
      .aggregate(
        AggregateCall(
          function: use.function, arguments: operands + [long(limit)] + ties, isDistinct: false,
          filter: use.filter)), type.nullable(true), range)
    result.isWild = value.isWild
    return result
  }

  /// The columns by which Druid orders the rows of a datasource that have the same `__time`, once it
  /// has written them to disk. A recorded EARLIEST of a text is of rows that it had not written, so
  /// texts are taken in the order in which the rows came.
  private func columns(besides time: TypedExpression, in scope: Scope) -> [TypedExpression] {
    guard scope.entries.count == 1, let entry = scope.entries.first, scope.isDataSource,
      case .table = entry.relation.kind, case .column(_, let place) = time.node,
      entry.relation.columns[place].name == "__time"
    else { return [] }
    return entry.relation.columns.indices.compactMap { index in
      let column = entry.relation.columns[index]
      guard index != place, !column.isHidden, !column.hasMultipleValues,
        column.type.isNumeric || column.type.isCharacter
      else { return nil }
      return TypedExpression(
        .column(relation: entry.relation.number, index: index), column.type, time.range)
    }
  }

  /// How many bytes of a text are kept.
  private func length(
    _ given: TypedExpression, _ use: Function.AggregateUse
  ) throws(SQLFailure) -> Int64 {
    // EARLIEST and LATEST are others to Druid by then.
    let name = use.name == "EARLIEST" || use.name == "LATEST" ? use.name + "_BY" : use.name
    if given.isNullConstant {
      if use.name == "ANY_VALUE" { throw .invalid(.nullArgument, at: given.range) }
      failInPlanning(.lengthOfNull)
      return Self.stringLimit
    }
    if given.type.isCharacter {
      throw .cannotApply(name, use.arguments.map(\.type), at: use.range)
    }
    switch given.constant {
    case .long(let bytes):
      if bytes < 0 { failInPlanning(.negativeLength) }
      return max(bytes, 0)
    case .double(let bytes): return max(JavaNumber.long(bytes), 0)
    default:
      throw .notLiteral(name, at: given.range)
    }
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
      throw .noTimeColumn
    }
    return time
  }

  /// STRING_AGG and LISTAGG.
  func joinedTexts(_ use: Function.AggregateUse) throws(SQLFailure) -> TypedExpression {
    let (name, range) = (use.name, use.range)
    var value = use.arguments[0]
    var rest = Array(use.arguments.dropFirst())
    var separator = text("")
    if let given = rest.first {
      if given.isNullConstant {
        failInPlanning(.nullSeparator(name))
      }
      guard given.type.isCharacter || given.isNullConstant else {
        throw .uncertain(.separator, at: given.range)
      }
      guard given.isConstant else {
        throw .computedSeparator(name)
      }
      if let words = given.text, words.contains("'") || words.contains("\\") {
        throw .uncertain(.separator, at: given.range)
      }
      separator = given
      rest.removeFirst()
    } else if name == "STRING_AGG" {
      throw .argumentCount(of: name, 2, at: range)
    }
    if value.type.isNumeric || value.type.kind == .boolean || value.isNullConstant {
      value = printed(value)
    }
    guard value.type.isCharacter else { throw .operand(of: name, at: range) }
    return try collection(use, [value, separator], rest, .varchar)
  }

  /// An aggregate that collects values. Its limit in bytes follows its operands.
  func collection(
    _ use: Function.AggregateUse, _ operands: [TypedExpression], _ rest: [TypedExpression],
    _ type: SQLType
  ) throws(SQLFailure) -> TypedExpression {
    var limit = Self.stringLimit
    if let given = rest.first {
      guard rest.count == 1, case .long(let bytes)? = given.constant, bytes >= 0 else {
        throw .cannotApply(use.name, use.arguments.map(\.type), at: use.range)
      }
      if bytes == 0 {
        failInPlanning(.emptyCollection)
      }
      limit = bytes
    }
    return use.aggregate(operands + [long(limit)], type)
  }
}
