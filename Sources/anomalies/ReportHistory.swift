import AnomalyDetection

/// The data of a report's charts: the total's series, and those of other keys if there are few.
/// Points are merged as a series grows.
struct ReportHistory {
  struct Point {
    var time: Int64
    var value: Double
    var expected: Double
    /// The smallest and the largest value of the buckets merged into this point.
    var low: Double
    var high: Double
    var spread: Double
  }

  /// Number of points of a series above which neighbours are merged.
  private static let capacity = 2048
  /// Maximum number of series in the program for which all are drawn. With more, only the total is.
  private static let largestProgram = 2000

  private(set) var series: [Int: [Point]] = [:]
  private(set) var labels: [Int: String] = [:]
  private var pending: [Int: Point] = [:]
  private var joined: [Int: Int] = [:]
  private var step: [Int: Int] = [:]
  private let measures: [Measure]

  init(_ settings: Settings) { measures = settings.plan.measures }

  mutating func take(
    start: Int64, every: Int64, values: borrowing BucketValues, detector: any Detector,
    slots: [Slot], order: [Int]
  ) {
    let width = measures.count
    let isSmall = order.count * width <= Self.largestProgram
    for slot in order where isSmall || slot == 0 {
      for measure in 0..<width {
        let index = slot * width + measure
        let exposure = values.exposures[index]
        guard exposure > 0, values.amounts[index].isFinite else { continue }
        let divisor = measures[measure].exposure == nil ? 1 : exposure
        let verdict = detector.verdicts[index]
        let expected = verdict.expected
        let spread = 3 * ((verdict.dispersion * max(0, expected)).squareRoot() + verdict.dispersion)
        let value = values.amounts[index] / divisor
        labels[index] = slots[slot].label
        append(
          Point(
            time: start, value: value, expected: expected / divisor, low: value, high: value,
            spread: spread / divisor), to: index)
      }
    }
  }

  private mutating func append(_ point: Point, to index: Int) {
    let size = step[index] ?? 1
    if var old = pending[index] {
      let count = Double(joined[index] ?? 1)
      old.value = (old.value * count + point.value) / (count + 1)
      old.expected = (old.expected * count + point.expected) / (count + 1)
      old.spread = (old.spread * count + point.spread) / (count + 1)
      old.low = min(old.low, point.low)
      old.high = max(old.high, point.high)
      pending[index] = old
      joined[index] = (joined[index] ?? 1) + 1
    } else {
      pending[index] = point
      joined[index] = 1
    }
    guard joined[index] == size, let whole = pending.removeValue(forKey: index) else { return }
    series[index, default: []].append(whole)
    if series[index]?.count == Self.capacity { halve(index) }
  }

  private mutating func halve(_ index: Int) {
    let points = series[index] ?? []
    series[index] = stride(from: 0, to: points.count - 1, by: 2).map { place in
      let (a, b) = (points[place], points[place + 1])
      return Point(
        time: a.time, value: (a.value + b.value) / 2, expected: (a.expected + b.expected) / 2,
        low: min(a.low, b.low), high: max(a.high, b.high), spread: (a.spread + b.spread) / 2)
    }
    step[index] = (step[index] ?? 1) * 2
  }
}
