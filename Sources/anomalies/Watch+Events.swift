import AnomalyDetection
import JSONLines
import Plumbing

/// Events: rows are counted into buckets, and a bucket is judged when no more rows can arrive for
/// it.
extension Watch {
  /// A time that is further ahead than this is only accepted after more such times.
  private static let farAhead: Int64 = 30 * 86_400_000
  /// Buckets without a row are judged as empty, but no more than this span at once.
  private static let longestGap: Int64 = 30 * 86_400_000
  private static let day: Int64 = 86_400_000

  /// The watermark: the newest time, or the clock if it is in use.
  var watermark: Int64 { max(newest, clock) }

  /// Counts one event.
  ///
  /// - Returns: why the row can't be used; nil when it was.
  mutating func takeEvent(_ row: borrowing RowReader) throws -> String? {
    let (found, failure) = time(of: row)
    guard let time = found else { return failure }
    for breakdown in settings.breakdowns.indices {
      for field in settings.breakdowns[breakdown].fields {
        if !row.isName(field) {
          return "no value in '\(fieldName(field))'"
        }
      }
    }
    let truths = evaluator.truths(row)
    if let reason = amountReason(row, truths) { return reason }
    if clock > .min, time > clock &+ Self.day { return "a far-off time" }
    let known = newest
    if newest != .min, time > watermark &+ Self.farAhead {
      guard isBelieved(time, near: Self.farAhead) else { return "a far-off time" }
      newest = time
    } else {
      farCount = 0
      guard horizon.take(time, newest: &newest, clock: clock) else { return "a far-off time" }
    }
    if newest > known { try closeDue() }
    rows += 1
    let start = time.floorDivided(by: every) * every
    let isLate = watermark - time > settings.lag
    if isLate { late += 1 }
    guard start + every + settings.lag > watermark else {
      countLate(row)
      return nil
    }
    let bucket = bucket(from: start)
    findSlots(row, bucket, start)
    add(row, truths, to: bucket)
    if isLate { countLate(row) }
    return nil
  }

  /// At the end of the input: closes the buckets that the latest events leave behind.
  mutating func finishEvents() throws {
    horizon.finish(newest: &newest)
    try closeDue()
  }

  /// Whether a far-off time is the new present: the third such time in a row, all close together.
  mutating func isBelieved(_ time: Int64, near: Int64) -> Bool {
    farCount = farCount > 0 && abs(time - farTime) <= near ? farCount + 1 : 1
    farTime = time
    guard farCount >= 3 else { return false }
    farCount = 0
    return true
  }

  /// Computes the amounts that the row adds to each aggregate, into ``rowAmounts``. Returns why
  /// that fails, or nil.
  @inline(__always)
  private mutating func amountReason(_ row: borrowing RowReader, _ truths: UInt64) -> String? {
    for index in evaluator.additives.indices {
      let one = evaluator.additives[index]
      guard RowEvaluator.applies(one.condition, truths) else { continue }
      guard let amount = evaluator.amount(one, row) else {
        return "no number in '\(fieldName(evaluator.lackingField(one, row) ?? 0))'"
      }
      guard amount.isFinite else { return "a result beyond all numbers" }
      rowAmounts[index] = amount
    }
    for index in evaluator.distincts.indices {
      let one = evaluator.distincts[index]
      guard RowEvaluator.applies(one.condition, truths) else { continue }
      if row.isMissing(one.field) { return "no value in '\(fieldName(one.field))'" }
    }
    return nil
  }

  /// The open bucket with this start.
  @inline(__always)
  private mutating func bucket(from start: Int64) -> OpenBucket {
    if recent < open.count, open[recent].start == start { return open[recent] }
    return otherBucket(from: start)
  }

  private mutating func otherBucket(from start: Int64) -> OpenBucket {
    let place = open.firstIndex { $0.start >= start } ?? open.count
    if place == open.count || open[place].start != start {
      let bucket =
        spare.popLast()
        ?? OpenBucket(
          width: evaluator.width, sets: evaluator.distincts.count, breakdowns: breakdowns.count)
      bucket.reuse(from: start)
      bucket.reserve(slots.count)
      open.insert(bucket, at: place)
    }
    recent = place
    return open[place]
  }

  /// Finds the slots of a row, into ``rowSlots``, and adds slots for new keys.
  @inline(__always)
  private mutating func findSlots(_ row: borrowing RowReader, _ bucket: OpenBucket, _ start: Int64)
  {
    rowSlots.removeAll(keepingCapacity: true)
    rowSlots.append(0)
    if slots[0].lastSeen < start { slots[0].lastSeen = start }
    for breakdown in settings.breakdowns.indices {
      let id = id(of: row, breakdown)
      let isRanked = settings.breakdowns[breakdown].limit != nil
      if isRanked { bucket.countCandidate(breakdown, id) }
      var slot = id < breakdowns[breakdown].slots.count ? Int(breakdowns[breakdown].slots[id]) : -1
      if slot < 0 {
        if isRanked { continue }
        slot = addSlot(breakdown: breakdown, id: id, from: start)
      } else if isRanked {
        guard breakdowns[breakdown].since[id] <= start, start < breakdowns[breakdown].until[id]
        else {
          continue
        }
      }
      if slots[slot].lastSeen < start { slots[slot].lastSeen = start }
      if slots[slot].firstBucket > start { slots[slot].firstBucket = start }
      rowSlots.append(slot)
    }
    bucket.reserve(slots.count)
  }

