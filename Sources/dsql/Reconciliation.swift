import Druid
import Glibc
import Plumbing

/// The settings of `--reconcile`.
struct ReconciliationSettings {
  let receipts: [String]
  let limit: Duration

  init?(_ arguments: Arguments) throws {
    receipts = arguments.all(.reconcile)
    guard !receipts.isEmpty else {
      if arguments.isSet(.within) { throw UsageFailure("--within needs --reconcile") }
      return nil
    }
    limit = try arguments.duration(.within) ?? .seconds(60)
    for flag in [Flag.execute, .follow, .caughtUp, .receipt, .parameter, .explain]
    where arguments.isSet(flag) {
      throw UsageFailure("\(flag.spelling) cannot be combined with --reconcile")
    }
    if let operand = arguments.operands.first {
      throw UsageFailure(
        "unexpected argument \(quoted(operand)): --reconcile runs no SQL",
        hints: ["give each receipt its own --reconcile"])
    }
  }
}

/// The file of `kprod --receipt`: which messages the cluster acknowledged.
struct DeliveryReceipt {
  let topic: String
  private let cluster: String?
  private let wanted: [Int: ReadingHistory.Wanted]
  /// Lines that were not acknowledged, and lines with an unknown outcome.
  private let failed: Int64
  private let unknown: Int64
  /// The first and the last time of the rows.
  private let times: (first: TimePoint, last: TimePoint)?

  /// Reads the file of `kprod --receipt`: version 1 is about one topic, version 2 about each that lines named.
  private static func all(in content: [UInt8], of path: String) throws -> [DeliveryReceipt] {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: content)
    } catch {
      throw failure(path, "byte \(error.offset): \(error.reason)")
    }
    guard value["tool"]?.text == "kprod", let version = value["version"]?.integer else {
      throw failure(path, "kprod --receipt did not write it")
    }
    let cluster = value["cluster"]?.text
    let failed = value["failed"]?.integer ?? 0
    let unknown = value["unknown"]?.integer ?? 0
    switch version {
    case 1:
      return [
        try DeliveryReceipt(value, of: cluster, failed: failed, unknown: unknown, path: path)
      ]
    case 2:
      guard let topics = value["topics"]?.elements else {
        throw failure(path, "'topics' is missing")
      }
      if failed + unknown > 0 {
        // Which topic they were for is not known of all of them.
        Diagnostics.warning(
          "\(quoted(path)): \(failed) lines were not delivered, and the fate of "
            + "\(unknown) is unknown: what follows is about the acknowledged ones")
      }
      return try topics.map {
        try DeliveryReceipt($0, of: cluster, failed: 0, unknown: 0, path: path)
      }
    default:
      throw failure(path, "its version is \(version), and this dsql knows versions 1 and 2")
    }
  }

  /// - Parameter value: what holds the topic and its partitions.
  private init(
    _ value: JSONValue, of cluster: String?, failed: Int64, unknown: Int64, path: String
  ) throws {
    guard let topic = value["topic"]?.text, let partitions = value["partitions"]?.elements else {
      throw Self.failure(path, "'topic' or 'partitions' is missing")
    }
    self.topic = topic
    self.cluster = cluster
    self.failed = failed
    self.unknown = unknown
    let first = value["times"]?["first"]?.text.flatMap { TimePoint(rfc3339: $0) }
    let last = value["times"]?["last"]?.text.flatMap { TimePoint(rfc3339: $0) }
    times = if let first, let last { (first, last) } else { nil }
    var wanted: [Int: ReadingHistory.Wanted] = [:]
    for entry in partitions {
      guard let partition = entry["partition"]?.integer, let count = entry["count"]?.integer else {
        throw Self.failure(path, "a partition has no number or no count")
      }
      if count == 0 { continue }
      guard let first = entry["first_offset"]?.integer, let last = entry["last_offset"]?.integer,
        first >= 0, last >= first, count > 0, count <= last - first + 1
      else { throw Self.failure(path, "the offsets of partition \(partition) do not add up") }
      wanted[Int(partition)] = .init(first: first, last: last, count: count)
    }
    self.wanted = wanted
  }

  private static func failure(_ path: String, _ reason: String) -> DruidFailure {
    DruidFailure(.refused, "\(quoted(path)) is not a receipt of kprod: \(reason)")
  }

  /// The combined receipts of one topic.
  struct Sum {
    let topic: String
    private(set) var wanted: [Int: ReadingHistory.Wanted] = [:]
    private(set) var failed: Int64 = 0
    private(set) var unknown: Int64 = 0
    /// `nil` when a receipt does not record its rows' times.
    private(set) var times: (first: TimePoint, last: TimePoint)?

    var acknowledged: Int64 { wanted.values.reduce(0) { $0 + $1.count } }

    fileprivate init(_ receipts: [DeliveryReceipt]) {
      topic = receipts[0].topic
      let filled = receipts.filter { !$0.wanted.isEmpty }
      for receipt in receipts {
        failed += receipt.failed
        unknown += receipt.unknown
        for (partition, more) in receipt.wanted {
          let sum = wanted[partition]
          wanted[partition] = .init(
            first: min(more.first, sum?.first ?? more.first),
            last: max(more.last, sum?.last ?? more.last), count: more.count + (sum?.count ?? 0))
        }
      }
      let known = filled.compactMap(\.times)
      if let first = known.map(\.first).min(), let last = known.map(\.last).max(),
        known.count == filled.count
      {
        times = (first, last)
      }
    }
  }

  /// Combines receipts by topic; a receipt that is given twice counts once.
  static func sums(of paths: [String]) throws -> [Sum] {
    var seen = Set<[UInt8]>()
    var receipts: [DeliveryReceipt] = []
    for path in paths {
      // Once: it may be a pipe.
      let content = try SmallFile.read(path)
      let all = try DeliveryReceipt.all(in: content, of: path)
      guard seen.insert(content).inserted else {
        Diagnostics.warning("\(quoted(path)) is the same as a receipt before it: it counts once")
        continue
      }
      receipts += all
    }
    guard Set(receipts.compactMap(\.cluster)).count < 2 else {
      throw UsageFailure("the receipts are of different Kafka clusters")
    }
    var topics: [String] = []
    for receipt in receipts where !topics.contains(receipt.topic) { topics.append(receipt.topic) }
    return topics.map { topic in Sum(receipts.filter { $0.topic == topic }) }
  }
}

