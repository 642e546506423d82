/// Finds `SELECT r1.c4 AS k0, COUNT(*) AS a0 FROM d0 AS r1 WHERE (...) GROUP BY 1` in a translated query, and has the
/// datasource count by itself: `SELECT r1.k0 AS k0, r1.n AS a0 FROM d0_counts('4','0g',...) AS r1 ORDER BY 1`:
/// as Druid's groups, and SQLite's, come in the order of their keys.
///
/// Only the forms below are touched; every other statement stays as it is, and SQLite counts.
struct CountRewrite {
  private let text: [UInt8]
  private var place: Int
  private let tables: [String: TableSchema]

  /// - Parameter tables: the schemas by their names in SQLite.
  static func apply(_ sqlite: String, _ tables: [String: TableSchema]) -> String {
    let text = Array(sqlite.utf8)
    let start = Array("(SELECT r".utf8)
    var out: [UInt8] = []
    var copied = 0
    var index = 0
    while index + start.count < text.count {
      if text[index] == start[0], text[index...].starts(with: start) {
        var rewrite = CountRewrite(text: text, place: index, tables: tables)
        if let replacement = rewrite.select() {
          out += text[copied..<index]
          out += Array(replacement.utf8)
          index = rewrite.place
          copied = index
          continue
        }
      }
      index += 1
    }
    out += text[copied...]
    return String(decoding: out, as: UTF8.self)
  }

  private mutating func take(_ word: String) -> Bool {
    guard text[place...].starts(with: word.utf8) else { return false }
    place += word.utf8.count
    return true
  }

  private mutating func number() -> String? {
    let digits = text[place...].prefix { (0x30...0x39).contains($0) }
    guard !digits.isEmpty else { return nil }
    place += digits.count
    return String(decoding: digits, as: UTF8.self)
  }

  private mutating func select() -> String? {
    guard take("(SELECT ") else { return nil }
    var keys: [(column: Int, name: String)] = []
    var relation = ""
    while take("r") {
      guard let word = number(), take(".c"), let digits = number(), let column = Int(digits),
        take(" AS k"), let name = number(), take(", "), relation.isEmpty || relation == "r" + word
      else { return nil }
      relation = "r" + word
      keys.append((column, "k" + name))
    }
    guard (1...3).contains(keys.count), take("COUNT(*) AS a"), let count = number(),
      take(" FROM d"), let digits = number(), let schema = tables["d" + digits],
      take(" AS \(relation)")
    else { return nil }
    guard keys.allSatisfy({ schema.columns[checked: $0.column]?.kind == .string }) else {
      return nil
    }
    var plan = ScanPlan()
    var values: [String] = []
    if take(" WHERE ") {
      guard condition(relation, schema, &plan, &values) else { return nil }
    }
    let groups = keys.indices.map { String($0 + 1) }.joined(separator: ", ")
    guard take(" GROUP BY \(groups))"), values.count <= CountModule.valueColumns else {
      return nil
    }
    let columns = keys.map { String($0.column) }.joined(separator: ",")
    let arguments = ["'\(columns)'", "'\(plan.text)'"] + values
    let selected = keys.enumerated().map { "\(relation).k\($0) AS \($1.name)" }
    return "(SELECT \(selected.joined(separator: ", ")), \(relation).n AS a\(count) FROM "
      + "d\(digits)_counts(\(arguments.joined(separator: ", "))) AS \(relation) ORDER BY \(groups))"
  }

  /// `((A) AND (B))` or `(r1.c0 >= VALUE)`.
  private mutating func condition(
    _ relation: String, _ schema: TableSchema, _ plan: inout ScanPlan, _ values: inout [String]
  ) -> Bool {
    guard take("(") else { return false }
    guard take("\(relation).c") else {
      guard condition(relation, schema, &plan, &values) else { return false }
      while take(" AND ") {
        guard condition(relation, schema, &plan, &values) else { return false }
      }
      return take(")")
    }
    guard let digits = number(), let column = Int(digits),
      let kind = schema.columns[checked: column]?.kind, take(" "), let comparison = comparison(),
      let value = value(), !value.contains("\(relation).")
    else { return false }
    let isKnown =
      switch kind {
      case .time, .long: true
      case .string: comparison == .equal
      case .double, .float: false
      }
    plan.conditions.append(ScanPlan.Condition(column: column, comparison: comparison))
    values.append(value)
    return isKnown
  }

  private mutating func comparison() -> ScanPlan.Comparison? {
    if take(">= ") { return .atLeast }
    if take("<= ") { return .atMost }
    if take("> ") { return .greater }
    if take("< ") { return .less }
    return take("= ") ? .equal : nil
  }

  /// Everything up to the parenthesis that ends the comparison, which is taken as well; one literal or one parenthesis.
  private mutating func value() -> String? {
    let start = place
    var depth = 0
    var isQuoted = false
    while place < text.count {
      let byte = text[place]
      if byte == UInt8(ascii: "'") {
        isQuoted.toggle()
      } else if !isQuoted {
        if byte == UInt8(ascii: "(") { depth += 1 }
        if byte == UInt8(ascii: ")") {
          if depth == 0 {
            let value = String(decoding: text[start..<place], as: UTF8.self)
            place += 1
            return value
          }
          depth -= 1
        }
        // An operator outside of parentheses is another form.
        if byte == UInt8(ascii: " "), depth == 0 { return nil }
      }
      place += 1
    }
    return nil
  }
}

extension Array {
  fileprivate subscript(checked index: Int) -> Element? {
    indices.contains(index) ? self[index] : nil
  }
}