  @inline(__always)
  mutating func id(of row: borrowing RowReader, _ breakdown: Int) -> Int {
    let fields = settings.breakdowns[breakdown].fields
    if fields.count == 1 {
      let (id, hash) = row.withField(fields[0]) { bytes in
        let hash = KeyTable.fingerprint(bytes)
        return (breakdowns[breakdown].table.find(bytes, hash), hash)
      }
      if id >= 0 { return id }
      return row.withField(fields[0]) { breakdowns[breakdown].table.insert($0, hash) }
    }
    scratch.removeAll(keepingCapacity: true)
    for (index, field) in fields.enumerated() {
      if index > 0 { scratch.append(0x1f) }
      let bytes = row.withField(field) { bytes in (0..<bytes.byteCount).map { bytes.byte($0) } }
      scratch += bytes
    }
    return scratch.withRawSpan { breakdowns[breakdown].table.id(of: $0) }
  }

  @inline(__always)
  private mutating func add(_ row: borrowing RowReader, _ truths: UInt64, to bucket: OpenBucket) {
    let keys = rowSlots.span
    for index in evaluator.additives.indices {
      let one = evaluator.additives[index]
      guard RowEvaluator.applies(one.condition, truths) else { continue }
      let (whole, fraction) = one.shape == .one ? (1, 0) : OpenBucket.split(rowAmounts[index])
      for index in keys.indices {
        bucket.add(whole, fraction, slot: keys[index], aggregate: one.aggregate)
      }
    }
    for index in evaluator.distincts.indices {
      let one = evaluator.distincts[index]
      guard RowEvaluator.applies(one.condition, truths) else { continue }
      let fingerprint = row.withField(one.field) { KeyTable.fingerprint($0) }
      bucket.insert(fingerprint, set: one.set, slots: keys, aggregate: one.aggregate)
    }
  }

  /// Counts a late row for its keys, in the bucket of the newest time.
  private mutating func countLate(_ row: borrowing RowReader) {
    guard evaluator.late >= 0 else { return }
    let start = watermark.floorDivided(by: every) * every
    guard start + every + settings.lag > watermark else { return }
    let bucket = bucket(from: start)
    bucket.reserve(slots.count)
    bucket.add(1, 0, slot: 0, aggregate: evaluator.late)
    for breakdown in settings.breakdowns.indices {
      let id = id(of: row, breakdown)
      guard id < breakdowns[breakdown].slots.count else { continue }
      let slot = Int(breakdowns[breakdown].slots[id])
      if slot >= 0 { bucket.add(1, 0, slot: slot, aggregate: evaluator.late) }
    }
  }

  // MARK: Closing

  /// Judges all buckets for which no more rows can arrive.
  mutating func closeDue() throws {
    while true {
      let first = open.first?.start
      var next = lastClosed.map { $0 + every } ?? first ?? .max
      if let first, first > next &+ Self.longestGap { next = first }
      guard next < .max, next + every + settings.lag <= watermark else { return }
      // After the last row, an empty month is judged at most.
      if first == nil, next > newest &+ Self.longestGap { return }
      try close(next)
    }
  }

  /// When the next bucket is due, in milliseconds; nil when none is open.
  var nextDue: Int64? {
    if settings.hasValues { return waiting.first.map { $0.time + every + settings.lag } }
    guard let next = lastClosed.map({ $0 + every }) ?? open.first?.start else { return nil }
    return next + every + settings.lag
  }

  private mutating func close(_ start: Int64) throws {
    var bucket: OpenBucket?
    if let first = open.first, first.start == start {
      bucket = open.removeFirst()
      recent = 0
    }
    lastClosed = start
    values.reset(slots.count * measureCount)
    orderSlots()
    for slot in order where isFed(slot, at: start) {
      for (index, measure) in settings.plan.measures.enumerated() {
        let place = slot * measureCount + index
        let amount = amount(bucket, slot, measure.amount)
        values.amounts[place] = amount
        values.exposures[place] = measure.exposure.map { self.amount(bucket, slot, $0) } ?? 1
      }
    }
    try judge(start: start)
    rank(bucket, after: start)
    evict(after: start)
    if let bucket, spare.count < 4 { spare.append(bucket) }
  }

  /// Whether a key is part of a bucket: from its first row on, or while it is one of the largest.
  private func isFed(_ slot: Int, at start: Int64) -> Bool {
    let one = slots[slot]
    guard one.firstBucket <= start else { return false }
    return one.breakdown < 0 || start < breakdowns[one.breakdown].until[one.id]
  }

