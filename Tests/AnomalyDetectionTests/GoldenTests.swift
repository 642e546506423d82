import Foundation
import Testing

@testable import AnomalyDetection

/// The reference's output for two synthetic inputs, which together use every rule.
@Suite struct GoldenTests {
  private static func number(_ text: Substring) -> Double { Double(text) ?? .nan }

  @Test func rowsAgree() throws {
    var series = LonelySeries<ExactPrecision>(seconds: 900, isRows: true)
    let rows = try Fixture.lines("rows.csv").dropFirst()
    let expected = try Fixture.lines("rows.expected.csv").dropFirst()
    #expect(rows.count == 1912 && expected.count == rows.count)
    for (row, want) in zip(rows, expected) {
      let cells = row.split(separator: ",", omittingEmptySubsequences: false)
      let wanted = want.split(separator: ",", omittingEmptySubsequences: false)
      let verdict = series.step(Self.number(cells[0]), Self.number(cells[1]))
      if wanted[1].isEmpty {
        #expect(verdict.score == -9)
        continue
      }
      #expect(
        agree(verdict.score, Self.number(wanted[1]))
          && agree(verdict.expected, Self.number(wanted[2]))
          && (verdict.score == -9 || series.name(of: verdict) == wanted[3]),
        "\(row): \(verdict), \(want)")
    }
  }

  private struct Line: Decodable {
    let t: Double
    let key: String
    let measure: String
    let y: Double
    let n: Double?
  }

  /// Feeds the keyed input to a detector and compares every verdict.
  ///
  /// - Parameter atHalf: called once with the detector in the middle of the input; returns the
  ///   detector to continue with.
  private func play(
    _ detector: any Detector, within tolerance: Double = 1e-6,
    atHalf: (any Detector) throws -> any Detector = { $0 }
  ) throws {
    let measures = ["conversion", "revenue", "users"]
    let keys = ["total", "north", "south", "west"]
    var detector = detector
    detector.grow(to: keys.count)
    var expected: [String: [Substring]] = [:]
    for line in try Fixture.lines("keyed.expected.csv").dropFirst() {
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      expected[cells[0...2].joined(separator: ",")] = Array(cells)
    }
    #expect(expected.count == 4320)
    let tempo = TallyTempo(.reference, seconds: 1800)
    let lines = try Fixture.lines("keyed.ndjson").map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8))
    }
    let buckets = Dictionary(grouping: lines, by: \.t).sorted { $0.key < $1.key }
    var seen = 0
    for (number, (time, bucket)) in buckets.enumerated() {
      if number == buckets.count / 2 { detector = try atHalf(detector) }
      var values = BucketValues()
      values.reset(keys.count * measures.count)
      for line in bucket {
        let key = try #require(keys.firstIndex(of: line.key))
        let measure = try #require(measures.firstIndex(of: line.measure))
        values.amounts[key * 3 + measure] = line.y
        values.exposures[key * 3 + measure] = line.n ?? 1
      }
      detector.judge(
        time: time, hour: tempo.hourOfWeek(time), values: values, order: [0, 1, 2, 3], expected: [])
      for line in bucket {
        let key = try #require(keys.firstIndex(of: line.key))
        let measure = try #require(measures.firstIndex(of: line.measure))
        let verdict = detector.verdicts[key * 3 + measure]
        let want = try #require(expected["\(Int(line.t)),\(line.key),\(line.measure)"])
        seen += 1
        if want[3].isEmpty {
          #expect(verdict.score == -9)
        } else {
          #expect(
            agree(verdict.score, Self.number(want[3]), within: tolerance)
              && agree(verdict.expected, Self.number(want[4]), within: tolerance),
            "\(line): \(verdict), \(want)")
        }
      }
    }
    #expect(seen == 4320)
  }

  private static let traits = [
    MeasureTraits(isRows: true), MeasureTraits(isRows: false, usesCommonFactor: true),
    MeasureTraits(isRows: false, usesCommonFactor: true),
  ]

  private static func detector() -> ExactTally {
    ExactTally(
      measures: traits, common: 2, tempo: TallyTempo(.reference, seconds: 1800))
  }

  @Test func keyedAgrees() throws { try play(Self.detector()) }

  @Test func aSavedStateGoesOnAsIfNothingHadHappened() throws {
    try play(Self.detector()) { detector in
      var bytes = StateWriter()
      detector.encode(to: &bytes)
      let other = Self.detector()
      var reader = StateReader(bytes.bytes)
      try other.decode(from: &reader)
      #expect(reader.isAtEnd)
      return other
    }
  }

  @Test func damagedStatesAreRefused() throws {
    let detector = Self.detector()
    detector.grow(to: 2)
    var bytes = StateWriter()
    detector.encode(to: &bytes)
    for count in [0, 1, 100, bytes.bytes.count - 1] {
      var reader = StateReader(Array(bytes.bytes.prefix(count)))
      #expect(throws: StateDamage.self) { try Self.detector().decode(from: &reader) }
    }
  }
}
