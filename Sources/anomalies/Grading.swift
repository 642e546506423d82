import Glibc
import Plumbing

/// Compares incidents with labels of the truth.
struct Grading {
  struct Incident {
    var id: String
    var start: Int64
    var end: Int64
    /// When it was reported.
    var told: Int64
    var filter: [(field: String, value: String)]?
    var isExpected = false
  }

  struct Row {
    var labels = 0
    var found = 0
    var delays: [Double] = []
    var named = 0
    var nameable = 0

    mutating func add(_ other: Row) {
      labels += other.labels
      found += other.found
      delays += other.delays
      named += other.named
      nameable += other.nameable
    }

    var share: Double { labels == 0 ? 1 : Double(found) / Double(labels) }
    /// The median delay in seconds.
    var delay: Double? {
      delays.isEmpty ? nil : delays.sorted()[delays.count / 2]
    }
  }

  /// How long after the start of a lasting change an incident is still about it, in milliseconds.
  private static let longestNews: Int64 = 6 * 3_600_000

  private(set) var rows: [(kind: String, row: Row)] = []
  private(set) var total = Row()
  private(set) var incidents = 0
  private(set) var falseCount = 0
  private(set) var onDecoys = 0
  private(set) var days = 1.0

  var falseADay: Double { Double(falseCount) / days }

  /// - Parameters:
  ///   - bucket: the length of a bucket in milliseconds, which is the precision of an alarm's time.
  ///   - watched: how long was watched, in milliseconds; nil for the time from the first label or
  ///     incident to the last, at least a day.
  init(_ labels: [Label], _ incidents: [Incident], bucket: Int64, watched: Int64? = nil) {
    let raised = incidents.filter { !$0.isExpected }
    self.incidents = raised.count
    let slack = max(bucket, 600_000)
    let truths = labels.filter { !$0.isExpected }
    func isHit(_ incident: Incident, _ label: Label) -> Bool {
      // Late rows come after the end, and a shift is news for some hours only.
      let end =
        label.kind == "shift"
        ? min(label.end, Self.sum(label.start, Self.longestNews)) : label.end
      let until = Self.sum(end, label.kind == "lag" ? 600_000 + slack : slack)
      let begins = incident.start >= label.start - bucket && incident.start <= until
      let goesOn =
        incident.start < label.start && incident.end > label.start
        && Self.names(incident, label) == true
      return begins || goesOn
    }
    // The labels that an incident can belong to: those that it names, if there are any.
    let places = raised.map { incident -> [Int] in
      let near = truths.indices.filter { isHit(incident, truths[$0]) }
      let own = near.filter { Self.touches(incident, truths[$0]) }
      return own.isEmpty ? near : own
    }
    for (place, label) in truths.enumerated() {
      var row = Row(labels: 1)
      let hits = raised.indices.filter { places[$0].contains(place) }.map { raised[$0] }
      let own = hits.first { Self.names($0, label) == true } ?? hits.first
      if let own {
        row.found = 1
        row.delays = [max(0, Double(own.told - label.start) / 1000)]
        if let isNamed = Self.names(own, label) {
          row.nameable = 1
          row.named = isNamed ? 1 : 0
        }
      }
      total.add(row)
      if let index = rows.firstIndex(where: { $0.kind == label.kind }) {
        rows[index].row.add(row)
      } else {
        rows.append((label.kind, row))
      }
    }
    rows.sort { $0.kind < $1.kind }
    for incident in raised {
      func touches(_ label: Label) -> Bool {
        incident.start + bucket > label.start - bucket
          && incident.start < Self.sum(label.end, max(3_600_000, 2 * bucket))
      }
      if truths.contains(where: touches) { continue }
      if labels.contains(where: { $0.isExpected && touches($0) }) {
        onDecoys += 1
      } else {
        falseCount += 1
      }
    }
    let times =
      raised.map(\.start) + labels.map(\.start)
      + labels.map { min($0.end, Int64.max / 4) }
      .filter { $0 < Int64.max / 4 }
    let span = watched ?? max(86_400_000, (times.max() ?? 0) - (times.min() ?? 0))
    days = Double(span) / 86_400_000
  }

  private static func sum(_ a: Int64, _ b: Int64) -> Int64 {
    a.addingReportingOverflow(b).overflow ? .max : a + b
  }

  /// Whether an incident names the label's segment; nil when that can't be decided, as for a city,
  /// which is not watched.
  private static func names(_ incident: Incident, _ label: Label) -> Bool? {
    guard let filter = incident.filter else { return nil }
    if label.filter.contains(where: { $0.field == "city" }) { return nil }
    let wanted = label.filter.filter { $0.field != "event_type" && $0.field != "event" }
    // A label of two fields has no key here, unless pairs are watched.
    if wanted.count > max(1, filter.count) { return nil }
    guard wanted.count == filter.count else { return false }
    return wanted.allSatisfy { one in
      filter.contains { $0.field == one.field && $0.value == one.value }
    }
  }

  /// Whether an incident is about the label's segment or, as the country of a city, one that
  /// contains it.
  private static func touches(_ incident: Incident, _ label: Label) -> Bool {
    if names(incident, label) == true { return true }
    guard let filter = incident.filter, !filter.isEmpty else { return false }
    return filter.allSatisfy { one in
      label.filter.contains { $0.field == one.field && $0.value == one.value }
    }
  }

  // MARK: The command

  /// `anomalies grade`: reads incidents on standard input.
  static func run(_ settings: Settings) throws -> ExitStatus {
    let labels = try Label.read(settings.labelsPath ?? "")
    let (incidents, bucket) = try readIncidents(timeField: settings.alarmTimeField)
    let grading = Grading(labels, incidents, bucket: bucket, watched: settings.watched)
    return try grading.report(settings)
  }