/// Follows acknowledged messages into Druid: waits until the supervisors of their topics have read
/// them, and compares the counts.
struct Reconciliation: ~Copyable {
  /// How long to wait for counts that lag behind offsets, or for the report of a task that is
  /// ending.
  private static let countPatience = Duration.seconds(10)

  private let settings: ReconciliationSettings
  private let client: DruidClient
  private let call = ContinuousClock.now
  private let deadline: ContinuousClock.Instant
  /// The time of the call, by each server's clock.
  private var calls: [String: TimePoint] = [:]
  private var finished: [String: [String: ReadingTask]] = [:]

  init(
    _ settings: ReconciliationSettings, connection: ConnectionSettings, patience: Patience
  ) throws {
    self.settings = settings
    client = try DruidClient(settings: connection, patience: patience)
    deadline = call + settings.limit
  }

  /// - Returns: 0 when everything was read and counted, else 1 or 75; problems are already
  ///   reported.
  mutating func run(
    format: FormatOptions, output: ResultOutput, _ totals: inout ReconciliationTotals
  ) throws -> ExitStatus {
    var rows: [[JSONValue]] = []
    var status = ExitStatus.done
    var unread: [Finding] = []
    var hints: [String] = []
    totals.receipts = settings.receipts.count
    for sum in try DeliveryReceipt.sums(of: settings.receipts) {
      totals.acknowledged += sum.acknowledged
      if sum.failed + sum.unknown > 0 {
        Diagnostics.warning(
          "topic \(quoted(sum.topic)): \(sum.failed) lines were not delivered, and the fate of "
            + "\(sum.unknown) is unknown: the comparison covers the acknowledged ones")
      }
      for finding in try findings(sum) {
        rows += finding.rows
        let said = finding.say(&hints)
        if finding.isUnread { unread.append(finding) }
        totals.take(finding, said)
        // Only a wait that was too short may be fixed by another try.
        if status != .temporary, said != .done { status = said }
      }
    }
    report(unread, &hints)
    for hint in hints { Diagnostics.hint(hint) }
    var format = format
    if output.isTerminal { format.terminalWidth = Terminal.width(1) }
    try write(rows, columns: Finding.columns, format: format, output: output)
    return status
  }

