import AnomalyDetection
import Glibc
import Plumbing

/// The buckets of one length, as ``Collector`` wrote them.
struct Buckets {
  let from: Double
  let count: Int
  let keys: Int
  private let bytes: [UInt8]
  private let start: Int

  init(_ path: String, every: Int) throws {
    bytes = try Evaluation.bytes(of: path)
    let head = unsafe bytes.withUnsafeBytes { bytes in
      (0..<3).map { unsafe bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) }
    }
    from = Double(head[0])
    keys = Int(head[2])
    var start = 24
    var count = 0
    for length in Collector.lengths {
      count = (Int(head[1] - head[0]) + length - 1) / length
      if length == every { break }
      start += count * keys * Collector.width * 8
    }
    self.count = count
    self.start = start
  }

  func field(_ bucket: Int, _ key: Int, _ field: Int) -> Double {
    let place = start + ((bucket * keys + key) * Collector.width + field) * 8
    return unsafe bytes.withUnsafeBytes { bytes in
      Double(unsafe bytes.loadUnaligned(fromByteOffset: place, as: Int64.self))
    }
  }

  /// Writes amounts and exposures of a key's eight measures.
  func fill(_ values: inout BucketValues, bucket: Int, key: Int, slot: Int) {
    let events = field(bucket, key, 0)
    let purchases = field(bucket, key, 1)
    let clicks = field(bucket, key, 3)
    let users = field(bucket, key, 5)
    let place = slot * Trial.measures
    let amounts = [
      events, purchases, field(bucket, key, 2) / 100, purchases, users, field(bucket, key, 4) / 100,
      events, field(bucket, key, 6),
    ]
    let exposures = [1, 1, 1, clicks, 1, events, users, 1]
    for measure in 0..<Trial.measures {
      values.amounts[place + measure] = amounts[measure]
      values.exposures[place + measure] = exposures[measure]
    }
  }
}

/// A month of buckets played through one detector, and the slices with anomalies through copies of it.
struct Trial {
  static let measures = 8
  /// False alarms are counted at this many thresholds, a twentieth of a score apart.
  static let levels = 1000
  static let day = 86_400.0

  let buckets: Buckets
  let slices: [String]
  let every: Int

  private struct Slice {
    let from: Double
    let windowStart: Double
    let windowEnd: Double
    let buckets: Buckets
    let key: Int
    /// The measure that keeps the value of the bucket before the window; nil for an anomaly of its own events.
    var frozen: Int?
    /// The best score, and the measure and lens that gave it.
    var best = -9.0
    var by = ""
    var steps: [(score: Double, delay: Double)] = []
    var placebo = -9.0
  }

  func run(_ name: String, settings: [String]) throws -> String {
    var player = try Player(name, every: Double(every), keys: buckets.keys, settings: settings)
    var slices = try readSlices()
    var next = 0
    var values = BucketValues()
    values.reset(buckets.keys * Self.measures)
    var first = [Int](repeating: -1, count: buckets.keys)
    var order: [Int] = []
    var loud: [String] = []
    var tally = FalseAlarms(series: buckets.keys * Self.measures)
    for bucket in 0..<buckets.count {
      let time = buckets.from + Double(bucket * every)
      while next < slices.count, slices[next].from <= time {
        play(&slices[next], from: player)
        next += 1
      }
      for key in 0..<buckets.keys {
        if first[key] < 0, buckets.field(bucket, key, 0) > 0 {
          first[key] = bucket
          order = (0..<buckets.keys).filter { first[$0] >= 0 }
        }
        if first[key] >= 0 { buckets.fill(&values, bucket: bucket, key: key, slot: key) }
      }
      player.judge(time, values, order)
      let days = (time - buckets.from) / Self.day
      for key in order where days >= 7 {
        for series in key * Self.measures..<(key + 1) * Self.measures
        where player.scores[series] >= 6 {
          loud.append(
            "[\(Int(time)),\(series),\(player.scores[series]),\"\(player.lens(of: series))\"]")
        }
      }
      tally.take(player.scores, order, time: time, day: days, every: Double(every))
      for index in slices.indices.prefix(next) where time < slices[index].windowEnd {
        if time + Double(every) > slices[index].windowStart {
          let slice = slices[index]
          let score = player.best(of: [0, slice.key]).score
          slices[index].placebo = max(slice.placebo, score)
        }
      }
    }
    while next < slices.count {
      play(&slices[next], from: player)
      next += 1
    }
    return json(tally, slices, loud)
  }

  /// Prints what the flow lens says of some keys, from a time on.
  func trace(from: Double, keys: [Int]) throws {
    var player = try Player("tally", every: Double(every), keys: buckets.keys, settings: [])
    var values = BucketValues()
    values.reset(buckets.keys * Self.measures)
    var order: [Int] = []
    for bucket in 0..<buckets.count {
      let time = buckets.from + Double(bucket * every)
      order = (0..<buckets.keys).filter { order.contains($0) || buckets.field(bucket, $0, 0) > 0 }
      for key in order { buckets.fill(&values, bucket: bucket, key: key, slot: key) }
      player.judge(time, values, order)
      for key in keys where time >= from {
        for measure in 0..<Self.measures {
          let series = key * Self.measures + measure
          guard let verdict = player.verdict(of: series), values.exposures[series] > 0 else {
            continue
          }
          let divisor = [3, 5, 6].contains(measure) ? values.exposures[series] : 1
          let variance = verdict.dispersion * verdict.expected
          print(
            Int(time), key, measure, values.amounts[series] / divisor, verdict.expected / divisor,
            3 * (variance.squareRoot() + verdict.dispersion) / divisor, verdict.score,
            separator: "\t")
        }
      }
    }
  }

