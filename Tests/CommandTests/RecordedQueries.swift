import Foundation
import Testing

/// Queries that a real Druid answered, sent to a devstack that holds the same rows.
enum RecordedQueries {
  struct Query {
    var sql: String
    /// One of ``RecordedAnswer/formats``.
    var format: String
    /// JSON of the request's `parameters` and `context`.
    var parameters: String?
    var context: String?
  }

  /// Sends all queries over one connection.
  static func ask(
    _ queries: [Query], in workspace: Commands.Workspace
  ) throws -> [RecordedAnswer.Reply] {
    // One curl sends all of them, and prints the status of each.
    var configuration = ""
    for (index, query) in queries.enumerated() {
      let sql = String(
        decoding: try JSONSerialization.data(
          withJSONObject: query.sql, options: .fragmentsAllowed), as: UTF8.self)
      var body = #"{"query":\#(sql),\#(RecordedAnswer.formats[query.format] ?? "")"#
      if let parameters = query.parameters { body += ",\"parameters\":\(parameters)" }
      if let context = query.context { body += ",\"context\":\(context)" }
      try (body + "}").write(
        to: workspace.url.appendingPathComponent("q\(index)"), atomically: false, encoding: .utf8)
      configuration += """
        \(index > 0 ? "next" : "# the questions")
        silent
        max-time = 60
        url = "URL/druid/v2/sql"
        header = "Content-Type: application/json"
        data-binary = "@q\(index)"
        output = "a\(index)"
        write-out = "%{http_code}\\n"

        """
    }
    try workspace.write(configuration, to: "questions")
    let outcome = try Commands.run(
      #"""
      exec devstack -q --supervisor "$FIXTURES/recorded/supervisor-edge.json" -- sh -ec '
        kprod -t ecommerce < "$FIXTURES/recorded/events.ndjson"
        kprod -t edge < "$FIXTURES/recorded/edge.ndjson"
        sed "s|URL|$DRUID_URL|" questions | curl -K -'
      """#, in: workspace, within: 900)
    try #require(outcome.status == 0, "\(outcome.errors)")
    let statuses = outcome.output.split(separator: "\n").compactMap { Int($0) }
    try #require(statuses.count == queries.count)
    return try statuses.enumerated().map { index, status in
      let data = try Data(contentsOf: workspace.url.appendingPathComponent("a\(index)"))
      return RecordedAnswer.Reply(status: status, body: String(decoding: data, as: UTF8.self))
    }
  }
}