  /// Writes the grades. The status says whether they meet the limits.
  func report(_ settings: Settings) throws -> ExitStatus {
    try LineWriter.writeToStandardOutput(settings.format == .table ? table : json + "\n")
    var status = ExitStatus.done
    if let line = settings.smallestFound, total.share < line {
      Diagnostics.error(
        "found \(rounded(total.share, 3)) of the labels: less than \(rounded(line, 3)) (--min-found)"
      )
      status = .incomplete
    }
    if let line = settings.largestFalse, falseADay > line {
      Diagnostics.error(
        "\(rounded(falseADay, 3)) false incidents a day: more than \(rounded(line, 3)) (--max-false)"
      )
      status = .incomplete
    }
    return status
  }

  private static func readIncidents(timeField: String?) throws -> ([Incident], Int64) {
    var reader = LineReader(
      from: STDIN_FILENO, named: "standard input", maximumLineLength: 1 << 26)
    var incidents: [Incident] = []
    var bucket = Int64.max
    var number = 0
    while let line = try reader.nextLine() {
      number += 1
      if line.byteCount == 0 { continue }
      let bytes = (0..<line.byteCount).map { line.byte($0) }
      guard let object = try? JSONValue(parsing: bytes), object.members != nil else {
        throw UnusableInput("line \(number): not a JSON object")
      }
      let name = timeField ?? "start"
      guard let start = object[name].flatMap(Label.time) else {
        throw UnusableInput(
          "line \(number): no time in '\(name)'",
          hints: ["--time FIELD names the field of other alarms"])
      }
      if timeField != nil {
        // Alarms of another program: those within half an hour of each other are one incident.
        if let last = incidents.last, abs(start - last.end) <= 1_800_000 {
          incidents[incidents.count - 1].end = max(last.end, start)
        } else {
          incidents.append(
            Incident(id: "", start: start, end: start, told: start, filter: filter(object)))
        }
        continue
      }
      let id = object["id"]?.text ?? "line \(number)"
      let time = object["time"].flatMap(Label.time) ?? start
      let state = object["state"]?.text
      if state == "open" || state == nil, time > start { bucket = min(bucket, time - start) }
      let end = object["end"].flatMap(Label.time) ?? time
      if let index = incidents.firstIndex(where: { $0.id == id }) {
        incidents[index].end = max(incidents[index].end, end)
        // The last line of an incident has the best information.
        incidents[index].filter = filter(object) ?? incidents[index].filter
      } else {
        incidents.append(
          Incident(
            id: id, start: start, end: end, told: time, filter: filter(object),
            isExpected: state == "expected"))
      }
    }
    return (incidents, bucket == .max ? 300_000 : bucket)
  }

  private static func filter(_ object: JSONValue) -> [(field: String, value: String)]? {
    guard let members = object["filter"]?.members, object["key"]?.text != nil else { return nil }
    // A set of segments has no filter. The filter of its first segment is used.
    if members.isEmpty, let key = object["key"]?.text, key != "total" {
      let first = key.split(separator: "|").first ?? ""
      return first.split(separator: ",").compactMap { piece in
        let pair = piece.split(separator: "=", maxSplits: 1)
        return pair.count == 2 ? (field: String(pair[0]), value: String(pair[1])) : nil
      }
    }
    return members.map { (field: $0.key, value: $0.value.text ?? $0.value.jsonText) }
  }

  private var table: String {
    var out =
      padded("KIND", 12) + aligned("LABELS", 7) + aligned("FOUND", 7) + aligned("SHARE", 8)
      + aligned("DELAY", 9) + aligned("NAMED", 9) + "\n"
    for (kind, row) in rows + [("all", total)] {
      out += padded(shown(kind), 12) + aligned("\(row.labels)", 7) + aligned("\(row.found)", 7)
      out += aligned(rounded(row.share, 2), 8)
      out += aligned(row.delay.map { "\(rounded($0 / 60, 1))m" } ?? "-", 9)
      out += aligned(row.nameable == 0 ? "-" : "\(row.named)/\(row.nameable)", 9) + "\n"
    }
    out += "\(incidents) \(incidents == 1 ? "incident" : "incidents") in "
    out += "\(rounded(days, 1)) \(days == 1 ? "day" : "days"): \(falseCount) false"
    out += " (\(rounded(falseADay, 2)) a day), \(onDecoys) on expected events\n"
    return out
  }

  private var json: String {
    func object(_ row: Row) -> [JSONValue.Member] {
      [
        .init(key: "labels", value: .integer(row.labels)),
        .init(key: "found", value: .integer(row.found)),
        .init(key: "share", value: .number(rounded(row.share, 4))),
        .init(key: "delay", value: row.delay.map { .number(rounded($0, 1)) } ?? .null),
        .init(key: "named", value: .integer(row.named)),
        .init(key: "nameable", value: .integer(row.nameable)),
      ]
    }
    let kinds = rows.map { JSONValue.Member(key: $0.kind, value: .object(object($0.row))) }
    return JSONValue.object(
      object(total) + [
        .init(key: "incidents", value: .integer(incidents)),
        .init(key: "false", value: .integer(falseCount)),
        .init(key: "false_a_day", value: .number(rounded(falseADay, 4))),
        .init(key: "on_expected", value: .integer(onDecoys)),
        .init(key: "days", value: .number(rounded(days, 3))),
        .init(key: "kinds", value: .object(kinds)),
      ]
    ).jsonText
  }
}
