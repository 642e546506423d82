import DruidSQL
import Plumbing

/// Decides whether devstack answers statements, without a server.
package struct Classifier {
  /// The result for a statement.
  package enum Verdict: Equatable {
    case answered
    case refused(String)
  }

  private let sources: [SourceTable]

  /// - Parameter specifications: JSON texts, whose datasources the statements may query.
  package init(specifications: [String]) throws(EmbeddedDruidFailure) {
    var sources: [SourceTable] = []
    for text in specifications {
      do {
        let spec = try IngestionSpec(JSONValue(parsing: text))
        sources.append(SourceTable(emptyOf: spec, number: sources.count))
      } catch let error as SpecFailure {
        throw .supervisor(reason: error.message)
      } catch {
        throw .supervisor(reason: "not JSON")
      }
    }
    self.sources = sources
  }

  /// Plans the statement, up to the SQLite program that would execute it.
  package func classify(_ sql: String) -> Verdict {
    do {
      let system = SystemTables(sources: sources, supervisors: [])
      let plan = try Planner.plan(
        sql, catalog: Catalog(tables: sources.map(\.catalog) + system.catalog),
        settings: PlanSettings(timeZone: "UTC", nowMilliseconds: 0))
      guard !plan.isExplain else {
        return plan.dataSources.isEmpty ? .answered : .refused(QueryService.noNativeQueries)
      }
      let connection = try SQLiteConnection()
      for source in sources where plan.dataSources.contains(source.name) {
        try connection.add(source.bound, named: source.sqliteName)
      }
      try system.create(in: connection, for: plan.sqlite)
      _ = try connection.prepare(plan.sqlite(leaving: plan.groupings))
      return .answered
    } catch let failure as SQLFailure {
      return .refused(failure.errorMessage)
    } catch let failure as SQLiteFailure {
      return .refused(failure.message)
    } catch {
      return .refused("\(error)")
    }
  }

  /// A statement, and the line on which it starts.
  package struct Statement: Equatable {
    package let line: Int
    package let sql: String
  }

  /// The statements of a file: a script with statements between semicolons, or a Druid request log
  /// or the output of `GET /devstack/log`, with one a line.
  package static func statements(of text: String) -> [Statement] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if let first = lines.first(where: { !$0.allSatisfy(\.isWhitespace) }), isLogged(first) {
      return lines.enumerated().compactMap { number, line in
        logged(line).map { Statement(line: number + 1, sql: $0) }
      }
    }
    return script(text)
  }

  /// Whether a line is of a log: it starts with a time and a tab, or is a JSON object.
  private static func isLogged(_ line: Substring) -> Bool {
    if line.first == "{" { return (try? JSONValue(parsing: String(line))) != nil }
    guard let tab = line.firstIndex(of: "\t") else { return false }
    return TimePoint(rfc3339: String(line[..<tab])) != nil
  }

  private static func logged(_ line: Substring) -> String? {
    let cells = line.first == "{" ? [line] : line.split(separator: "\t")
    for cell in cells where cell.first == "{" {
      guard let json = try? JSONValue(parsing: String(cell)) else { continue }
      if let sql = json["sql"]?.text ?? json["query"]?.text { return sql }
    }
    return nil
  }

  private static func script(_ text: String) -> [Statement] {
    var statements: [Statement] = []
    var sql = ""
    var line = 1
    var start: Int?
    var rest = Substring(text)
    func finish() {
      let kept = sql.drop(while: \.isWhitespace)
      if let start, !kept.isEmpty { statements.append(Statement(line: start, sql: String(kept))) }
      sql = ""
      start = nil
    }
    func take(through end: String, from count: Int) {
      let body = rest.dropFirst(count)
      let stop = body.firstRange(of: end)?.upperBound ?? rest.endIndex
      let piece = rest[..<stop]
      sql += piece
      line += piece.count { $0 == "\n" || $0 == "\r\n" }
      rest = rest[stop...]
    }
    while let character = rest.first {
      if rest.hasPrefix("--") {
        take(through: "\n", from: 2)
        continue
      }
      if rest.hasPrefix("/*") {
        take(through: "*/", from: 2)
        continue
      }
      if !character.isWhitespace, character != ";", start == nil { start = line }
      switch character {
      case "'", "\"": take(through: String(character), from: 1)
      case ";":
        rest.removeFirst()
        finish()
      default:
        if character.isNewline { line += 1 }
        sql.append(character)
        rest.removeFirst()
      }
    }
    finish()
    return statements
  }
}