  /// Reports the topics that were not read in time, in one message: there may be hundreds.
  private func report(_ unread: [Finding], _ hints: inout [String]) {
    guard let first = unread.first, let complaint = first.complaint else { return }
    let count = Set(unread.map(\.sum.topic)).count
    let others = count == 1 ? "" : " (and \(count - 1) other topic\(count == 2 ? "" : "s"))"
    Diagnostics.error("topic \(quoted(first.sum.topic))\(others): \(complaint)")
    hints.append("wait longer with --within, or check the supervisor's status")
  }

  /// Waits until everything is read and counted, or further waiting is pointless.
  private mutating func findings(_ sum: DeliveryReceipt.Sum) throws -> [Finding] {
    guard sum.acknowledged > 0 else { return [Finding(sum, supervisor: nil)] }
    var pause = Duration.milliseconds(50)
    var countDeadline: ContinuousClock.Instant?
    var last: [Finding] = []
    var reason: String?
    while true {
      do {
        last = try look(for: sum)
        reason = last.isEmpty ? "no supervisor reads the topic" : last.compactMap(\.lack).first
      } catch let failure as DruidFailure where failure.isTransient {
        reason = failure.message
      } catch let failure as DruidFailure where failure.kind == .timedOut {
        // The last request ran into the deadline, so the reason before it is more informative.
        reason = last.isEmpty ? reason ?? failure.message : last.compactMap(\.lack).first
      }
      let now = ContinuousClock.now
      if reason == nil {
        let isKnown = last.allSatisfy(\.isEqual)
        let end = countDeadline ?? min(deadline, now + Self.countPatience)
        countDeadline = end
        if isKnown || now >= end {
          Diagnostics.endProgress()
          for index in last.indices { try last[index].count(client, deadline: now + .seconds(10)) }
          return last
        }
        reason = "the counts are not complete yet"
      }
      guard now < deadline else {
        Diagnostics.endProgress()
        if last.isEmpty { last = [Finding(sum, supervisor: nil)] }
        for index in last.indices { last[index].giveUp(after: settings.limit, reason) }
        return last
      }
      Diagnostics.progress("waiting: topic \(quoted(sum.topic)): \(reason ?? "")")
      try client.sleep(min(pause, now.duration(to: deadline)))
      pause = min(pause * 2, .seconds(1))
    }
  }

  /// What each supervisor of a topic has read so far.
  private mutating func look(for sum: DeliveryReceipt.Sum) throws -> [Finding] {
    var findings: [Finding] = []
    let sent = ContinuousClock.now
    for supervisor in try client.supervisors(reading: sum.topic, deadline: deadline) {
      var finding = Finding(sum, supervisor: supervisor)
      if calls[supervisor.id] == nil, let time = supervisor.generated {
        let since = Int64(call.duration(to: sent).inSeconds * 1000)
        calls[supervisor.id] = TimePoint(milliseconds: time.milliseconds - since)
      }
      let isFresh =
        supervisor.isCompleted
        || (supervisor.measured.map { $0 >= calls[supervisor.id] ?? $0 } ?? false)
      finding.take(
        try client.history(
          of: supervisor, topic: sum.topic, wanted: sum.wanted,
          finished: &finished[supervisor.id, default: [:]], deadline: deadline), isFresh: isFresh)
      findings.append(finding)
    }
    return findings
  }
}

