extension Resolver {
  func resolve(_ name: Name, in scope: Scope, _ place: Place) throws(SQLFailure) -> TypedExpression
  {
    if name.parts.count == 1 {
      let part = name.parts[0]
      if place.prefersAliases, let aliased = place.aliases[part.text] { return aliased }
      do {
        return try column(part, name, in: scope)
      } catch {
        if let aliased = place.aliases[part.text] { return aliased }
        if part.text.uppercased() == "PI", !part.isQuoted {
          return TypedExpression(
            .constant(.double(3.141592653589793)), .double.nullable(false), name.range)
        }
        throw error
      }
    }
    return try qualified(name, in: scope)
  }

  private func column(
    _ part: Identifier, _ name: Name, in scope: Scope
  ) throws(SQLFailure) -> TypedExpression {
    var found: [(entry: Scope.Entry, index: Int)] = []
    for entry in scope.entries {
      for (index, column) in entry.relation.columns.enumerated() where column.name == part.text {
        found.append((entry, index))
      }
    }
    if found.count > 1, scope.isNatural || !scope.merged.contains(part.text) {
      throw .ambiguousColumn(part.text, at: name.range)
    }
    if found.count == 2, scope.coalesced.contains(part.text) {
      let sides = found.map { $0.entry.column($0.index, at: name.range) }
      return TypedExpression(.call(.coalesce, sides), sides[0].type.nullable(true), name.range)
    }
    if let hit = found.first { return hit.entry.column(hit.index, at: name.range) }
    let outer = scope.outer.flatMap { entry in
      entry.relation.columns.indices.filter { entry.relation.columns[$0].name == part.text }
        .map { entry.column($0, at: name.range) }
    }
    if let column = outer.first { return try correlated(column, isOnly: outer.count == 1) }
    let near = scope.entries.lazy.flatMap(\.relation.columns)
      .first { $0.name.lowercased() == part.text.lowercased() }
    throw .columnNotFound(part.text, near: near?.name, at: name.range)
  }

  /// A column of an enclosing query, where a subquery may read it.
  private func correlated(
    _ column: TypedExpression, isOnly: Bool
  ) throws(SQLFailure) -> TypedExpression {
    guard allowsCorrelation, isOnly, column.isColumn, !column.isMultiple else {
      throw .uncertain(.correlatedSubquery, at: column.range)
    }
    isCorrelated = true
    return column
  }

  private func qualified(_ name: Name, in scope: Scope) throws(SQLFailure) -> TypedExpression {
    let last = name.parts[name.parts.count - 1]
    let prefix = name.parts.dropLast().map(\.text)
    guard let entry = entry(prefix, in: scope.entries) else {
      if let outer = self.entry(prefix, in: scope.outer) {
        let places = outer.relation.columns.indices.filter {
          outer.relation.columns[$0].name == last.text
        }
        guard let index = places.first else {
          throw .uncertain(.correlatedSubquery, at: name.range)
        }
        return try correlated(outer.column(index, at: name.range), isOnly: places.count == 1)
      }
      throw unknownTable(name, prefix, in: scope)
    }
    let hits = entry.relation.columns.indices.filter {
      entry.relation.columns[$0].name == last.text
    }
    if hits.count > 1 { throw .ambiguousColumn(last.text, at: name.range) }
    if let index = hits.first { return entry.column(index, at: name.range) }
    let near = entry.relation.columns.first { $0.name.lowercased() == last.text.lowercased() }
    throw .columnNotInTable(
      last.text, in: prefix.joined(separator: "."), near: near?.name, at: last.range)
  }

  func entry(_ prefix: [String], in entries: [Scope.Entry]) -> Scope.Entry? {
    switch prefix.count {
    case 1: entries.first { $0.name == prefix[0] }
    case 2: entries.first { $0.schema == prefix[0] && $0.name == prefix[1] }
    default: nil
    }
  }

  private func unknownTable(_ name: Name, _ prefix: [String], in scope: Scope) -> SQLFailure {
    let parts = name.parts.dropLast()
    let range = parts.reduce(parts[0].range) { $0.through($1.range) }
    let text = prefix.joined(separator: ".")
    let near = scope.entries.compactMap(\.name).first { $0.lowercased() == text.lowercased() }
    return .tableNotFound(text, near: near, at: range)
  }

  /// The columns of `*` or `t.*`, in order.
  func expand(
    star qualifier: Name?, at range: SourceRange, in scope: Scope
  ) throws(SQLFailure) -> [(name: String, expression: TypedExpression)] {
    var entries = scope.entries
    if let qualifier {
      let prefix = qualifier.parts.map(\.text)
      guard let entry = entry(prefix, in: scope.entries) else {
        throw .unknownIdentifier(qualifier.text, at: qualifier.range)
      }
      entries = [entry]
    } else if scope.isChained || !scope.merged.isEmpty && entries.count > 2
      || !scope.coalesced.isEmpty
    {
      throw .uncertain(.starOverJoins, at: range)
    }
    if entries.isEmpty { throw .invalid(.starWithoutFrom, at: range) }
    // Columns that USING joins come first, and once.
    let merged = qualifier == nil ? scope.merged : []
    var columns: [(name: String, expression: TypedExpression)] = []
    for name in merged {
      if let index = entries[0].relation.columns.firstIndex(where: { $0.name == name }) {
        columns.append((name, entries[0].column(index, at: range)))
      }
    }
    for entry in entries {
      for (index, column) in entry.relation.columns.enumerated()
      where !column.isHidden && !merged.contains(column.name) {
        columns.append((column.name, entry.column(index, at: range)))
      }
    }
    return columns
  }
}
