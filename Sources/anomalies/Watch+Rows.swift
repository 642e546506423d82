import AnomalyDetection
import JSONLines
import Plumbing

/// The values of one time, by series; nil for a series without a value.
struct RowBucket {
  let time: Int64
  var values: [Double?]
}

/// Rows: values from the input, one row for each time, or for each key and time.
extension Watch {
  /// The number of steps between rows from which their interval is determined.
  private static let steps = 119
  /// A time that is further from the newest one is only accepted after more such times.
  private static let near: Int64 = 400 * 86_400_000
  private static let longestFill = 100_000

  /// Takes one row.
  ///
  /// - Returns: why it can't be used; nil when it was.
  mutating func takeRow(_ row: borrowing RowReader) throws -> String? {
    let (found, failure) = time(of: row)
    guard let time = found else { return failure }
    if newest > .min {
      let near = max(Self.near, 1000 &* every)
      let isFar = time > watermark &+ near || (isImmediate && time < newest &- near)
      guard !isFar || isBelieved(time, near: near) else { return "a far-off time" }
      if isFar { newest = time } else { farCount = 0 }
    }
    var slot = 0
    var reason: String?
    if !settings.breakdowns.isEmpty {
      for field in settings.breakdowns[0].fields where row.isMissing(field) {
        return "no value in '\(fieldName(field))'"
      }
    }
    if settings.breakdowns.isEmpty, settings.lag == 0, settings.fill == nil, every > 0 {
      // The usual case: one series, judged row by row.
      values.reset(measureCount)
      for (index, measure) in settings.plan.measures.enumerated() {
        let (value, failure) = number(row, measure.amount)
        if let failure { reason = failure }
        values.amounts[index] = value ?? .nan
        values.exposures[index] = value == nil ? 0 : 1
      }
      rows += 1
      newest = max(newest, time)
      slots[0].lastSeen = max(slots[0].lastSeen, time)
      lastClosed = time
      try judge(start: time)
      return reason
    }
    if !settings.breakdowns.isEmpty {
      let id = id(of: row, 0)
      slot = id < breakdowns[0].slots.count ? Int(breakdowns[0].slots[id]) : -1
      if slot < 0 { slot = addSlot(breakdown: 0, id: id, from: time) }
      if slots[slot].firstBucket > time { slots[slot].firstBucket = time }
    }
    if !isImmediate, let lastClosed, time <= lastClosed {
      late += 1
      rows += 1
      return nil
    }
    slots[slot].lastSeen = max(slots[slot].lastSeen, time)
    let place = self.place(of: time)
    for (index, measure) in settings.plan.measures.enumerated() {
      let (value, failure) = number(row, measure.amount)
      if let failure { reason = failure }
      guard let value else { continue }
      let series = slot * measureCount + index
      while waiting[place].values.count <= series { waiting[place].values.append(nil) }
      // Several rows of one key and time are added up.
      waiting[place].values[series] = (waiting[place].values[series] ?? 0) + value
    }
    rows += 1
    if time > newest { newest = time }
    try closeRows()
    return reason
  }

  /// Whether each row is judged immediately, in the order of the input.
  private var isImmediate: Bool { settings.breakdowns.isEmpty && settings.lag == 0 }

  private func number(_ row: borrowing RowReader, _ field: Int) -> (
    value: Double?, failure: String?
  ) {
    switch row.kind(field) {
    case .absent: return (nil, "no field '\(fieldName(field))'")
    case .null: return (nil, nil)
    default:
      if let number = row.number(field), number.isFinite { return (number, nil) }
      let isMissing = row.withField(field) { bytes in
        bytes.byteCount <= 4 && ["", "nan", "na", "null", "n/a"].contains(bytes.text.lowercased())
      }
      return isMissing ? (nil, nil) : (nil, "no number in '\(fieldName(field))'")
    }
  }

  /// The index of the bucket for a time.
  private mutating func place(of time: Int64) -> Int {
    if isImmediate {
      waiting.append(RowBucket(time: time, values: []))
      return waiting.count - 1
    }
    let place = waiting.lastIndex { $0.time <= time }
    if let place, waiting[place].time == time { return place }
    waiting.insert(RowBucket(time: time, values: []), at: (place ?? -1) + 1)
    return (place ?? -1) + 1
  }

  /// Judges the times for which no more rows can arrive.
  mutating func closeRows() throws {
    while let first = waiting.first {
      let isOver = newest > first.time + settings.lag
      // By the clock, a time is complete when the next one is due.
      let isDue = every > 0 && clock >= first.time + every + settings.lag
      guard isImmediate || isOver || isDue else { return }
      held.append(waiting.removeFirst())
      lastClosed = first.time
      if every > 0 || held.count > Self.steps { try playHeld() }
    }
  }

  /// At the end of the input: determines the interval of the rows if necessary, and judges the
  /// remaining ones.
  ///
  /// - Parameter isLast: whether no more rows will arrive. With a state file, the last time stays
  ///   open.
  mutating func finishRows(isLast: Bool) throws {
    guard isLast else { return }
    while !waiting.isEmpty {
      held.append(waiting.removeFirst())
      lastClosed = held.last?.time
    }
    if !held.isEmpty { try playHeld() }
  }

  private mutating func playHeld() throws {
    if every == 0 {
      every = Self.distance(held.map(\.time))
      makeDetector()
    }
    let buckets = held
    held = []
    for bucket in buckets { try play(bucket) }
  }

  /// The median interval, in milliseconds; five minutes if there is none.
  static func distance(_ times: [Int64]) -> Int64 {
    let steps = zip(times, times.dropFirst()).map { $1 - $0 }.sorted()
    let median = steps.isEmpty ? 300_000 : steps[steps.count / 2]
    if median > 0 { return median }
    return steps.first { $0 > 0 } ?? 300_000
  }

  private mutating func play(_ bucket: RowBucket) throws {
    if let fill = settings.fill, let last = lastPlayed, bucket.time > last {
      var next = last + every
      var count = 0
      while next + every / 2 < bucket.time, count < Self.longestFill {
        try play(RowBucket(time: next, values: []), filling: fill)
        next += every
        count += 1
      }
    }
    try play(bucket, filling: settings.fill)
    evict(after: bucket.time)
  }

  private mutating func play(_ bucket: RowBucket, filling fill: Double?) throws {
    lastPlayed = bucket.time
    values.reset(slots.count * measureCount)
    for slot in slots.indices where slots[slot].isLive {
      for measure in 0..<measureCount {
        let index = slot * measureCount + measure
        var value = index < bucket.values.count ? bucket.values[index] : nil
        if value == nil, let fill, slots[slot].firstBucket <= bucket.time { value = fill }
        values.amounts[index] = value ?? .nan
        values.exposures[index] = value == nil ? 0 : 1
      }
    }
    try judge(start: bucket.time)
  }
}
