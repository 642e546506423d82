import AnomalyDetection
import Plumbing

/// The state file: a line of JSON that identifies it, then the state of the watch as bytes.
extension Watch {
  private static let version = 5

  /// The settings on which the state depends. It is not valid for others.
  private var fingerprint: String {
    let settings = self.settings
    let keys = settings.breakdowns.map { $0.title + ($0.limit.map { ":\($0)" } ?? "") }
    return "\(settings.plan)|\(keys)|\(settings.every ?? 0)|\(settings.lag)|\(settings.lens)"
      + "|\(settings.repeats)|\(settings.isReference)|\(settings.fill ?? .nan)"
  }

  private static func checksum(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var sum: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return sum
  }

  /// The contents of the file.
  var stateFile: [UInt8] {
    var bytes = StateWriter()
    bytes.put(fingerprint)
    encodeKeys(to: &bytes)
    encodeBuckets(to: &bytes)
    bytes.put(detector != nil)
    detector?.encode(to: &bytes)
    incidents.encode(to: &bytes)
    bytes.put(output.hasHeader)
    let content = bytes.bytes
    let sum = String(Self.checksum(content), radix: 16)
    let header =
      "{\"anomalies\":\"state\",\"version\":\(Self.version),\"bytes\":\(content.count),\"checksum\":\"\(sum)\"}\n"
    return Array(header.utf8) + content
  }

  private func encodeKeys(to bytes: inout StateWriter) {
    for number in [newest, lastClosed ?? .min, lastPlayed ?? .min, every, Int64(evicted)] {
      bytes.put(Int(number))
    }
    bytes.put(horizon.isAtStart)
    for times in [horizon.run, horizon.contradicted] {
      bytes.put(times.count)
      for time in times { bytes.put(Int(time)) }
    }
    bytes.put(Int(farTime))
    bytes.put(farCount)
    bytes.put(breakdowns.count)
    for one in breakdowns {
      let texts = one.table.texts
      bytes.put(texts.count)
      for text in texts { bytes.put(text) }
      bytes.put(one.slots.count)
      for id in one.slots.indices {
        for number in [Int(one.slots[id]), Int(one.since[id]), Int(one.until[id])] {
          bytes.put(number)
        }
      }
      bytes.put(one.weights)
      bytes.put(Int(one.nextRanking))
      bytes.put(one.rankings)
    }
    bytes.put(slots.count)
    for slot in slots {
      for number in [slot.breakdown, slot.id, Int(slot.firstBucket), Int(slot.lastSeen)] {
        bytes.put(number)
      }
      bytes.put(slot.isLive)
      for number in [slot.buckets, slot.emptyBuckets, Int(slot.silentSince ?? .min)] {
        bytes.put(number)
      }
    }
    bytes.put(freeSlots.map(Double.init))
  }

  private func encodeBuckets(to bytes: inout StateWriter) {
    bytes.put(open.count)
    for bucket in open {
      bytes.put(Int(bucket.start))
      bytes.put(slots.count)
      for slot in slots.indices {
        for aggregate in 0..<evaluator.width {
          let cell = bucket.cell(slot: slot, aggregate: aggregate)
          bytes.put(Int(cell.whole))
          bytes.put(Int(cell.fraction))
        }
      }
      for set in bucket.sets {
        let (entries, registers) = set.content
        bytes.put(entries.count)
        for entry in entries {
          bytes.put(entry.word)
          bytes.put(Int(entry.owner))
        }
        bytes.put(registers.count)
        for one in registers {
          bytes.put(one.slot)
          bytes.put(one.ranks)
        }
      }
      for counts in bucket.candidates { bytes.put(counts.map(Double.init)) }
    }
    for list in [waiting, held] {
      bytes.put(list.count)
      for bucket in list {
        bytes.put(Int(bucket.time))
        bytes.put(bucket.values.map { $0 ?? .nan })
      }
    }
  }

