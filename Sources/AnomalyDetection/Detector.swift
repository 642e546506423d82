/// The properties of a measure that the detector needs.
package struct MeasureTraits: Sendable, Equatable {
  /// Whether there is a single series: uses power tails.
  var isRows: Bool
  /// Whether parts are judged by their share of the whole, as counts, sums and distinct counts are.
  var usesCommonFactor: Bool
  /// Whether runs of equal values are suspicious, as in counts and distinct counts.
  var findsStuckValues: Bool
  /// Whether it is a sum. Only its values tell its unit, so the first purchase of a country must
  /// not count as a jump from nothing.
  var isSum: Bool
  /// Whether it is a value of rows, of which small changes count.
  var isValue: Bool
  /// Whether it is a mean. Means, values of rows and single series may be negative.
  var isMean: Bool

  /// Whether negative values count, at least for the jump lens.
  var mayBeNegative: Bool { isRows || isValue || isMean }

  package init(
    isRows: Bool, usesCommonFactor: Bool = false, findsStuckValues: Bool = false,
    isSum: Bool = false, isValue: Bool = false, isMean: Bool = false
  ) {
    self.isRows = isRows
    self.usesCommonFactor = usesCommonFactor
    self.findsStuckValues = findsStuckValues
    self.isSum = isSum
    self.isValue = isValue
    self.isMean = isMean
  }
}

/// The values of one bucket: an amount and an exposure for each series, at the index
/// `slot * measures + measure`.
///
/// An exposure of 0 means that the series has no value in this bucket.
package struct BucketValues: Sendable {
  package var amounts: [Double] = []
  package var exposures: [Double] = []

  package init() {}

  /// Resizes it to this many series, all without a value.
  package mutating func reset(_ count: Int) {
    if amounts.count == count {
      for index in 0..<count { exposures[index] = 0 }
    } else {
      amounts = [Double](repeating: 0, count: count)
      exposures = [Double](repeating: 0, count: count)
    }
  }
}

/// An amount, its expected value and its dispersion, over the memory of one lens.
package struct Evidence: Sendable, Equatable {
  package var amount: Double
  package var expected: Double
  var dispersion: Double
}

/// The state of all series of one run. It judges the buckets of all keys and measures, one after
/// another.
///
/// A slot is a key. Slot 0 is the total, if there is one.
package protocol Detector: AnyObject {
  /// The number of slots.
  var slotCount: Int { get }
  /// The verdicts on the last bucket, by series.
  var verdicts: [Verdict] { get }
  /// Grows to this many slots. New slots have no history.
  func grow(to slots: Int)
  /// The recent evidence of a series for one lens at the last bucket, with the common factor
  /// removed.
  func evidence(series: Int, lens: Verdict.Lens) -> Evidence?
  /// The number of buckets that a lens sums over.
  func memory(of lens: Verdict.Lens) -> Int
  /// The average exposure of a series over the last day; nil if there is none.
  func usualExposure(series: Int) -> Double?
  /// Clears the history of a slot, for another key.
  func clear(slot: Int)
  /// Judges one bucket and learns from it.
  ///
  /// - Parameters:
  ///   - order: the slots in the order in which they are judged, with the total first.
  ///   - expected: for each slot whether a calendar has an expected event; empty when it has none.
  func judge(
    time: Double, hour: Int, values: borrowing BucketValues, order: [Int], expected: [Bool])
  func encode(to bytes: inout StateWriter)
  func decode(from bytes: inout StateReader) throws(StateDamage)
}