/// The summary of a reconciliation, for `--summary`.
struct ReconciliationTotals {
  var receipts = 0
  var acknowledged: Int64 = 0
  /// `nil` once it is unknown for one of the supervisors.
  private var read: Int64? = 0
  private var difference: Int64? = 0
  /// Supervisors and topics that do not add up.
  var failed = 0

  fileprivate mutating func take(_ finding: Finding, _ status: ExitStatus) {
    read = read.flatMap { sum in finding.readForCertain.map { sum + $0 } }
    difference = difference.flatMap { sum in finding.difference.map { sum + $0 } }
    if status != .done { failed += 1 }
  }

  func summary(seconds span: Duration) -> String {
    JSONValue.object([
      "receipts": .integer(receipts), "acknowledged": .integer(acknowledged),
      "read": read.map { .integer($0) } ?? .null,
      "difference": difference.map { .integer($0) } ?? .null, "failed": .integer(failed),
      "seconds": .number(span.inMilliseconds),
    ]).jsonText
  }
}

/// The state of a topic's messages in one datasource.
private struct Finding {
  let sum: DeliveryReceipt.Sum
  private let supervisor: SupervisorStatus?
  private var verdicts: [Int: ReadingHistory.Verdict] = [:]
  private var counts: RowCounts?
  private var visible: Int64?
  private var isRolledUp: Bool?
  private(set) var complaint: String?
  /// The reason to keep waiting; `nil` when everything is read.
  private(set) var lack: String?

  init(_ sum: DeliveryReceipt.Sum, supervisor: SupervisorStatus?) {
    self.sum = sum
    self.supervisor = supervisor
    if sum.acknowledged == 0 { counts = RowCounts() }
  }

  private var name: String {
    supervisor.map { "supervisor \(quoted($0.id))" } ?? "topic \(quoted(sum.topic))"
  }

  mutating func take(_ history: ReadingHistory, isFresh: Bool) {
    for (partition, wanted) in sum.wanted {
      verdicts[partition] = history.verdict(on: partition, wanted)
    }
    if supervisor?.isSuspended == true, !isRead {
      lack = "\(name) is suspended"
    } else if hasUnread {
      lack = "\(name) has read \(read) of \(sum.acknowledged) acknowledged messages"
    } else if !isFresh {
      // Offsets of an older topic of the same name would look the same.
      lack = "\(name) measured its offsets before the call"
    } else {
      counts = history.counts(of: sum.wanted)
    }
  }

  private var isRead: Bool {
    verdicts.count == sum.wanted.count && verdicts.values.allSatisfy { $0 == .read }
  }
  private var hasUnread: Bool {
    verdicts.values.contains { if case .unread = $0 { true } else { false } }
  }

  /// The number of messages that were certainly read.
  private var read: Int64 {
    verdicts.reduce(0) { $0 + (count(read: $1.key) ?? 0) }
  }

  /// The same; `nil` where that of a partition is unknown.
  var readForCertain: Int64? { verdicts.values.contains(.unknown) ? nil : read }

  private func count(read partition: Int) -> Int64? {
    switch verdicts[partition] {
    case .read: sum.wanted[partition]?.count
    case .unread(let count): count
    case .unknown, nil: nil
    }
  }

  var difference: Int64? { counts.map { sum.acknowledged - $0.total } }
  /// Whether everything is read and each message is counted.
  var isEqual: Bool { lack == nil && (isRead || sum.acknowledged == 0) && difference == 0 }

  /// Counts the rows that a query returns.
  mutating func count(
    _ client: borrowing DruidClient, deadline: ContinuousClock.Instant
  ) throws {
    guard let supervisor else { return }
    do {
      guard let rollup = try client.rollup(of: supervisor, deadline: deadline) else { return }
      isRolledUp = rollup.isOn
      guard let times = sum.times else { return }
      // The times of rows are truncated to the granularity.
      let span = max(1, rollup.granularity.components.seconds * 1000)
      let first = times.first.milliseconds - (times.first.milliseconds % span + span) % span
      visible = try client.count(
        of: supervisor.dataSource, from: TimePoint(milliseconds: first), through: times.last,
        deadline: deadline)
    } catch let failure as DruidFailure {
      Diagnostics.verbose("visible rows are not counted: \(failure.message)")
    }
  }