  /// Restores the state from a file.
  ///
  /// - Throws: ``UnusableInput`` when it is damaged, or was written with other settings.
  mutating func restore(_ file: [UInt8], from path: String) throws {
    let content = try Self.content(of: file, path)
    do throws(StateDamage) {
      var bytes = StateReader(content)
      guard try bytes.text() == fingerprint else {
        throw StateDamage()
      }
      try decodeKeys(from: &bytes)
      if every > 0, detector == nil { makeDetector() }
      try decodeBuckets(from: &bytes)
      if try bytes.bool() {
        guard let detector else { throw StateDamage() }
        try detector.decode(from: &bytes)
        guard detector.slotCount <= slots.count else { throw StateDamage() }
        detector.grow(to: slots.count)
      }
      try incidents.decode(from: &bytes)
      let series = slots.count * measureCount
      for one in incidents.open {
        guard one.lead < series, one.cause.allSatisfy({ $0 < slots.count }),
          one.members.keys.allSatisfy({ $0 < series }), one.totalImpact.count == measureCount
        else { throw StateDamage() }
      }
      output.hasHeader = try bytes.bool()
      guard bytes.isAtEnd else { throw StateDamage() }
    } catch {
      throw UnusableInput(
        "--state: \(quoted(path)) was not written for these measures and keys",
        hints: ["give the same --measure, --by, --every and --lag as before, or another file"])
    }
    isOrdered = false
  }

  private static func content(of file: [UInt8], _ path: String) throws -> [UInt8] {
    let foreign = UnusableInput("--state: \(quoted(path)) is not a state of anomalies")
    guard let newline = file.prefix(200).firstIndex(of: 10),
      let header = try? JSONValue(parsing: Array(file[..<newline])),
      header["anomalies"]?.text == "state"
    else { throw foreign }
    guard header["version"]?.integer == Int64(version) else {
      throw UnusableInput("--state: \(quoted(path)) is not of version \(version)")
    }
    let content = Array(file[(newline + 1)...])
    guard header["bytes"]?.integer == Int64(content.count),
      header["checksum"]?.text == String(checksum(content), radix: 16)
    else { throw UnusableInput("--state: \(quoted(path)) is damaged") }
    return content
  }

  private static func times(from bytes: inout StateReader) throws(StateDamage) -> [Int64] {
    var times: [Int64] = []
    for _ in 0..<(try bytes.listCount(of: 8)) { times.append(Int64(try bytes.integer())) }
    return times
  }

  private mutating func decodeKeys(from bytes: inout StateReader) throws(StateDamage) {
    newest = Int64(try bytes.integer())
    let closed = Int64(try bytes.integer())
    lastClosed = closed == .min ? nil : closed
    let played = Int64(try bytes.integer())
    lastPlayed = played == .min ? nil : played
    every = Int64(try bytes.integer())
    evicted = try bytes.integer()
    let isAtStart = try bytes.bool()
    let (run, contradicted) = (try Self.times(from: &bytes), try Self.times(from: &bytes))
    horizon.restore(run: run, contradicted: contradicted, isAtStart: isAtStart)
    farTime = Int64(try bytes.integer())
    farCount = try bytes.integer()
    guard try bytes.integer() == breakdowns.count, every >= 0 else { throw StateDamage() }
    for index in breakdowns.indices {
      var texts: [[UInt8]] = []
      for _ in 0..<(try bytes.listCount(of: 8)) { texts.append(try bytes.list()) }
      var state = BreakdownState()
      state.table = KeyTable(texts)
      guard state.table.count == texts.count else { throw StateDamage() }
      for _ in 0..<(try bytes.listCount(of: 24)) {
        state.slots.append(Int32(truncatingIfNeeded: try bytes.integer()))
        state.since.append(Int64(try bytes.integer()))
        state.until.append(Int64(try bytes.integer()))
      }
      state.weights = try bytes.doubles()
      state.nextRanking = Int64(try bytes.integer())
      state.rankings = try bytes.integer()
      guard state.slots.count <= texts.count, state.weights.count <= texts.count + 64 else {
        throw StateDamage()
      }
      breakdowns[index] = state
    }
    try decodeSlots(from: &bytes)
  }