/// The state of all series of the flow lens, Tally, which judges amounts by their level, hour and
/// dispersion.
package struct TallyMemory<Precision: TallyPrecision>: Sendable {
  private let measures: [MeasureTraits]
  /// The measure whose total gives the common factor; nil for a factor of 1.
  private let common: Int?
  private let tempo: TallyTempo
  private var series: [TallySeries<Precision>] = []
  private var tables: [TailTables]
  private var crowd = Crowd()
  private var routine = Routine()
  /// By series, for those that have had negative values.
  private var origins: [Int: Origin] = [:]
  fileprivate var verdicts: [Verdict] = []
  /// The common factor of the last bucket: the ratio of the whole to its expected value.
  private var factor = 1.0
  /// The common factor and 1, summed over the memory of each scale.
  private var factorSums: [4 of Double] = .init(repeating: 0)
  private var factorWeights: [4 of Double] = .init(repeating: 0)

  init(measures: [MeasureTraits], common: Int?, tempo: TallyTempo) {
    self.measures = measures
    self.common = common
    self.tempo = tempo
    tables = measures.map {
      let floor = $0.isValue ? tempo.rules.valueFloor : tempo.rules.relativeFloor
      return TailTables(
        isRows: $0.isRows, isSum: $0.isSum, mayBeNegative: $0.mayBeNegative, relativeFloor: floor)
    }
  }

  fileprivate var slotCount: Int { series.count / max(1, measures.count) }

  fileprivate mutating func grow(to slots: Int) {
    let more = slots * measures.count - series.count
    guard more > 0 else { return }
    series.append(contentsOf: repeatElement(TallySeries(), count: more))
    verdicts.append(contentsOf: repeatElement(Verdict(), count: more))
  }

  fileprivate mutating func clear(slot: Int) {
    for index in slot * measures.count..<(slot + 1) * measures.count {
      series[index] = TallySeries()
      verdicts[index] = Verdict()
      routine.clear(series: index)
      origins[index] = nil
    }
  }

  fileprivate mutating func judge(
    time: Double, hour: Int, values: borrowing BucketValues, order: [Int], expected: [Bool]
  ) {
    factor = 1
    for slot in order {
      let isExpected = !expected.isEmpty && expected[slot]
      for measure in measures.indices {
        let index = slot * measures.count + measure
        let traits = measures[measure]
        var amount = values.amounts[index]
        var exposure = values.exposures[index]
        var origin = 0.0
        if traits.isValue, tempo.rules.movesOrigin, exposure > 0 {
          origin = self.origin(of: index, for: amount)
          amount = max(0, amount + origin)
        }
        if slot != 0, traits.usesCommonFactor { exposure *= factor }
        var verdict = series[index].step(
          time: time, hour: hour, value: amount, exposure: exposure, isExpected: isExpected,
          tempo: tempo, tables: &tables[measure], crowd: &crowd)
        if tempo.rules.learnsRoutines, !isExpected,
          verdict.score > (traits.isRows ? 0 : TallyTempo.promisedFrom),
          routine.knows(
            series: index, time: time, size: abs(verdict.sum - verdict.expectedSum),
            isUp: verdict.isUp, isRows: traits.isRows, seconds: tempo.seconds)
        {
          verdict.score = -tempo.lnBuckets
        }
        if origin > 0 {
          let shift = origin * Double(tempo.memory(of: verdict.lens))
          verdict.expected -= origin
          verdict.sum -= shift
          verdict.expectedSum -= shift
        }
        if traits.findsStuckValues, exposure > 0 {
          let score = series[index].stuckScore(amount, tempo: tempo)
          if score > verdict.score, series[index].isStuck {
            verdict.score = score
            verdict.lens = .stuck
            verdict.sum = amount
            verdict.expectedSum = verdict.expected
          }
        }
        verdicts[index] = verdict
      }
      if slot == 0, let common { factor = series[common].commonFactor(tempo) }
    }
    for j in 0..<4 {
      factorSums[j] = (1 - tempo.weight[j]) * factorSums[j] + factor
      factorWeights[j] = (1 - tempo.weight[j]) * factorWeights[j] + 1
    }
  }

  /// How far below zero the origin of a series lies. Its values are judged as their distance from it.
  private mutating func origin(of index: Int, for value: Double) -> Double {
    if origins.isEmpty, value >= 0 { return 0 }
    guard var origin = origins[index] ?? (value < 0 ? Origin() : nil) else { return 0 }
    guard value + origin.depth < 0 else { return origin.depth }
    let old = origin.depth
    origin.take(value, known: series[index].bucketCount, usual: series[index].usualValue)
    origins[index] = origin
    if origin.depth > old {
      series[index].moveOrigin(by: origin.depth - old, tempo: tempo)
    }
    return origin.depth
  }

  fileprivate func evidence(series index: Int, lens: Verdict.Lens) -> Evidence? {
    let traits = measures[index % measures.count]
    let scale = tempo.scale(of: lens)
    // The expected sum of a part has the factor of each of its buckets.
    let isPart = index >= measures.count && traits.usesCommonFactor && factorWeights[scale] > 0
    return series[index].evidence(
      scale, factor: isPart ? factorSums[scale] / factorWeights[scale] : 1,
      relativeFloor: tables[index % measures.count].relativeFloor,
      origin: origins[index]?.depth ?? 0, tempo: tempo)
  }

  fileprivate func memory(of lens: Verdict.Lens) -> Int { tempo.memory(of: lens) }

  fileprivate func usualExposure(series index: Int) -> Double? {
    series[index].usualExposure(tempo)
  }

  fileprivate func encode(to bytes: inout StateWriter) {
    bytes.put(series.count)
    for one in series { one.encode(to: &bytes) }
    for one in tables { one.encode(to: &bytes) }
    crowd.encode(to: &bytes)
    routine.encode(to: &bytes)
    bytes.put(origins.count)
    for (index, origin) in origins.sorted(by: { $0.key < $1.key }) {
      bytes.put(index)
      origin.encode(to: &bytes)
    }
    for j in 0..<4 {
      bytes.put(factorSums[j])
      bytes.put(factorWeights[j])
    }
  }

  fileprivate mutating func decode(from bytes: inout StateReader) throws(StateDamage) {
    let count = try bytes.listCount(of: 256)
    guard measures.isEmpty || count % measures.count == 0 else { throw StateDamage() }
    series = [TallySeries<Precision>](repeating: TallySeries(), count: count)
    verdicts = [Verdict](repeating: Verdict(), count: count)
    for index in series.indices { try series[index].decode(from: &bytes) }
    for index in tables.indices { try tables[index].decode(from: &bytes) }
    try crowd.decode(from: &bytes)
    try routine.decode(from: &bytes, seriesCount: count)
    origins = [:]
    for _ in 0..<(try bytes.listCount(of: 32)) {
      let index = try bytes.integer()
      guard 0..<count ~= index else { throw StateDamage() }
      origins[index] = try Origin(from: &bytes)
    }
    for j in 0..<4 {
      factorSums[j] = try bytes.double()
      factorWeights[j] = try bytes.double()
    }
  }
}

