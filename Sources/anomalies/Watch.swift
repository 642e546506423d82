import AnomalyDetection
import Glibc
import Plumbing

/// A watched key: the total, or a value of a breakdown.
struct Slot {
  /// The index of the breakdown; -1 for the total.
  var breakdown: Int
  var id: Int
  /// `country=India`, or `total`.
  var label: String
  /// Field and value.
  var filter: [(field: String, value: String)]
  /// The first bucket of which the key is part, and the last one with a row, in milliseconds.
  var firstBucket: Int64
  var lastSeen: Int64
  var isLive = true
  /// Start of a silence that was reported, in milliseconds; nil for none.
  var silentSince: Int64?
  /// Buckets outside of reported silences, and how many of them had no row.
  var buckets = 0
  var emptyBuckets = 0
}

/// The values of a breakdown, and which of them are watched.
struct BreakdownState {
  var table = KeyTable()
  /// By id: the slot (-1 for none), and the first and the end of the buckets of which it is part.
  var slots: [Int32] = []
  var since: [Int64] = []
  var until: [Int64] = []
  /// By id, for breakdowns that only watch the largest values: the number of rows, halved every
  /// day.
  var weights: [Double] = []
  var nextRanking: Int64 = .min
  var rankings = 0

  mutating func admit(_ id: Int) {
    while slots.count <= id {
      slots.append(-1)
      since.append(0)
      until.append(0)
    }
  }
}

/// The main state of the command: takes rows, judges closed buckets and keeps incidents.
struct Watch: ~Copyable {
  let settings: Settings
  let measureCount: Int
  var breakdowns: [BreakdownState]
  var slots: [Slot] = []
  var freeSlots: [Int] = []
  var liveCount = 0
  /// The live slots in the order in which they are judged. Rebuilt when slots are added or removed.
  var order: [Int] = []
  var isOrdered = true

  // Events: buckets that still accept rows, by time, and old ones for reuse.
  var open: [OpenBucket] = []
  var recent = 0
  var spare: [OpenBucket] = []
  /// Rows: values of times that are not complete, and values held until the interval of the rows is
  /// known.
  var waiting: [RowBucket] = []
  var held: [RowBucket] = []

  /// The newest time of all rows, and the clock if it is in use; in milliseconds.
  var newest: Int64 = .min
  var clock: Int64 = .min
  var lastClosed: Int64?
  /// Events: which times are believed.
  var horizon: Horizon
  /// Rows: the last judged time.
  var lastPlayed: Int64?
  var every: Int64
  var detector: (any Detector)?
  var tempo: TallyTempo?
  var zone: TimeZoneOffsets
  var incidents: IncidentKeeper
  var history: ReportHistory?
  var values = BucketValues()
  var output: ResultOutput
  var times = TimeText()
  var rows = 0
  var late = 0
  var evicted = 0
  var complaints = Complaints()
  /// The last time far ahead, and the number of such times in a row. They may be the new present.
  var farTime: Int64 = 0
  var farCount = 0
  let evaluator: RowEvaluator
  var scratch: [UInt8] = []
  var rowSlots: [Int] = []
  /// The amounts that the current row adds to each count and sum.
  var rowAmounts: [Double]

  init(_ settings: Settings, output: consuming ResultOutput) {
    self.settings = settings
    measureCount = settings.plan.measures.count
    breakdowns = settings.breakdowns.map { _ in BreakdownState() }
    every = settings.every ?? 0
    horizon = Horizon(lag: settings.lag)
    zone = settings.zone
    incidents = IncidentKeeper(settings)
    evaluator = RowEvaluator(settings.plan)
    rowAmounts = [Double](repeating: 0, count: evaluator.additives.count)
    self.output = output
    if settings.reportPath != nil { history = ReportHistory(settings) }
    if settings.hasValues ? settings.breakdowns.isEmpty : true {
      slots = [
        Slot(
          breakdown: -1, id: 0, label: "total", filter: [], firstBucket: .min, lastSeen: .min)
      ]
      liveCount = 1
      order = [0]
    }
    if every > 0 { makeDetector() }
  }

  /// Makes the detector, once the length of a bucket is known.
  mutating func makeDetector() {
    let seconds = Double(every) / 1000
    let rules = settings.isReference ? TallyRules.reference : .shipped
    let tempo = TallyTempo(rules, seconds: seconds)
    self.tempo = tempo
    if settings.lens == .novelty {
      detector = FootprintDetector(
        measureCount: measureCount, seconds: seconds, repeats: settings.repeats)
    } else {
      let isRows = settings.breakdowns.isEmpty
      let measures = settings.plan.measures
      let traits = measures.map {
        MeasureTraits(
          isRows: isRows, usesCommonFactor: $0.isAdditive && !isRows,
          findsStuckValues: $0.kind == .count || $0.kind == .distinct,
          isSum: $0.kind == .sum, isValue: $0.kind == .value,
          isMean: $0.kind == .mean)
      }
      let common =
        measures.firstIndex { $0.kind == .distinct } ?? measures.firstIndex { $0.kind == .count }
      let hasTotal = !settings.hasValues
      detector =
        settings.isReference
        ? ExactTally(
          measures: traits, common: hasTotal ? common : nil, tempo: tempo)
        : CompactTally(
          measures: traits, common: hasTotal ? common : nil, tempo: tempo)
    }
    detector?.grow(to: slots.count)
  }