  private func readSlices() throws -> [Slice] {
    try slices.map { line in
      let words = line.split(separator: "\t").map(String.init)
      let from = Double(words[0]) ?? 0
      let frozen = words[3].hasPrefix("frozen ") ? Int(words[3].dropFirst(7)) : nil
      return Slice(
        from: from, windowStart: Double(words[1]) ?? 0, windowEnd: Double(words[2]) ?? 0,
        buckets: frozen == nil ? try Buckets(words[3], every: every) : buckets,
        key: Int(words[4]) ?? 0, frozen: frozen)
    }
  }

  private func play(_ slice: inout Slice, from player: Player) {
    var copy = player.copy()
    var values = BucketValues()
    values.reset(buckets.keys * Self.measures)
    let order = slice.key == 0 ? [0] : [0, slice.key]
    var kept: Double?
    let offset = Int(slice.from - slice.buckets.from) / every
    let end = slice.windowEnd + 2 * Double(every)
    for bucket in offset..<slice.buckets.count {
      let time = slice.buckets.from + Double(bucket * every)
      guard time < end else { break }
      for key in order {
        // The buckets of a slice have the total and its key only.
        slice.buckets.fill(
          &values, bucket: bucket, key: slice.frozen == nil ? min(key, 1) : key, slot: key)
      }
      let isInWindow = time + Double(every) > slice.windowStart && time < slice.windowEnd
      if let frozen = slice.frozen {
        let series = slice.key * Self.measures + frozen
        if isInWindow, let kept { values.amounts[series] = kept }
        kept = values.amounts[series]
      }
      copy.judge(time, values, order)
      // From the first bucket that overlaps the window to the one after its last.
      guard time + Double(every) > slice.windowStart,
        time < slice.windowEnd + Double(every)
      else { continue }
      let best = copy.best(of: order)
      if best.score > slice.best {
        slice.best = best.score
        slice.by =
          "\(best.series / Self.measures) \(best.series % Self.measures) \(copy.lens(of: best.series))"
        slice.steps.append((best.score, time + Double(every) - slice.windowStart))
      }
    }
  }

  private func json(_ tally: FalseAlarms, _ slices: [Slice], _ loud: [String]) -> String {
    func list(_ numbers: [Int]) -> String {
      var trimmed = numbers
      while trimmed.last == 0 { trimmed.removeLast() }
      return "[" + trimmed.map(String.init).joined(separator: ",") + "]"
    }
    func short(_ number: Double) -> String { "\((number * 1000).rounded() / 1000)" }
    var out = "{\"alarms\":[" + tally.alarms.map(list).joined(separator: ",") + "]"
    out += ",\"groups\":[" + tally.groups.map(list).joined(separator: ",") + "],\"slices\":["
    out += slices.map { slice in
      "{\"best\":\(short(slice.best)),\"by\":\"\(slice.by)\",\"placebo\":\(short(slice.placebo)),\"steps\":["
        + slice.steps.map { "[\(short($0.score)),\(Int($0.delay))]" }.joined(separator: ",") + "]}"
    }.joined(separator: ",")
    // The loudest clean buckets, for a closer look.
    return out + "],\"loud\":[" + loud.prefix(2000).joined(separator: ",") + "]}"
  }
}

/// Alarms on clean days by week and threshold: those of each series, and groups of them.
struct FalseAlarms {
  /// By week, from the third day on.
  var alarms = [[Int]](repeating: [Int](repeating: 0, count: Trial.levels), count: 4)
  var groups = [[Int]](repeating: [Int](repeating: 0, count: Trial.levels), count: 4)
  private var last: [[Double]]
  private var lastOnset = [Double](repeating: -.infinity, count: Trial.levels)

  init(series: Int) { last = [[Double]](repeating: [], count: series) }

  mutating func take(
    _ scores: [Double], _ order: [Int], time: Double, day: Double, every: Double
  ) {
    let week = min(3, Int(day / 7))
    let quiet = max(3600, 3 * every)
    for key in order {
      for series in key * Trial.measures..<(key + 1) * Trial.measures where scores[series] >= 0 {
        let top = min(Trial.levels - 1, Int(scores[series] * 20))
        while last[series].count <= top { last[series].append(-.infinity) }
        for level in 0...top {
          if time - last[series][level] > quiet {
            if day >= 2 {
              alarms[week][level] += 1
              if time - lastOnset[level] > 1800 { groups[week][level] += 1 }
            }
            lastOnset[level] = time
          }
          last[series][level] = time
        }
      }
    }
  }
}
