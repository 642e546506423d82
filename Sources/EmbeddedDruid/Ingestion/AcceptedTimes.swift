import Plumbing

/// The event times that a supervisor accepts. Rows before or after are thrown away.
///
/// Druid counts from the creation of a task, and creates a new one after each task duration.
struct AcceptedTimes: Sendable, Equatable {
  /// Milliseconds before the creation of a task.
  var late: Int64?
  /// Milliseconds after the end of a task.
  var early: Int64?
  /// The earliest accepted time.
  var start: Int64?
  var taskDuration: Int64 = 3_600_000

  init() {}

  /// Reads the members of an `ioConfig`.
  init(_ io: JSONValue) throws(SpecFailure) {
    func duration(_ field: String) throws(SpecFailure) -> Int64? {
      guard let value = io[field], !value.isNull else { return nil }
      guard let duration = value.text.flatMap({ Self.milliseconds(ofPeriod: $0) }) else {
        throw .unsupported("ioConfig.\(field)", value.jsonText)
      }
      return duration
    }
    late = try duration("lateMessageRejectionPeriod")
    early = try duration("earlyMessageRejectionPeriod")
    taskDuration = max(1, try duration("taskDuration") ?? taskDuration)
    if let value = io["lateMessageRejectionStartDateTime"], !value.isNull {
      guard let point = value.text.flatMap({ TimePoint(rfc3339: $0) }), late == nil else {
        throw .unsupported("ioConfig.lateMessageRejectionStartDateTime", value.jsonText)
      }
      start = point.milliseconds
    }
  }

  var isEverything: Bool { late == nil && early == nil && start == nil }

  /// The range that a supervisor's tasks currently accept, if its first task was created at `made`.
  func range(made: TimePoint, now: TimePoint) -> ClosedRange<Int64> {
    let age = max(0, now.milliseconds - made.milliseconds)
    let task = made.milliseconds + age / taskDuration * taskDuration
    let first = late.map { task - $0 } ?? start ?? QueryGranularity.leastTime
    let last = early.map { task + taskDuration + $0 } ?? QueryGranularity.greatestTime
    return first...max(first, last)
  }

  /// The length of a period such as `P1DT2H` or `PT30M`. Months and years have no fixed length.
  static func milliseconds(ofPeriod text: String) -> Int64? {
    var rest = Substring(text)
    guard rest.popFirst() == "P", !rest.isEmpty else { return nil }
    var total: Int64 = 0
    var isTime = false
    var units: [Character: Int64] = ["W": 604_800_000, "D": 86_400_000]
    while !rest.isEmpty {
      if rest.first == "T", !isTime {
        rest.removeFirst()
        isTime = true
        units = ["H": 3_600_000, "M": 60_000, "S": 1000]
        guard !rest.isEmpty else { return nil }
        continue
      }
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      guard digits.count < 8, let count = Int64(digits), let unit = rest.popFirst(),
        let length = units.removeValue(forKey: unit)
      else { return nil }
      total += count * length
    }
    return total
  }
}
