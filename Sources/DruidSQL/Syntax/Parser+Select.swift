extension Parser {
  mutating func select() throws(ParseStop) -> Select {
    let start = token.range
    advance()
    startAnew()
    try skipHints()
    let isStream = acceptLone("STREAM")
    let isDistinct = acceptLone("DISTINCT")
    if !isDistinct { _ = acceptLone("ALL") }
    var items = [try selectItem()]
    while accept(",") { items.append(try selectItem()) }
    var select = Select(items: items, range: start)
    select.isDistinct = isDistinct
    if isStream, !at("FROM") {
      throw refuse(
        "Cannot stream results of a query with no streaming inputs: ''. At least one input should "
          + "be convertible to a stream", at: start)
    }
    if accept("FROM") {
      select.from = try fromClause()
      if isStream, let table = select.from?.firstTable {
        throw refuse("Cannot convert table '\(table.last)' to stream", at: table.range)
      }
      if accept("WHERE") { select.where = try expression() }
      if at("GROUP") { select.groupBy = try groupBy() }
      if accept("HAVING") { select.having = try expression() }
      if accept("WINDOW") { select.windows = try namedWindows() }
      if accept("QUALIFY") { select.qualify = try expression() }
    }
    select.range = range(from: start)
    return select
  }

  private mutating func selectItem() throws(ParseStop) -> SelectItem {
    let start = token.range
    if acceptLone("*") {
      let star = try node(.star(nil), start)
      if try selectAlias() != nil { aliasedStar = aliasedStar ?? start }
      return SelectItem(expression: star, alias: nil, range: start)
    }
    signed = index
    aliasNesting = nesting + 1
    let expression = try expression()
    aliasNesting = -1
    let alias = try selectAlias()
    return SelectItem(expression: expression, alias: alias, range: range(from: start))
  }

  private mutating func selectAlias() throws(ParseStop) -> Identifier? {
    if accept("AS") {
      if token.key == "MEASURE" { advance() }
      noteIdentifier()
      note("<QUOTED_STRING>")
      if token.kind == .string {
        throw refuse("Expecting alias, found character literal")
      }
      return try identifier()
    }
    if atIdentifier() { return try identifier() }
    note("<QUOTED_STRING>")
    if token.kind == .string { throw refuse("Expecting alias, found character literal") }
    return nil
  }

  /// Skips `/*+ ... */` after SELECT or a table name. Druid 33 reads these hints and uses them only
  /// for joins.
  mutating func skipHints() throws(ParseStop) {
    guard at("/*+") else { return }
    advance()
    repeat {
      _ = try identifier()
      if acceptLone("(") {
        while token.key != ")", token.kind != .end, token.key != "*/" { advance() }
        try expect(")")
      }
    } while accept(",")
    try expect("*/")
  }

  private mutating func groupBy() throws(ParseStop) -> GroupBy {
    let start = token.range
    _ = accept("GROUP")
    try expect("BY")
    let isDistinct = acceptLone("DISTINCT")
    if !isDistinct { _ = acceptLone("ALL") }
    let items = try groupItems()
    return GroupBy(isDistinct: isDistinct, items: items, range: range(from: start))
  }

  private mutating func groupItems() throws(ParseStop) -> [GroupItem] {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= Self.nestingLimit else { throw tooDeep() }
    var items: [GroupItem] = []
    repeat {
      items.append(try groupItem())
    } while accept(",")
    return items
  }

  private mutating func groupItem() throws(ParseStop) -> GroupItem {
    if token.key == "GROUPING", peek().key == "SETS" {
      advance()
      advance()
      try expect("(")
      let sets = try groupItems()
      try expect(")")
      return .groupingSets(sets)
    }
    if at(["ROLLUP", "CUBE"]) { noteExpression() }
    if accept("ROLLUP") { return .rollup(try groupLists()) }
    if accept("CUBE") { return .cube(try groupLists()) }
    if token.key == "(", peek().key == ")" {
      advance()
      advance()
      return .set([])
    }
    signed = index
    let expression = try expression()
    if case .row(let members) = expression.kind { return .set(members) }
    return .expression(expression)
  }

  private mutating func groupLists() throws(ParseStop) -> [[Expression]] {
    try expect("(")
    var lists: [[Expression]] = []
    repeat {
      let expression = try expression()
      if case .row(let members) = expression.kind {
        lists.append(members)
      } else {
        lists.append([expression])
      }
    } while accept(",")
    try expect(")")
    return lists
  }

  private mutating func namedWindows() throws(ParseStop) -> [NamedWindow] {
    var windows: [NamedWindow] = []
    repeat {
      let name = try identifier()
      try expect("AS")
      windows.append(NamedWindow(name: name, specification: try windowSpecification()))
    } while accept(",")
    return windows
  }
}