/// The flow lens in one precision.
///
/// Its classes are not generic: a generic class that another module makes runs unspecialized code,
/// which is several times slower.
protocol TallyDetector: Detector {
  associatedtype Precision: TallyPrecision
  var memory: TallyMemory<Precision> { get set }
}

extension TallyDetector {
  /// The size of a series' state, in bytes.
  static var bytesPerSeries: Int { MemoryLayout<TallySeries<Precision>>.stride }
  package var slotCount: Int { memory.slotCount }
  package var verdicts: [Verdict] { memory.verdicts }
  package func grow(to slots: Int) { memory.grow(to: slots) }
  package func clear(slot: Int) { memory.clear(slot: slot) }
  package func judge(
    time: Double, hour: Int, values: borrowing BucketValues, order: [Int], expected: [Bool]
  ) {
    memory.judge(time: time, hour: hour, values: values, order: order, expected: expected)
  }
  package func evidence(series: Int, lens: Verdict.Lens) -> Evidence? {
    memory.evidence(series: series, lens: lens)
  }
  package func memory(of lens: Verdict.Lens) -> Int { memory.memory(of: lens) }
  package func usualExposure(series: Int) -> Double? { memory.usualExposure(series: series) }
  package func encode(to bytes: inout StateWriter) { memory.encode(to: &bytes) }
  package func decode(from bytes: inout StateReader) throws(StateDamage) {
    try memory.decode(from: &bytes)
  }
}

/// The flow lens in less than 600 bytes a series.
package final class CompactTally: TallyDetector {
  package var memory: TallyMemory<CompactPrecision>

  package init(measures: [MeasureTraits], common: Int?, tempo: TallyTempo) {
    memory = TallyMemory(measures: measures, common: common, tempo: tempo)
  }
}

/// The flow lens in double precision, as the reference has it.
package final class ExactTally: TallyDetector {
  var memory: TallyMemory<ExactPrecision>

  package init(measures: [MeasureTraits], common: Int?, tempo: TallyTempo) {
    memory = TallyMemory(measures: measures, common: common, tempo: tempo)
  }
}
