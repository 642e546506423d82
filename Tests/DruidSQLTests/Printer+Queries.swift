@testable import DruidSQL

extension Printer {
  mutating func print(_ query: Query) {
    if !query.with.isEmpty {
      text += query.isRecursive ? "WITH RECURSIVE " : "WITH "
      list(query.with) { printer, table in
        printer.name(table.name)
        if !table.columns.isEmpty { printer.names(" (", table.columns) }
        printer.enclosed(" AS ", table.query)
      }
      text += " "
    }
    print(query.body, minimum: 0)
    if !query.orderBy.isEmpty { order(" ORDER BY ", query.orderBy) }
    if let limit = query.limit, query.offset == nil { part(" LIMIT ", limit) }
    if let offset = query.offset {
      if let limit = query.limit { part(" LIMIT ", limit) }
      part(" OFFSET ", offset)
    }
  }

  mutating func names(_ before: String, _ names: [Identifier]) {
    text += before
    list(names) { $0.name($1) }
    text += ")"
  }

  private mutating func print(_ body: QueryBody, minimum: Int) {
    switch body {
    case .select(let select): print(select)
    case .values(let values):
      text += "VALUES "
      list(values.rows) { printer, row in
        guard case .row(let members) = row.kind else { return }
        printer.text += "ROW("
        printer.expressions(members)
        printer.text += ")"
      }
    case .nested(let query): enclosed("", query)
    case .table(let name):
      text += "TABLE "
      self.name(name)
    case .setOperation(let operation):
      let precedence = operation.kind == .intersect ? 2 : 1
      print(operation.left, minimum: precedence - 1)
      text += " " + operation.kind.rawValue + (operation.isAll ? " ALL " : " ")
      print(operation.right, minimum: precedence)
    }
  }

  private mutating func print(_ select: Select) {
    text += select.isDistinct ? "SELECT DISTINCT " : "SELECT "
    list(select.items) { printer, item in
      printer.print(item.expression, above: 0)
      if let alias = item.alias {
        printer.text += " AS "
        printer.name(alias)
      }
    }
    if let from = select.from {
      text += " FROM "
      print(from)
    }
    if let condition = select.where { part(" WHERE ", condition) }
    if let groupBy = select.groupBy {
      text += groupBy.isDistinct ? " GROUP BY DISTINCT " : " GROUP BY "
      list(groupBy.items) { $0.print($1) }
    }
    if let having = select.having { part(" HAVING ", having) }
    if !select.windows.isEmpty {
      text += " WINDOW "
      list(select.windows) { printer, window in
        printer.name(window.name)
        printer.text += " AS "
        printer.print(window.specification)
      }
    }
    if let qualify = select.qualify { part(" QUALIFY ", qualify) }
  }

  private mutating func print(_ item: GroupItem) {
    switch item {
    case .expression(let expression): print(expression, above: 0)
    case .set(let members): set(members)
    case .groupingSets(let sets):
      text += "GROUPING SETS ("
      list(sets) { $0.print($1) }
      text += ")"
    case .rollup(let lists): self.lists("ROLLUP(", lists)
    case .cube(let lists): self.lists("CUBE(", lists)
    }
  }

  private mutating func set(_ members: [Expression]) {
    text += "("
    expressions(members)
    text += ")"
  }

  private mutating func lists(_ before: String, _ lists: [[Expression]]) {
    text += before
    list(lists) { printer, members in
      if members.count == 1 { printer.expressions(members) } else { printer.set(members) }
    }
    text += ")"
  }

  private mutating func print(_ reference: TableReference) {
    switch reference {
    case .table(let name, _): self.name(name)
    case .query(let query, _, let isLateral): enclosed(isLateral ? "LATERAL " : "", query)
    case .unnest(let arguments, let withOrdinality, _, _):
      text += "UNNEST("
      expressions(arguments)
      text += withOrdinality ? ") WITH ORDINALITY" : ")"
    case .function(let call, let extend, _, _):
      text += "TABLE("
      print(call)
      text += ")"
      if !extend.isEmpty {
        text += " EXTEND ("
        list(extend) { printer, column in
          printer.name(column.name)
          printer.text += " "
          printer.print(column.type)
        }
        text += ")"
      }
    case .parenthesized(let inner, _):
      text += "("
      print(inner)
      text += ")"
    case .join(let join): print(join)
    }
    if let alias = reference.alias {
      text += " AS "
      name(alias.name)
      if !alias.columns.isEmpty { names(" (", alias.columns) }
    }
  }

  private mutating func print(_ join: Join) {
    print(join.left)
    text +=
      join.kind == .comma ? ", " : " \(join.isNatural ? "NATURAL " : "")\(join.kind.rawValue) JOIN "
    print(join.right)
    switch join.condition {
    case .on(let condition)?: part(" ON ", condition)
    case .using(let columns)?: names(" USING (", columns)
    case nil: break
    }
  }
}

extension TableReference {
  fileprivate var alias: TableAlias? {
    switch self {
    case .table(_, let alias), .query(_, let alias, _), .unnest(_, _, let alias, _),
      .function(_, _, let alias, _), .parenthesized(_, let alias):
      alias
    case .join: nil
    }
  }
}
