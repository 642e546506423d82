import Testing

@testable import AnomalyDetection

/// The novelty lens against numbers from another implementation, which also gives the published figures of the benchmark.
@Suite struct NoveltyTests {
  private static let start = 1_396_310_400.0

  private struct Figures {
    var alarms = 0
    var sum = 0.0
    var largest = 0.0
    var rowOfLargest = 0
    /// Rows after the first 604 that reach the benchmark's best threshold.
    var detections: [Int] = []
  }

  /// Plays two weeks of five-minute values through the detector, as the command does.
  private static func play(_ value: (Int) -> Int) -> Figures {
    let detector = FootprintDetector(measureCount: 1, seconds: 300, repeats: false)
    detector.grow(to: 1)
    var values = BucketValues()
    var figures = Figures()
    for i in 0..<4032 {
      let time = start + 300 * Double(i)
      values.reset(1)
      values.amounts[0] = Double(value(i))
      values.exposures[0] = 1
      detector.judge(
        time: time, hour: FootprintDetector.slot(time, offset: 0), values: values, order: [0],
        expected: [])
      let surprise = detector.verdicts[0].score * FootprintSeries.threshold
      guard surprise > 0 else { continue }
      figures.alarms += 1
      figures.sum += surprise
      if surprise > figures.largest {
        figures.largest = surprise
        figures.rowOfLargest = i
      }
      if i >= 604, surprise >= 0.042 { figures.detections.append(i) }
    }
    return figures
  }

  @Test func stepsOfWholeHours() {
    let figures = Self.play { i in
      20 + 10 * (i / 12 % 24 * 7 % 13) + ((3000..<3012).contains(i) ? 30 : 0)
    }
    #expect(figures.alarms == 49 && agree(figures.sum, 3.621066592))
    #expect(agree(figures.largest, 2.549891964) && figures.rowOfLargest == 1800)
    #expect(figures.detections == [1284, 1740, 1800, 2041, 3000])
  }

  @Test func aNoisyDayWithASurge() {
    let figures = Self.play { i in
      let value = 200 + 5 * min(i % 288, 288 - i % 288) + i * 7919 % 41
      return (3000..<3010).contains(i) ? value * 3 : value
    }
    #expect(figures.alarms == 78 && agree(figures.sum, 3.997728125))
    #expect(agree(figures.largest, 2.977285031) && figures.rowOfLargest == 3000)
    #expect(figures.detections == [2016, 2220, 2268, 3000])
  }

  @Test func theHourIsTakenFromTheShareOfTheWeek() {
    let early = (0..<168).filter { FootprintDetector.slot(Double($0) * 3600, offset: 0) != $0 }
    #expect(early == [51, 59, 97, 102, 118, 123])
    for hour in 0..<168 {
      #expect(FootprintDetector.slot(Double(hour) * 3600 + 1, offset: 0) == hour)
    }
    #expect(FootprintDetector.slot(-1800, offset: 0) == 167)
    #expect(FootprintDetector.slot(1800, offset: -3600) == 167)
    #expect(FootprintDetector.slot(1e300, offset: 0) < 168)
  }
}