  private func amount(_ bucket: OpenBucket?, _ slot: Int, _ aggregate: Int) -> Double {
    guard let bucket else { return 0 }
    let cell = bucket.cell(slot: slot, aggregate: aggregate)
    if case .distinct = settings.plan.aggregates[aggregate].function,
      let one = evaluator.distincts.first(where: { $0.aggregate == aggregate })
    {
      return bucket.sets[one.set].estimate(slot, counted: cell.whole)
    }
    return cell.value
  }

  // MARK: The largest values

  /// Adds up the rows of each value, and selects the largest values from time to time.
  ///
  /// A selection applies from the first bucket for which no row can have arrived yet, so it does
  /// not depend on the order of the rows.
  private mutating func rank(_ bucket: OpenBucket?, after start: Int64) {
    for index in breakdowns.indices {
      guard let limit = settings.breakdowns[index].limit else { continue }
      if let bucket { learnWeights(bucket.candidates[index], index) }
      if breakdowns[index].table.count > 2 * max(1000, settings.maximumKeys) { forgetRare(index) }
      if breakdowns[index].nextRanking == .min {
        breakdowns[index].nextRanking = start + max(every, 3_600_000)
      }
      guard start + every >= breakdowns[index].nextRanking else { continue }
      let effective = (start + every + settings.lag).floorDivided(by: every) * every + every
      choose(limit, index, from: effective)
      breakdowns[index].rankings += 1
      let isFirstDay = breakdowns[index].rankings < 24
      breakdowns[index].nextRanking = start + every + (isFirstDay ? 3_600_000 : Self.day)
      if !isFirstDay { halve(index) }
    }
  }

  private mutating func learnWeights(_ counts: [Int32], _ index: Int) {
    for id in counts.indices where counts[id] > 0 {
      while breakdowns[index].weights.count <= id { breakdowns[index].weights.append(0) }
      breakdowns[index].weights[id] += Double(counts[id])
    }
  }

  /// Selects the largest values. A selected value is only replaced by one with a quarter more rows,
  /// so that the selection is stable.
  private mutating func choose(_ limit: Int, _ index: Int, from effective: Int64) {
    let state = breakdowns[index]
    func rank(_ id: Int) -> Double {
      let isMember = id < state.slots.count && state.slots[id] >= 0 && state.until[id] == .max
      return state.weights[id] * (isMember ? 1.25 : 1)
    }
    var ids = state.weights.indices.filter { state.weights[$0] > 0 }
    let ranks = state.weights.indices.map(rank)
    ids.sort { a, b in
      ranks[a] != ranks[b] ? ranks[a] > ranks[b] : state.table.precedes(a, b)
    }
    let chosen = ids.prefix(limit)
    let members = Set(chosen)
    for id in state.slots.indices where state.slots[id] >= 0 {
      if !members.contains(id), state.until[id] == .max {
        breakdowns[index].until[id] = effective
      } else if state.until[id] <= lastClosed ?? .min {
        dropSlot(Int(state.slots[id]))
      }
    }
    // In byte order, so that slots do not depend on the order of rows.
    for id in chosen.sorted(by: { state.table.precedes($0, $1) }) {
      breakdowns[index].admit(id)
      if breakdowns[index].slots[id] < 0 {
        _ = addSlot(breakdown: index, id: id, from: effective)
      }
    }
  }

  /// Halves the weights once a day.
  private mutating func halve(_ index: Int) {
    for id in breakdowns[index].weights.indices { breakdowns[index].weights[id] /= 2 }
  }

  /// Removes the values with the fewest rows when there are too many.
  private mutating func forgetRare(_ index: Int) {
    let state = breakdowns[index]
    func weight(_ id: Int) -> Double { id < state.weights.count ? state.weights[id] : 0 }
    var ids = Array(0..<state.table.count)
    ids.sort { a, b in
      weight(a) != weight(b) ? weight(a) > weight(b) : state.table.precedes(a, b)
    }
    let slotted = state.slots.indices.filter { state.slots[$0] >= 0 }
    let kept = Set(ids.prefix(settings.maximumKeys / 2)).union(slotted).sorted()
    var other = BreakdownState()
    other.table = state.table
    other.table.keep(kept)
    other.nextRanking = state.nextRanking
    other.rankings = state.rankings
    for (id, old) in kept.enumerated() {
      other.weights.append(weight(old))
      let slot = old < state.slots.count ? state.slots[old] : -1
      other.slots.append(slot)
      other.since.append(old < state.since.count ? state.since[old] : 0)
      other.until.append(old < state.until.count ? state.until[old] : 0)
      if slot >= 0 { slots[Int(slot)].id = id }
    }
    breakdowns[index] = other
    for bucket in open {
      let counts = bucket.candidates[index]
      bucket.candidates[index] = kept.map { $0 < counts.count ? counts[$0] : 0 }
    }
  }
}