  mutating func giveUp(after limit: Duration, _ reason: String?) {
    complaint = "not all was read within \(limit.inSeconds) s: \(lack ?? reason ?? "")"
  }

  private var state: String {
    if complaint != nil { return "unread" }
    guard sum.acknowledged == 0 || isRead, let difference else { return "unknown" }
    return difference == 0 ? "equal" : difference > 0 ? "missing" : "extra"
  }

  var isUnread: Bool { complaint != nil }

  /// Reports what is wrong, except for what was not read in time, and returns the exit status.
  ///
  /// - Parameter hints: what to do about it, each once.
  func say(_ hints: inout [String]) -> ExitStatus {
    if let counts, counts.unparseable + counts.withErrors > 0 {
      Diagnostics.warning(
        "\(name): \(counts.unparseable) messages could not be parsed, and \(counts.withErrors) "
          + "have an error in a field")
    }
    if isUnread { return .temporary }
    switch state {
    case "equal": return .done
    case "missing":
      Diagnostics.error(
        "\(name): \(difference ?? 0) of \(sum.acknowledged) acknowledged messages are in none of "
          + "its counts")
    case "extra":
      Diagnostics.error(
        "\(name) counts \(-(difference ?? 0)) more than the \(sum.acknowledged) acknowledged "
          + "messages: one may hold several rows")
    default:
      Diagnostics.error(
        "\(name): "
          + (isRead
            ? "all was read, but how the messages were counted is unknown: its tasks also read "
              + "other messages, or report no counts"
            : "whether all was read is unknown: earlier tasks do not report it"))
      let hint = "give the receipts of all that was sent since the tasks began"
      if isRead, !hints.contains(hint) { hints.append(hint) }
    }
    return .incomplete
  }

  static let columns: [Column] = [
    ("datasource", "STRING", "VARCHAR"), ("topic", "STRING", "VARCHAR"),
    ("partition", "LONG", "BIGINT"), ("acknowledged", "LONG", "BIGINT"), ("read", "LONG", "BIGINT"),
    ("processed", "LONG", "BIGINT"), ("with_errors", "LONG", "BIGINT"),
    ("unparseable", "LONG", "BIGINT"), ("thrown_away", "LONG", "BIGINT"),
    ("visible", "LONG", "BIGINT"), ("rollup", "LONG", "BOOLEAN"), ("difference", "LONG", "BIGINT"),
    ("state", "STRING", "VARCHAR"),
  ].map { Column(name: $0.0, nativeType: $0.1, sqlType: $0.2) }

  /// A row for each partition, and one for the total.
  var rows: [[JSONValue]] {
    func number(_ value: Int64?) -> JSONValue { value.map { .integer($0) } ?? .null }
    let names: [JSONValue] = [
      supervisor.map { .string($0.dataSource) } ?? .null, .string(sum.topic),
    ]
    let nothing = [JSONValue](repeating: .null, count: 7)
    let partitions = sum.wanted.sorted { $0.key < $1.key }.map { partition, wanted in
      let state =
        switch verdicts[partition] {
        case .read: "read"
        case .unread, nil: "unread"
        case .unknown: "unknown"
        }
      return names + [
        .integer(partition), .integer(wanted.count), number(count(read: partition)),
      ] + nothing + [.string(state)]
    }
    return partitions + [
      names + [.null, .integer(sum.acknowledged), number(readForCertain)] + [
        number(counts?.processed), number(counts?.withErrors), number(counts?.unparseable),
        number(counts?.thrownAway), number(visible), isRolledUp.map { .bool($0) } ?? .null,
        number(difference), .string(state),
      ]
    ]
  }
}