  // MARK: Keys

  /// Adds a slot for a value of a breakdown, which is part of buckets from `bucket` on.
  mutating func addSlot(breakdown: Int, id: Int, from bucket: Int64) -> Int {
    let text = breakdowns[breakdown].table.text(of: id)
    let names = settings.breakdowns[breakdown].names
    let pieces = text.split(separator: "\u{1f}", omittingEmptySubsequences: false).map(String.init)
    let filter = zip(names, pieces).map { (field: $0, value: $1) }
    let slot = Slot(
      breakdown: breakdown, id: id,
      label: filter.map { "\($0.field)=\($0.value)" }.joined(separator: ","), filter: filter,
      firstBucket: bucket, lastSeen: bucket)
    let index: Int
    if let free = freeSlots.popLast() {
      index = free
      slots[index] = slot
      detector?.clear(slot: index)
    } else {
      index = slots.count
      slots.append(slot)
    }
    breakdowns[breakdown].admit(id)
    breakdowns[breakdown].slots[id] = Int32(index)
    breakdowns[breakdown].since[id] = bucket
    breakdowns[breakdown].until[id] = .max
    liveCount += 1
    isOrdered = false
    return index
  }

  mutating func dropSlot(_ index: Int) {
    let slot = slots[index]
    breakdowns[slot.breakdown].slots[slot.id] = -1
    slots[index].isLive = false
    freeSlots.append(index)
    liveCount -= 1
    isOrdered = false
    incidents.forget(slot: index, measures: measureCount)
  }

  /// Sorts the slots into the order in which they are judged: the total, then the breakdowns, each
  /// by the bytes of its keys.
  mutating func orderSlots() {
    if isOrdered { return }
    isOrdered = true
    let slots = self.slots
    order = slots.indices.filter { slots[$0].isLive }
    let tables = breakdowns.map(\.table)
    order.sort { a, b in
      let (left, right) = (slots[a], slots[b])
      if left.breakdown != right.breakdown { return left.breakdown < right.breakdown }
      return left.breakdown >= 0 && tables[left.breakdown].precedes(left.id, right.id)
    }
  }

  /// Removes the keys that have been unseen the longest, down to `--max-keys`.
  mutating func evict(after bucket: Int64) {
    guard liveCount > settings.maximumKeys + 1 else { return }
    orderSlots()
    var candidates = order.filter { slots[$0].breakdown >= 0 && slots[$0].lastSeen <= bucket }
    candidates.sort { slots[$0].lastSeen < slots[$1].lastSeen }
    let surplus = liveCount - settings.maximumKeys - 1
    for index in candidates.prefix(surplus) { dropSlot(index) }
    evicted += min(surplus, candidates.count)
    compactTables()
  }

  /// Frees the memory of removed keys, when they are the majority.
  private mutating func compactTables() {
    for index in breakdowns.indices where settings.breakdowns[index].limit == nil {
      let known = breakdowns[index].table.count
      let kept = breakdowns[index].slots.indices.filter { breakdowns[index].slots[$0] >= 0 }
      guard known > 1024, kept.count * 2 < known else { continue }
      breakdowns[index].table.keep(kept)
      var state = BreakdownState()
      state.table = breakdowns[index].table
      for (id, old) in kept.enumerated() {
        state.slots.append(breakdowns[index].slots[old])
        state.since.append(breakdowns[index].since[old])
        state.until.append(breakdowns[index].until[old])
        slots[Int(state.slots[id])].id = id
      }
      breakdowns[index] = state
    }
  }

  // MARK: Fields of a row

  func fieldName(_ field: Int) -> String { settings.plan.fields[field] }

  /// The time of a row; nil with the reason when it can't be used.
  mutating func time(of row: borrowing RowReader) -> (Int64?, reason: String) {
    let field = settings.timeField
    guard row.isScalar(field) else { return (nil, "no time in '\(fieldName(field))'") }
    var times = self.times
    let time = row.withField(field) { times.milliseconds($0) }
    self.times = times
    guard let time else { return (nil, "an unreadable time") }
    return TimeText.range.contains(time) ? (time, "") : (nil, "a far-off time")
  }

  // MARK: Clock and progress

  /// Closes the buckets that are complete by the clock.
  mutating func closeByClock() throws {
    guard clock > .min else { return }
    if settings.hasValues { try closeRows() } else { try closeDue() }
  }

  /// Shows progress on a terminal, unless it came too soon after the last.
  func showProgress() -> Bool {
    Diagnostics.progress(progressText)
  }

