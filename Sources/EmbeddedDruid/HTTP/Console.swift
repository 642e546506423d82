import DruidSQL
import Plumbing

/// The page at `/`, and its data.
struct Console: Sendable {
  let supervisors: Supervisors
  let faults: Faults

  /// The page. Each response only allows its own script and style, and nothing from other sites.
  var page: HTTPResponse {
    let nonce = String(UInt64.random(in: .min ... .max), radix: 36)
    let text = String(decoding: PackageResources.console_html, as: UTF8.self)
      .replacing("NONCE", with: nonce)
    return HTTPResponse(
      200,
      headers: [
        ("Content-Type", "text/html; charset=utf-8"),
        (
          "Content-Security-Policy",
          "default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; "
            + "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
            + "frame-ancestors 'none'"
        ),
      ] + Self.guards, text: text)
  }

  /// Headers that keep responses out of caches and of other origins' pages.
  static let guards: Router.Headers = [
    ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
  ]

  /// The current topics, datasources and faults.
  var state: JSONValue {
    let entries = supervisors.all
    let topics = supervisors.allTopics.map { topic -> JSONValue in
      let partitions = zip(topic.starts, topic.ends).map { start, end in
        JSONValue.object(["start": .integer(start), "end": .integer(end)])
      }
      // Skipped messages of a datasource are reported with the datasource.
      let undecided = entries.first { $0.spec.topic == topic.name && $0.spec.automaticTime != nil }
      return .object([
        "name": .string(topic.name), "partitions": .array(partitions),
        "skipped": undecided.flatMap { Self.skipped($0) }.map { .string($0) } ?? .null,
      ])
    }
    return .object([
      "kafka": .string(supervisors.source.brokers), "topics": .array(topics),
      "datasources": .array(
        entries.filter { $0.spec.automaticTime == nil }.map { Self.datasource($0) }),
      "faults": .array(faults.all.map { Self.fault($0) }),
    ])
  }

  static func fault(_ status: Faults.Status) -> JSONValue {
    .object([
      "fault": .string(status.fault.text), "struck": .integer(status.struck),
      "spent": .bool(status.isSpent),
    ])
  }

  private static func skipped(_ entry: Supervisors.Entry) -> String? {
    let (spec, skipped) = entry.follower.state.read { ($0.spec, $0.skipped) }
    return skipped.count > 0 ? skipped.words(spec) : nil
  }

  private static func datasource(_ entry: Supervisors.Entry) -> JSONValue {
    let (snapshot, spec, failure) = entry.follower.state.read { ($0.snapshot, $0.spec, $0.failure) }
    let columns = snapshot.schema.columns.enumerated().map { index, column in
      JSONValue.object([
        "name": .string(column.name),
        "type": .string(
          column.kind.sqlType.isComplex
            ? column.kind.sqlType.nativeName : column.kind.sqlType.sqlName),
      ])
    }
    let earliest = snapshot.chunks.map(\.earliest).min()
    let latest = snapshot.chunks.map(\.latest).max()
    func time(_ milliseconds: Int64?) -> JSONValue {
      milliseconds.map { .string(TimePoint(milliseconds: $0).iso8601) } ?? .null
    }
    return .object([
      "name": .string(entry.id), "topic": .string(spec.topic),
      "state": .string(entry.isTerminated ? "TERMINATED" : SupervisorReport(entry).state),
      "rows": .integer(snapshot.rowCount), "from": time(earliest), "to": time(latest),
      "columns": .array(columns),
      "skipped": skipped(entry).map { .string($0) } ?? .null,
      "failure": failure.map { .string($0) } ?? .null,
    ])
  }
}
