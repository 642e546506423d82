import Glibc
import Plumbing

/// How long a client goes on when a server is not ready.
package struct Patience: Sendable {
  /// For what is over soon: 429, 503, a server that lost another.
  package var retry = Duration.seconds(10)
  /// For a server that is not there yet, and for tables that it does not know yet.
  package var wait: Duration?

  package init() {}
}

/// A client of Druid's SQL endpoint that never takes a part of an answer for the whole.
package struct DruidClient: ~Copyable {
  let settings: ConnectionSettings
  let connection: Connection
  private let patience: Patience
  /// What a server may take, beyond the time limit that it was told, to say that it is over.
  private static let grace = Duration.milliseconds(100)
  /// The same for the word that it cancels a query: after a time limit, which it knows itself, and after a signal.
  private static let cancelLimits = (
    afterTimeout: Duration.milliseconds(80), other: Duration.seconds(2)
  )

  package init(settings: ConnectionSettings, patience: Patience) throws(DruidFailure) {
    self.settings = settings
    self.patience = patience
    connection = try Connection(settings: settings)
  }

  /// Asks, writes the answer in its format, and reports; retries what may be retried before a byte came.
  ///
  /// - Throws: ``DruidFailure``; ``SystemFailure`` when the output can't be written.
  package func run(
    _ query: Query, format: FormatOptions, output: any AnswerOutput, report: inout AnswerReport
  ) throws {
    var retries = 0
    defer { report.retries += retries }
    try retrying(waitingFor: query.statement.tableNames, retries: &retries) {
      do {
        try attempt(query, format: format, output: output, report: &report)
      } catch let failure as DruidFailure {
        throw unserved(failure, query.statement) ?? failure
      }
    }
  }

  /// Asks once; by `deadline`, or by the time limit of the query itself.
  func attempt(
    _ query: Query, format: FormatOptions, output: any AnswerOutput, report: inout AnswerReport,
    deadline: ContinuousClock.Instant? = nil
  ) throws {
    let identifier = query.identifier()
    let sink = FormattingSink(format, output: output)
    // Our own small questions have a deadline, and are over before anybody could cancel them.
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
      // The rows that were asked for are here; the server need not go on.
      cancel(identifier)
      _ = try sink.finish(isWhole: true)
      return
    } catch {
      // A signal, a full disk, a reader that left, or an answer in another form: the rest is not needed.
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

  /// What a failure in mid-answer means once the rows that came are out.
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

  /// A signal came: the rows that are here go out, as far as somebody takes them.
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
      hints: byTimeout ? ["raise --timeout; the router has a limit of its own, the broker not"] : []
    )
  }

  /// The failure of a transfer that brought no byte of an answer.
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
      // A server may hang up before it is heard saying so.
      if url.lowercased().hasPrefix("https:"), settings.clientCertificate == nil {
        failure.hints = ["the server may want --client-cert and --client-key"]
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
        hints: ["call the server in --url as its certificate does"])
    case .unusableAuthorities:
      return DruidFailure(
        .unusableFile, "\(quoted(settings.caCertificate ?? "")): \(transfer.words)")
    case .unusableCertificate:
      let files = [settings.clientCertificate, settings.clientKey].compactMap { $0.map(quoted) }
      return DruidFailure(
        .unusableFile, "\(files.joined(separator: " with ")): \(transfer.words)",
        hints: ["a certificate and its own key are wanted, as PEM, the key without a passphrase"])
    case .denied:
      return DruidFailure(
        .denied, "\(url) does not take the client's certificate: \(transfer.words)",
        hints: ["name one that it trusts with --client-cert, and its key with --client-key"])
    case .noTLS:
      var failure = DruidFailure(
        .unreachable, "\(url): TLS fails: \(transfer.words)",
        hints: ["the server may want --client-cert and --client-key, or speak no TLS there"])
      // So does a proxy's port with no server behind it yet.
      failure.isWorthWaitingFor = true
      return failure
    case .other: return DruidFailure(.unreachable, "\(url): \(transfer.words)")
    }
  }

  /// Segments that the server could not ask, though its status is 200.
  private func missingSegmentCount(_ head: HTTPHead) -> Int {
    guard let text = head.responseContext else { return 0 }
    if let context = try? JSONValue(parsing: text) {
      return context["missingSegments"]?.elements?.count ?? 0
    }
    // The server cuts a context that grows too long: what is left still tells that there are some.
    return text.firstRange(of: "\"missingSegments\":[{") == nil ? 0 : 1
  }

  /// Stops a query on the server. A failure is only logged: the caller is about to end.
  private func cancel(_ identifier: String, within limit: Duration = cancelLimits.other) {
    let request = HTTPRequest(method: "DELETE", path: "/druid/v2/sql/" + identifier.escapedForPath)
    let head = try? connection.exchange(
      request, deadline: .now + limit, ignoresSignals: true, to: AnswerSink())
    Diagnostics.verbose(
      "cancelling query \(identifier): \(head.map { "status \($0.status)" } ?? "no answer")")
  }

  /// Does `work`, again and again while its failures are worth it and patience lasts.
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

  /// Waits; a signal ends it.
  package func sleep(_ span: Duration) throws(DruidFailure) {
    var waiting = pollfd(fd: Interruption.descriptor, events: Int16(POLLIN), revents: 0)
    let end = ContinuousClock.now + span
    while ContinuousClock.now < end, Interruption.count == 0 {
      // A descriptor of -1 is passed over.
      _ = unsafe poll(&waiting, 1, ContinuousClock.now.duration(to: end).pollMilliseconds)
    }
    if Interruption.count > 0 { throw DruidFailure(.interrupted, "interrupted while waiting") }
  }
}

extension DruidFailure {
  /// A wait was used up: trying again later may help.
  mutating func isOutOfPatience() {
    message = "gave up waiting: \(message)"
    kind = .timedOut
  }
}

extension String {
  /// For use as one part of a URL's path.
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