  private mutating func decodeSlots(from bytes: inout StateReader) throws(StateDamage) {
    var list: [Slot] = []
    liveCount = 0
    for _ in 0..<(try bytes.listCount(of: 57)) {
      let breakdown = try bytes.integer()
      let id = try bytes.integer()
      var slot = Slot(
        breakdown: breakdown, id: id, label: "total", filter: [],
        firstBucket: Int64(try bytes.integer()), lastSeen: Int64(try bytes.integer()))
      slot.isLive = try bytes.bool()
      slot.buckets = try bytes.integer()
      slot.emptyBuckets = try bytes.integer()
      let silent = Int64(try bytes.integer())
      slot.silentSince = silent == .min ? nil : silent
      guard breakdown >= -1, breakdown < breakdowns.count, id >= 0 else { throw StateDamage() }
      if breakdown >= 0, slot.isLive {
        guard id < breakdowns[breakdown].table.count else { throw StateDamage() }
        let pieces = breakdowns[breakdown].table.text(of: id)
          .split(separator: "\u{1f}", omittingEmptySubsequences: false).map(String.init)
        slot.filter = zip(settings.breakdowns[breakdown].names, pieces).map {
          (field: $0, value: $1)
        }
        slot.label = slot.filter.map { "\($0.field)=\($0.value)" }.joined(separator: ",")
      }
      if slot.isLive { liveCount += 1 }
      list.append(slot)
    }
    slots = list
    for state in breakdowns where state.slots.contains(where: { $0 >= Int32(list.count) }) {
      throw StateDamage()
    }
    freeSlots = []
    for number in try bytes.doubles() {
      guard number >= 0, number < Double(list.count) else { throw StateDamage() }
      freeSlots.append(Int(number))
    }
  }

  private mutating func decodeBuckets(from bytes: inout StateReader) throws(StateDamage) {
    for _ in 0..<(try bytes.listCount(of: 16)) {
      let bucket = OpenBucket(
        width: evaluator.width, sets: evaluator.distincts.count, breakdowns: breakdowns.count)
      bucket.reuse(from: Int64(try bytes.integer()))
      let count = try bytes.listCount(of: 16 * max(1, evaluator.width))
      for slot in 0..<count {
        for aggregate in 0..<evaluator.width {
          let cell = OpenBucket.Cell(
            whole: Int64(try bytes.integer()), fraction: Int64(try bytes.integer()))
          bucket.set(cell, slot: slot, aggregate: aggregate)
        }
      }
      bucket.reserve(slots.count)
      for set in bucket.sets {
        var entries: [(word: UInt64, owner: Int32)] = []
        for _ in 0..<(try bytes.listCount(of: 16)) {
          entries.append((try bytes.word(), Int32(truncatingIfNeeded: try bytes.integer())))
        }
        var registers: [(slot: Int, ranks: [UInt8])] = []
        for _ in 0..<(try bytes.listCount(of: 16)) {
          registers.append((try bytes.integer(), try bytes.list()))
        }
        set.restore(entries, registers)
      }
      for index in breakdowns.indices {
        let counts = try bytes.doubles()
        guard counts.allSatisfy({ $0 >= 0 && $0 < 2e9 }) else { throw StateDamage() }
        bucket.candidates[index] = counts.map { Int32($0) }
      }
      open.append(bucket)
    }
    for isHeld in [false, true] {
      var list: [RowBucket] = []
      for _ in 0..<(try bytes.listCount(of: 16)) {
        list.append(
          RowBucket(
            time: Int64(try bytes.integer()),
            values: try bytes.doubles().map { $0.isNaN ? nil : $0 }))
      }
      if isHeld { held = list } else { waiting = list }
    }
  }
}
