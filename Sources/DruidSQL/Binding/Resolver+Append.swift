/// `TABLE(APPEND('a', 'b'))`: several datasources read as one, with the columns of all of them.
///
/// `TableAppendMacro` orders the columns by first occurrence. A datasource that lacks a column has
/// NULL there.
extension Resolver {
  func append(_ call: FunctionCall) throws(SQLFailure) -> Relation {
    if call.arguments.isEmpty {
      throw .noFunction("APPEND()", at: call.name.range)
    }
    var tables: [Catalog.Table] = []
    for (index, argument) in call.arguments.enumerated() {
      guard case .expression(let expression) = argument,
        case .literal(let literal) = expression.kind
      else { throw .argument(of: "APPEND", at: call.name.range) }
      guard let name = try constant(literal, at: expression.range).text else {
        throw .appendedLiteral(index + 1, at: expression.range)
      }
      guard
        let table = catalog.tables.first(where: {
          $0.schema == Catalog.defaultSchema && $0.name == name && $0.kind == .dataSource
        })
      else { throw .noAppendedTable(name, at: expression.range) }
      if !dataSources.contains(name) { dataSources.append(name) }
      tables.append(table)
    }
    var columns: [Relation.Column] = []
    var shape = Relation.Shape(stage: .table)
    shape.readsDataSource = true
    shape.isUnion = true
    for column in tables.flatMap(\.columns) {
      if let index = columns.firstIndex(where: { $0.name == column.name }) {
        if columns[index].type.kind != column.type.kind { shape.mixedNumbers.insert(index) }
        if column.hasMultipleValues { columns[index].hasMultipleValues = true }
      } else {
        columns.append(
          Relation.Column(
            name: column.name, type: column.type, hasMultipleValues: column.hasMultipleValues))
      }
    }
    shape.timeColumn = columns.firstIndex { $0.name == "__time" }
    let branches = tables.map { branch(of: $0, columns) }
    return Relation(number: nextNumber(), kind: .union(branches), columns: columns, shape: shape)
  }

  /// The rows of one datasource, with the columns of all.
  private func branch(of table: Catalog.Table, _ columns: [Relation.Column]) -> Relation {
    let own = table.columns.map {
      Relation.Column(name: $0.name, type: $0.type, hasMultipleValues: $0.hasMultipleValues)
    }
    let input = Relation(
      number: nextNumber(), kind: .table(table), columns: own,
      shape: Relation.Shape(stage: .table))
    let items = columns.map { column -> TypedExpression in
      guard let index = own.firstIndex(where: { $0.name == column.name }) else {
        return TypedExpression(.constant(.null), column.type)
      }
      return Scope.Entry(relation: input).column(index, at: .none)
    }
    return Relation(
      number: nextNumber(), kind: .select(SelectedRelation(input: input, items: items)),
      columns: columns, shape: input.shape)
  }
}