  private var progressText: String {
    guard newest > .min else { return "waiting for rows" }
    let moment = TimePoint(milliseconds: newest).iso8601.prefix(16)
    let first = slots.lazy.map(\.firstBucket).filter { $0 > .min }.min() ?? newest
    let learnt = first + Int64(TallyRules.shipped.warmUp * 1000)
    let words =
      settings.lens == .flow && newest < learnt
      ? ", learning until \(TimePoint(milliseconds: learnt).iso8601.prefix(16))" : ""
    let open = incidents.open.count
    return "\(rows) rows to \(moment), \(open) incident\(open == 1 ? "" : "s") open\(words)"
  }

  // MARK: Judging

  /// Judges the values of a bucket and reports the result.
  ///
  /// - Parameter start: when the bucket starts, in milliseconds.
  mutating func judge(start: Int64) throws {
    guard let detector, let tempo else { return }
    // The total is there before any row.
    if slots.first?.firstBucket == .min { slots[0].firstBucket = start }
    orderSlots()
    detector.grow(to: slots.count)
    // The flow lens takes the hour of a bucket's middle, the novelty lens the hour of its start.
    let offset = zone.seconds(at: start + every / 2)
    let time = Double(start) / 1000
    let hour =
      settings.lens == .novelty
      ? FootprintDetector.slot(time, offset: offset) : tempo.hourOfWeek(time, offset: offset)
    let events =
      settings.calendar.isEmpty
      ? [] : settings.calendar.active(from: start, to: start + every)
    let expected = events.isEmpty ? [] : slots.map { isCovered($0, by: events) }
    detector.judge(
      time: time, hour: hour, values: values, order: order, expected: expected)
    if settings.scoresAll {
      try writeScores(start: start)
    } else {
      try incidents.take(
        start: start, every: every, values: values, detector: detector, slots: slots, order: order,
        events: events, expected: expected, output: &output)
    }
    if settings.silence != nil { try reportSilence(start: start) }
    history?.take(
      start: start, every: every, values: values, detector: detector, slots: slots, order: order)
  }

  /// Whether an expected event affects a key: the key itself, the total, or a key of another
  /// breakdown.
  private func isCovered(_ slot: Slot, by events: [Label]) -> Bool {
    events.contains { event in
      slot.filter.allSatisfy { mine in
        event.filter.allSatisfy { $0.field != mine.field || $0.value == mine.value }
      }
    }
  }

  /// Opens an incident for each key that has fallen silent, and closes it when rows come again.
  private mutating func reportSilence(start: Int64) throws {
    guard let silence = settings.silence else { return }
    for index in order where slots[index].lastSeen > .min && slots[index].firstBucket <= start {
      let gap = start + every - slots[index].lastSeen
      if gap < silence + every {
        slots[index].buckets += 1
        if slots[index].lastSeen < start { slots[index].emptyBuckets += 1 }
        guard let since = slots[index].silentSince else { continue }
        slots[index].silentSince = nil
        try incidents.endSilence(
          of: slots[index], since: since, end: slots[index].lastSeen, at: start + every,
          tells: !settings.scoresAll, output: &output)
      } else if slots[index].silentSince == nil {
        slots[index].silentSince = slots[index].lastSeen + every
        try incidents.beginSilence(
          of: slots[index], every: every, keys: order.count, at: start + every,
          tells: !settings.scoresAll, output: &output)
      }
    }
  }

  private mutating func writeScores(start: Int64) throws {
    guard let detector else { return }
    for slot in order where slots[slot].firstBucket <= start {
      for measure in 0..<measureCount {
        let index = slot * measureCount + measure
        let exposure = values.exposures[index]
        if settings.hasValues, exposure == 0, fillsNothing(start) { continue }
        let verdict = detector.verdicts[index]
        try output.write(
          .score(
            ScoreLine(
              time: start, key: slots[slot].label, measure: settings.plan.measures[measure].name,
              value: values.amounts[index], exposure: exposure, verdict: verdict,
              scale: verdict.lens.name(memory: detector.memory(of: verdict.lens)),
              isQuotient: settings.plan.measures[measure].exposure != nil)))
      }
    }
  }

  /// Whether rows have many keys: then a key without a row has no line. A single series has a line
  /// for each row.
  private func fillsNothing(_ start: Int64) -> Bool { !settings.breakdowns.isEmpty }
}

/// Reasons why rows could not be used, with counts and the first line of each.
struct Complaints {
  private(set) var reasons: [(reason: String, count: Int, line: Int)] = []

  var total: Int { reasons.reduce(0) { $0 + $1.count } }

  mutating func add(_ reason: String, line: Int) {
    if let index = reasons.firstIndex(where: { $0.reason == reason }) {
      reasons[index].count += 1
    } else if reasons.count < 64 {
      reasons.append((reason, 1, line))
    } else {
      reasons[63].count += 1
    }
  }

  /// Reports each reason once.
  func report() {
    for one in reasons {
      let first = one.count == 1 ? "line \(one.line)" : "\(one.count) lines, first line \(one.line)"
      Diagnostics.error("\(first): \(one.reason)")
    }
  }

  var json: JSONValue {
    .object(reasons.map { .init(key: $0.reason, value: .integer($0.count)) })
  }
}
