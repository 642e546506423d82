import AnomalyDetection
import Glibc

/// One of the detectors that are compared, with its scores of the last bucket, by series.
struct Player {
  private enum Kind { case tally(CompactTally), novelty, simple(SimpleDetector) }

  private var kind: Kind
  private var novelty: FootprintDetector?
  private let tempo: TallyTempo
  private let make: () -> CompactTally
  private(set) var scores: [Double]

  /// - Parameters:
  ///   - name: tally, reference, footprint, z, z24 or week.
  ///   - settings: rules to change, as `name=value`.
  init(_ name: String, every: Double, keys: Int, settings: [String]) throws {
    var rules = name == "reference" ? TallyRules.reference : .shipped
    for setting in settings { try rules.change(setting) }
    let tempo = TallyTempo(rules, seconds: every)
    self.tempo = tempo
    let traits = (0..<Trial.measures).map { measure in
      let isAdditive = [0, 1, 2, 4].contains(measure)
      return MeasureTraits(
        isRows: false, usesCommonFactor: isAdditive, findsStuckValues: [0, 1, 4].contains(measure),
        isSum: measure == 2)
    }
    make = { CompactTally(measures: traits, common: 4, tempo: tempo) }
    scores = [Double](repeating: -9, count: keys * Trial.measures)
    switch name {
    case "tally", "reference":
      let detector = make()
      detector.grow(to: keys)
      kind = .tally(detector)
    case "footprint":
      let detector = FootprintDetector(
        measureCount: Trial.measures, seconds: every, repeats: false)
      detector.grow(to: keys)
      novelty = detector
      kind = .novelty
    default:
      kind = .simple(try SimpleDetector(name, every: every, series: keys * Trial.measures))
    }
  }

  /// A detector with the same memories, which goes its own way from here on.
  func copy() -> Player {
    var copy = self
    switch kind {
    case .tally(let detector):
      let other = make()
      other.memory = detector.memory
      copy.kind = .tally(other)
    case .novelty: copy.novelty = novelty?.copy()
    case .simple: break
    }
    return copy
  }

  mutating func judge(_ time: Double, _ values: BucketValues, _ order: [Int]) {
    switch kind {
    case .tally(let detector):
      // Not called directly: that runs unspecialized code, which is ten times slower.
      let judge: any Detector = detector
      judge.judge(
        time: time, hour: tempo.hourOfWeek(time), values: values, order: order, expected: [])
      let verdicts = judge.verdicts
      take(order) { verdicts[$0].score }
    case .novelty:
      guard let novelty else { return }
      novelty.judge(
        time: time, hour: FootprintDetector.slot(time, offset: 0), values: values, order: order,
        expected: [])
      take(order) { series in
        let score = novelty.verdicts[series].score
        return score > 0 ? 10 * log(1 + score) : -9
      }
    case .simple(var detector):
      kind = .novelty  // So that the arrays inside have one owner.
      for key in order {
        for series in key * Trial.measures..<(key + 1) * Trial.measures {
          let exposure = values.exposures[series]
          guard exposure > 0 else {
            scores[series] = -9
            continue
          }
          let deviation = detector.step(series, time, values.amounts[series] / exposure)
          scores[series] = deviation > 0 ? 10 * log(1 + deviation) : -9
        }
      }
      kind = .simple(detector)
    }
  }

  private mutating func take(_ order: [Int], _ score: (Int) -> Double) {
    for key in order {
      for series in key * Trial.measures..<(key + 1) * Trial.measures {
        scores[series] = score(series)
      }
    }
  }

  /// What the flow lens says of a series' last bucket; nil for other detectors.
  func verdict(of series: Int) -> Verdict? {
    guard case .tally(let detector) = kind else { return nil }
    return detector.verdicts[series]
  }

  /// Which memory or lens gave a score.
  func lens(of series: Int) -> String { verdict(of: series).map { "\($0.lens)" } ?? "" }

  /// The best score of some keys, and its series.
  func best(of keys: [Int]) -> (score: Double, series: Int) {
    var best = (score: -9.0, series: 0)
    for key in keys {
      for series in key * Trial.measures..<(key + 1) * Trial.measures
      where scores[series] > best.score {
        best = (scores[series], series)
      }
    }
    return best
  }
}

/// The usual alternatives: deviations from a mean, in standard deviations.
struct SimpleDetector {
  private enum Kind { case recent, day, week }

