import Foundation
import Testing

@testable import AnomalyDetection

/// Files of the tests.
enum Fixture {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  static func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
  }

  static func lines(_ name: String) throws -> [Substring] { try text(name).split(separator: "\n") }
}

/// Whether two numbers differ by at most 1e-6, relative above 1.
func agree(_ a: Double, _ b: Double, within tolerance: Double = 1e-6) -> Bool {
  abs(a - b) <= tolerance * max(1, abs(b))
}

/// One series with its own tables and crowd, in buckets of one length.
struct LonelySeries<Precision: TallyPrecision> {
  private var series = TallySeries<Precision>()
  private var tables: TailTables
  private var crowd = Crowd()
  private let tempo: TallyTempo

  init(
    seconds: Double, isRows: Bool, isSum: Bool = false, rules: TallyRules = .reference
  ) {
    tables = TailTables(
      isRows: isRows, isSum: isSum, mayBeNegative: isRows, relativeFloor: rules.valueFloor)
    tempo = TallyTempo(rules, seconds: seconds)
  }

  mutating func step(
    _ time: Double, _ value: Double, exposure: Double = 1, isExpected: Bool = false
  ) -> Verdict {
    series.step(
      time: time, hour: tempo.hourOfWeek(time), value: value, exposure: exposure,
      isExpected: isExpected, tempo: tempo, tables: &tables, crowd: &crowd)
  }

  /// The memory or lens that gave a verdict.
  func name(of verdict: Verdict) -> String {
    verdict.lens.name(memory: tempo.memory(of: verdict.lens))
  }
}

/// The published example values of the reference rules.
@Suite struct SpotTests {
  private static let start = 1_767_571_200.0

  private struct Spot: Decodable {
    let series: String
    let bucket: Int
    let score: Double
    let expected: Double?
    let dispersion: Double?
  }

  private static func noise(_ i: Int, _ modulus: Int) -> Double { Double(i * 7919 % modulus) }

  private static func values(_ name: String) -> [Double] {
    switch name {
    case "wave":
      (0..<700).map { i in
        let value = 100 + 10 * Double(min(i % 24, 24 - i % 24)) + noise(i, 11) - 5
        return (600..<604).contains(i) ? value * 0.3 : value
      }
    case "flat": [Double](repeating: 10, count: 5000) + [Double](repeating: 0, count: 6)
    case "rare": (0..<5010).map { $0 == 5003 ? 4 : $0 % 7 == 0 ? 1 : 0 }
    case "ratio": (0..<6200).map { noise($0, 7) * ($0 >= 6000 ? 0.5 : 1) }
    case "level": (0..<700).map { ($0 < 400 ? 200 : 400) + noise($0, 31) - 15 }
    default:
      (0..<9000).map { i in
        var value = 100 + noise(i, 41) - 20
        if (6000..<6010).contains(i) { value *= 2 }
        if (8000..<8100).contains(i) { value += 15 }
        return name == "signed" ? value - 110 : value
      }
    }
  }

  private static func seconds(_ name: String) -> Double {
    switch name {
    case "wave", "level": 3600
    case "flat", "rare": 300
    default: 60
    }
  }

  private static func spots() throws -> [Spot] {
    try JSONDecoder().decode([Spot].self, from: Data(Fixture.text("spots.json").utf8))
  }

  @Test(arguments: ["wave", "flat", "rare", "ratio", "level", "rows", "signed"])
  func agreesWithTheReference(_ name: String) throws {
    let spots = try Self.spots().filter { $0.series == name }
    #expect(spots.count >= 3)
    let seconds = Self.seconds(name)
    var series = LonelySeries<ExactPrecision>(
      seconds: seconds, isRows: name == "rows" || name == "signed")
    for (i, value) in Self.values(name).enumerated() {
      let exposure = name == "ratio" ? 20 + Double(i % 5) : 1
      let verdict = series.step(Self.start + Double(i) * seconds, value, exposure: exposure)
      for spot in spots where spot.bucket == i {
        #expect(agree(verdict.score, spot.score), "\(name) \(i): \(verdict) instead of \(spot)")
        if name == "signed", spot.score == -9 { continue }
        #expect(agree(verdict.expected, spot.expected ?? .nan), "\(name) \(i): \(verdict)")
        #expect(agree(verdict.dispersion, spot.dispersion ?? .nan), "\(name) \(i): \(verdict)")
      }
    }
  }

  @Test func compactPrecisionStaysNear() throws {
    for name in ["wave", "rare", "ratio", "rows"] {
      let spots = try Self.spots().filter { $0.series == name }
      let seconds = Self.seconds(name)
      var series = LonelySeries<CompactPrecision>(seconds: seconds, isRows: name == "rows")
      for (i, value) in Self.values(name).enumerated() {
        let exposure = name == "ratio" ? 20 + Double(i % 5) : 1
        let verdict = series.step(Self.start + Double(i) * seconds, value, exposure: exposure)
        for spot in spots where spot.bucket == i {
          let difference = abs(verdict.score - spot.score)
          #expect(difference <= 1 + 0.03 * abs(spot.score), "\(name) \(i): \(verdict)")
        }
      }
    }
  }

  @Test func devianceIsExact() throws {
    let spot = try #require(try Self.spots().first { $0.series == "deviance" })
    #expect(agree(deviance(3, 10), spot.score, within: 1e-12))
  }

  @Test func stuckValues() throws {
    let spots = try Self.spots().filter { $0.series == "stuck" }
    #expect(spots.count == 7)
    let tempo = TallyTempo(.reference, seconds: 300)
    var lens = StuckLens<Double>()
    for i in 0..<506 {
      let value: Double = i < 500 ? [7, 9, 4, 12, 5][i * 3 % 5] : 8
      let score = lens.step(value, tempo: tempo)
      for spot in spots where spot.bucket == i { #expect(agree(score, spot.score)) }
    }
  }

  @Test func aSeriesTakesLessThan600Bytes() {
    #expect(CompactTally.bytesPerSeries <= 600)
  }
}
