import Plumbing

/// `anomalies backtest`: which incidents a file of history would have raised.
enum Backtest {
  static func run(
    _ settings: Settings, watch: (Int32, String) throws -> Anomalies.Outcome
  ) throws -> ExitStatus {
    let file = try InputFile(settings.historyPath ?? "-")
    let outcome = try watch(file.descriptor, file.name)
    let opened = outcome.lines.filter { $0.state == .open }
    guard outcome.first <= outcome.last else {
      throw UnusableInput("\(file.name): it contains no rows")
    }
    if settings.labelsPath == nil {
      try report(opened, outcome, settings)
      return outcome.status
    }
    let labels = try Label.read(settings.labelsPath ?? "")
    var incidents: [Grading.Incident] = []
    for line in outcome.lines {
      let filter =
        line.filter.isEmpty && line.key != "total" ? line.firstSegment : line.filter
      if let index = incidents.firstIndex(where: { $0.id == line.id }) {
        incidents[index].end = max(incidents[index].end, line.end ?? line.time)
        incidents[index].filter = filter
      } else {
        incidents.append(
          .init(
            id: line.id, start: line.start, end: line.end ?? line.time, told: line.time,
            filter: filter, isExpected: line.state == .expected))
      }
    }
    let lengths: [Int64] = opened.map { $0.time - $0.start }.filter { $0 > 0 }
    let bucket: Int64 = lengths.min() ?? 300_000
    let grading = Grading(
      labels, incidents, bucket: bucket, watched: max(86_400_000, outcome.last - outcome.first))
    try report(opened, outcome, settings)
    let status = try grading.report(settings)
    return outcome.status == .done ? status : outcome.status
  }

  /// Writes a line for each week, with its incidents.
  private static func report(
    _ opened: [IncidentLine], _ outcome: Anomalies.Outcome, _ settings: Settings
  ) throws {
    let week: Int64 = 7 * 86_400_000
    var start = outcome.first.floorDivided(by: 86_400_000) * 86_400_000
    var text = ""
    if settings.format == .table {
      text += padded("WEEK FROM", 14) + aligned("INCIDENTS", 10) + "  HIGHEST\n"
    } else if settings.format == .csv {
      text += "week,incidents,highest\n"
    }
    while start <= outcome.last {
      let own = opened.filter { $0.start >= start && $0.start < start + week }
      let highest = own.max { ($0.score ?? 0) < ($1.score ?? 0) }
      let date = String(TimePoint(milliseconds: start).iso8601.prefix(10))
      switch settings.format {
      case .table:
        text +=
          padded(date, 14) + aligned("\(own.count)", 10) + "  " + shown(highest?.why ?? "") + "\n"
      case .csv: text += "\(date),\(own.count),\(csvText(highest?.why ?? ""))\n"
      case .ndjson:
        text +=
          JSONValue.object([
            "week": .string(date), "incidents": .integer(own.count),
            "highest": highest.map { .string($0.why) } ?? .null,
          ]).jsonText + "\n"
      }
      start += week
    }
    try LineWriter.writeToStandardOutput(text)
  }
}

extension IncidentLine {
  /// The filter of the first of several segments.
  fileprivate var firstSegment: [(field: String, value: String)] {
    (key.split(separator: "|").first ?? "").split(separator: ",").compactMap { piece in
      let pair = piece.split(separator: "=", maxSplits: 1)
      return pair.count == 2 ? (field: String(pair[0]), value: String(pair[1])) : nil
    }
  }
}
