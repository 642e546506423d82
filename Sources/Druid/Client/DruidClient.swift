import Glibc
import Plumbing

/// How long a client retries when a server is not ready.
package struct Patience: Sendable {
  /// For temporary failures: 429, 503, a server that lost contact with another.
  package var retry = Duration.seconds(10)
  /// For a server that is not up yet, and for tables that it does not know yet.
  package var wait: Duration?

  package init() {}
}

/// A client of Druid's SQL endpoint that never takes a cut answer for a complete one.
package struct DruidClient: ~Copyable {
  let settings: ConnectionSettings
  private(set) var connection: Connection
  private let patience: Patience
  /// The time that a server may take, after the time limit that it was given, to report that it is
  /// over.
  private static let grace = Duration.milliseconds(100)
  /// How long to wait for the answer to a cancellation: after a time limit, which the server tracks
  /// itself, and after a signal.
  private static let cancelLimits = (
    afterTimeout: Duration.milliseconds(80), other: Duration.seconds(2)
  )

  package init(settings: ConnectionSettings, patience: Patience) throws(DruidFailure) {
    self.settings = settings
    self.patience = patience
    connection = try Connection(settings: settings)
  }

  /// Does what can't wait for an answer, such as keeping a file up to date; returns when it wants to
  /// be called again.
  package var whileWaiting: (() -> Duration)? {
    get { connection.whileWaiting }
    set { connection.whileWaiting = newValue }
  }

  /// Runs a query, writes the answer in its format, and returns a report; retries failures that
  /// came before the first byte.
  ///
  /// - Parameter formatter: makes the formatter of an attempt.
  /// - Throws: ``DruidFailure``; ``SystemFailure`` when the output can't be written.
  package func run(
    _ query: Query, limits: AnswerLimits, output: any AnswerOutput, report: inout AnswerReport,
    formatter: () -> any RowFormatter
  ) throws {
    var retries = 0
    defer { report.retries += retries }
    try retrying(waitingFor: query.statement.tableNames, retries: &retries) {
      do {
        try attempt(
          query, limits: limits, output: output, report: &report, formatter: formatter())
      } catch let failure as DruidFailure {
        throw unserved(failure, query.statement) ?? failure
      }
    }
  }

  /// Makes one attempt, limited by `deadline`, or by the query's own time limit.
  func attempt(
    _ query: Query, limits: AnswerLimits, output: any AnswerOutput, report: inout AnswerReport,
    formatter: any RowFormatter, deadline: ContinuousClock.Instant? = nil
  ) throws {
    let identifier = query.identifier()
    let sink = FormattingSink(formatter, limits: limits, output: output)
    // Our own small queries have a deadline, and end before they could be cancelled.
    let isCancelled = deadline == nil
    let deadline = deadline ?? query.timeout.map { .now + $0 + Self.grace }
    defer {
      report.rows += sink.rowCount
      report.bytes += sink.byteCount
      report.columns = sink.columns
      report.identifier = identifier
      report.newestTime = sink.newestTime
      report.hasMore = sink.hasMore
      report.repairedLines = sink.repairedLines
    }
    var transferFailure: TransferFailure?
    var head = HTTPHead()
    do {
      head = try connection.exchange(
        HTTPRequest(
          method: "POST", path: "/druid/v2/sql", body: query.body(identifier: identifier)),
        deadline: deadline, to: sink)
    } catch let failure as TransferFailure {
      if failure.kind == .timedOut, isCancelled, connection.hasSentRequest {
        cancel(identifier, within: Self.cancelLimits.afterTimeout)
      }
      guard sink.byteCount > 0 else { throw self.failure(of: failure) }
      transferFailure = failure
    } catch let malformed as MalformedAnswer where malformed.isOverRowLimit {
      // The requested rows are here, so the server can stop.
      cancel(identifier)
      _ = try sink.finish(isWhole: true)
      return
    } catch {
      // After a signal, a full disk, a closed reader, or an answer in another form, the rest is not
      // needed.
      let isSent = connection.hasSentRequest
      if isSent, isCancelled { cancel(identifier) }
      if !isSent, let failure = error as? DruidFailure, failure.kind == .interrupted {
        throw DruidFailure(.interrupted, "interrupted before the query was sent")
      }
      throw try explained(error, sink: sink)
    }
    if transferFailure == nil, head.status != 200 {
      var failure = ServerError(status: head.status, body: sink.errorBody)
        .failure(url: settings.url)
      failure.place = failure.place.map(query.place(ofServers:))
      failure.retryAfter = .seconds(Int64(head.retryAfter ?? 0))
      throw failure
    }
    if try !sink.finish(isWhole: transferFailure == nil && !head.saysIncomplete) {
      throw cutFailure(sink, head: head, transferFailure)
    }
    report.missingSegments += missingSegmentCount(head)
  }

  /// The failure to report for an error in mid-answer, after the rows so far are written.
  private func explained(_ error: any Error, sink: AnswerSink) throws -> any Error {
    switch error {
    case let failure as DruidFailure where failure.kind == .interrupted:
      return try interruption(sink)
    case let failure as SystemFailure where failure.isInterruption:
      return try interruption(sink)
    case let malformed as MalformedAnswer:
      _ = try sink.finish(isWhole: false)
      if malformed.line == 1 {
        return DruidFailure(
          .notDruid,
          "\(settings.url) does not answer as Druid does: byte \(malformed.offset): "
            + malformed.reason, hints: ["set DRUID_URL or --url to Druid's router or broker"])
      }
      let cut = "the answer is cut after \(sink.rowCountText)"
      let kind = DruidFailure.Kind.cut(rows: sink.rowCount, byTimeout: false)
      if malformed.isOverLimit {
        return DruidFailure(kind, "\(cut): \(malformed.reason)", hints: ["raise --max-row"])
      }
      return DruidFailure(
        kind, "\(cut): line \(malformed.line), byte \(malformed.offset): \(malformed.reason)")
    default: return error
    }
  }

  /// Handles a signal: writes the rows so far, as far as the reader takes them.
  private func interruption(_ sink: AnswerSink) throws -> DruidFailure {
    _ = try sink.finish(isWhole: false)
    try sink.flush()
    return DruidFailure(
      .interrupted, "interrupted: the query is cancelled, cut after \(sink.rowCountText)")
  }

  private func cutFailure(
    _ sink: AnswerSink, head: HTTPHead, _ failure: TransferFailure?
  ) -> DruidFailure {
    let reason = head.errorMessage ?? failure?.words
    let byTimeout =
      failure?.kind == .timedOut
      || reason.map { $0.lowercased().firstRange(of: "timed out") != nil } ?? false
      || reason.map { $0.lowercased().firstRange(of: "timeout") != nil } ?? false
    let rows = sink.rowCount
    return DruidFailure(
      .cut(rows: rows, byTimeout: byTimeout),
      "the answer is cut after \(sink.rowCountText)" + (reason.map { ": \($0)" } ?? ""),
      hints: byTimeout ? ["raise --timeout; the router has its own limit, the broker has none"] : []
    )
  }

  /// The failure of a transfer that ended before the first byte of an answer.
  func failure(of transfer: TransferFailure) -> DruidFailure {
    let url = settings.url
    switch transfer.kind {
    case .timedOut: return DruidFailure(.timedOut, "\(url): \(transfer.words)")
    case .refused, .unresolved:
      let wait = patience.wait == nil ? " give Druid time with --wait," : ""
      var failure = DruidFailure(
        .unreachable, "cannot reach \(url): \(transfer.words)",
        hints: ["set DRUID_URL,\(wait) or run this inside 'devstack --'"])
      failure.isWorthWaitingFor = true
      return failure
    case .notHTTP:
      return DruidFailure(
        .notDruid, "\(url) does not answer as Druid does: \(transfer.words)",
        hints: ["set DRUID_URL or --url to Druid's router or broker"])
    case .broken:
      var failure = DruidFailure(.unreachable, "\(url): \(transfer.words)")
      // A server may close the connection before its TLS alert is read.
      if !url.lowercased().hasPrefix("https:") {
        failure.hints = ["if that port speaks TLS, begin the URL with https://"]
      } else if settings.clientCertificate == nil {
        failure.hints = ["the server may require --client-cert and --client-key"]
      }
      failure.isWorthRetrying = true
      return failure
    case .untrusted:
      return DruidFailure(
        .unreachable, "\(url): its certificate is not trusted: \(transfer.words)",
        hints: ["name the authority that signed it with --ca-cert"])
    case .misnamed:
      return DruidFailure(
        .unreachable, "\(url): its certificate is another server's: \(transfer.words)",
        hints: ["use the host name of its certificate in --url"])
    case .unusableAuthorities:
      return DruidFailure(
        .unusableFile, "\(quoted(settings.caCertificate ?? "")): \(transfer.words)")
    case .unusableCertificate:
      let files = [settings.clientCertificate, settings.clientKey].compactMap { $0.map(quoted) }
      return DruidFailure(
        .unusableFile, "\(files.joined(separator: " with ")): \(transfer.words)",
        hints: ["use a PEM certificate and its key, the key without a passphrase"])
    case .denied:
      return DruidFailure(
        .denied, "\(url) refuses the client's certificate: \(transfer.words)",
        hints: ["use a certificate that it trusts (--client-cert) with its key (--client-key)"])
    case .noTLS:
      var failure = DruidFailure(
        .unreachable, "\(url): TLS fails: \(transfer.words)",
        hints: ["the server may require --client-cert and --client-key, or not use TLS there"])
      // A proxy's port without a server behind it fails the same way.
      failure.isWorthWaitingFor = true
      return failure
    case .other: return DruidFailure(.unreachable, "\(url): \(transfer.words)")
    }
  }

  /// The number of segments that the server could not query, although its status is 200.
  private func missingSegmentCount(_ head: HTTPHead) -> Int {
    guard let text = head.responseContext else { return 0 }
    if let context = try? JSONValue(parsing: text) {
      return context["missingSegments"]?.elements?.count ?? 0
    }
    // The server truncates a long context; the rest still shows that segments are missing.
    return text.firstRange(of: "\"missingSegments\":[{") == nil ? 0 : 1
  }

  /// Cancels a query on the server. A failure is only logged, because the caller is about to end.
  private func cancel(_ identifier: String, within limit: Duration = cancelLimits.other) {
    let request = HTTPRequest(method: "DELETE", path: "/druid/v2/sql/" + identifier.escapedForPath)
    let head = try? connection.exchange(
      request, deadline: .now + limit, ignoresSignals: true, to: AnswerSink())
    Diagnostics.verbose(
      "cancelling query \(identifier): \(head.map { "status \($0.status)" } ?? "no answer")")
  }

  /// Does `work`, and repeats it while its failures are worth a retry and the time limit allows.
  func retrying(
    waitingFor tables: [String], retries: inout Int, _ work: () throws -> Void
  ) throws {
    let start = ContinuousClock.now
    var pause = Duration.milliseconds(100)
    var isWaitNoted = false
    while true {
      do {
        return try work()
      } catch var failure as DruidFailure {
        let limit = patience(for: failure, tables: tables)
        let now = ContinuousClock.now
        guard let limit, now < start + limit else {
          if let variable = settings.proxyVariable, failure.mayBeOfProxy {
            failure.hints.append(
              "\(variable) names a proxy: no_proxy=\(host(of: settings.url)) goes around it")
          }
          if let limit, limit > .zero, limit == patience.wait { failure.isOutOfPatience() }
          throw failure
        }
        if !isWaitNoted { Diagnostics.note("waiting: \(failure.message)") }
        isWaitNoted = true
        try sleep(min(max(pause, failure.retryAfter), now.duration(to: start + limit)))
        pause = min(pause * 2, .seconds(2))
        retries += 1
      }
    }
  }

  private func patience(for failure: DruidFailure, tables: [String]) -> Duration? {
    let wait = patience.wait.map { max($0, patience.retry) }
    switch failure.kind {
    case .unreachable, .notDruid, .serverFailure, .busy:
      return failure.isWorthRetrying
        ? wait ?? patience.retry : failure.isWorthWaitingFor ? patience.wait : nil
    case .unknownTable(let name): return tables.contains(name) ? patience.wait : nil
    case .unserved: return patience.wait
    default: return nil
    }
  }

  /// Waits for a time; a signal ends the wait.
  package func sleep(_ span: Duration) throws(DruidFailure) {
    let end = ContinuousClock.now + span
    while ContinuousClock.now < end, Interruption.count == 0 {
      Interruption.wait(
        min(ContinuousClock.now.duration(to: end), whileWaiting?() ?? .seconds(60)))
    }
    if Interruption.count > 0 { throw DruidFailure(.interrupted, "interrupted while waiting") }
  }
}

extension DruidFailure {
  /// Whether a proxy on the way may be the cause.
  fileprivate var mayBeOfProxy: Bool {
    kind == .unreachable || kind == .notDruid || kind == .serverFailure || status == 407
  }

  /// Marks a failure after a wait that was used up: trying again later may help.
  mutating func isOutOfPatience() {
    message = "gave up waiting: \(message)"
    kind = .timedOut
  }
}

extension String {
  /// Percent-encoded as one part of a URL's path.
  var escapedForPath: String {
    var out = ""
    for byte in utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
        out.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return out
  }
}