  private let kind: Kind
  private let window: Int
  private let meanRate: Double
  private let spreadRate: Double
  private var count: [Int]
  private var mean: [Double]
  private var variance: [Double]
  /// `day`: the last day of each series, and its sums.
  private var past: [[Double]]
  private var sums: [Double]
  private var squares: [Double]
  /// `week`: the mean of each hour of the week, how often it was seen, and the mean size.
  private var slots: [[Double]]
  private var slotCounts: [[Int]]
  private var size: [Double]

  struct Unknown: Error { let name: String }

  init(_ name: String, every: Double, series: Int) throws {
    switch name {
    case "z": kind = .recent
    case "z24": kind = .day
    case "week": kind = .week
    default: throw Unknown(name: name)
    }
    window = Int(86_400 / every)
    meanRate = 1 - exp2(-1.0 / 64)
    spreadRate = kind == .week ? 1 - exp2(-every / 345_600) : 1 - exp2(-1.0 / 256)
    count = [Int](repeating: 0, count: series)
    mean = [Double](repeating: 0, count: series)
    variance = mean
    sums = mean
    squares = mean
    size = mean
    past = [[Double]](repeating: [], count: series)
    slots = [[Double]](repeating: [Double](repeating: 0, count: 168), count: series)
    slotCounts = [[Int]](repeating: [Int](repeating: 0, count: 168), count: series)
  }

  mutating func step(_ series: Int, _ time: Double, _ x: Double) -> Double {
    count[series] += 1
    let n = Double(count[series])
    switch kind {
    case .recent:
      let d = x - mean[series]
      let spread = variance[series]
      let z = n > 32 && spread > 0 ? abs(d) / spread.squareRoot() : 0
      variance[series] += max(spreadRate, 1 / n) * (d * d - spread)
      mean[series] += max(meanRate, 1 / n) * d
      return z
    case .day:
      var z = 0.0
      let length = past[series].count
      if length >= min(window, 24) {
        let mean = sums[series] / Double(length)
        let spread = squares[series] / Double(length) - mean * mean
        if spread > 1e-12 { z = abs(x - mean) / spread.squareRoot() }
      }
      if length == window {
        let place = (count[series] - 1) % window
        sums[series] -= past[series][place]
        squares[series] -= past[series][place] * past[series][place]
        past[series][place] = x
      } else {
        past[series].append(x)
      }
      sums[series] += x
      squares[series] += x * x
      return z
    case .week:
      size[series] += max(spreadRate, 1 / n) * (abs(x) - size[series])
      let unit = 0.05 * size[series]
      guard unit > 0 else { return 0 }
      let k = Int(time / 3600) % 168
      let y = log(1 + abs(x) / unit)
      let seen = slotCounts[series][k]
      slotCounts[series][k] += 1
      let d = y - slots[series][k]
      slots[series][k] += max(0.1, 1 / Double(seen + 1)) * d
      guard seen >= 2 else { return 0 }
      let spread = variance[series]
      let z = n > 200 && spread > 0 ? abs(d) / spread.squareRoot() : 0
      variance[series] +=
        max(spreadRate, 1 / n) * (min(d * d, spread > 0 ? 16 * spread : d * d) - spread)
      return z
    }
  }
}

extension TallyRules {
  /// Changes a rule: `name=value`.
  mutating func change(_ setting: String) throws {
    let pair = setting.split(separator: "=").map(String.init)
    guard pair.count == 2, let value = Double(pair[1]) else {
      throw SimpleDetector.Unknown(name: setting)
    }
    switch pair[0] {
    case "levelHalfLife": levelHalfLife = value
    case "dispersionHalfLife": dispersionHalfLife = value
    case "memory": longestMemory = value
    case "scale2", "scale3", "scale4":
      longestMemory = nil
      scales[pair[0] == "scale2" ? 1 : pair[0] == "scale3" ? 2 : 3] = value
    case "jumpTable": learnsJumps = value != 0
    case "clip": clip = value
    case "relativeFloor": relativeFloor = value
    case "startsWithUnit": startsWithUnit = value != 0
    case "keyedLaw": keyedLaw = value
    case "jumpLevel": jumpLevel = value
    case "freeze": freeze = value
    case "open": open = value
    case "top": topExcursions = value
    case "prior": prior = value
    case "farTail": farTail = value > 0 ? value : nil
    case "farPower": farPower = value
    case "habits": learnsHabits = value != 0
    case "excess": excess = value < 0 ? nil : [value, value, value]
    default: throw SimpleDetector.Unknown(name: setting)
    }
  }
}
