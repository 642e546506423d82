import Glibc
import Testing

@testable import AnomalyDetection

/// How rare a deviance is that nobody can have seen yet: most of all in the first week.
@Suite struct TailTableTests {
  private static let shipped = TallyTempo(.shipped, seconds: 60)
  private static let reference = TallyTempo(.reference, seconds: 60)

  /// A table that has seen some buckets, every hundredth of which ended an excursion.
  private static func table(_ buckets: Int, _ tempo: TallyTempo) -> TailTable {
    var table = TailTable()
    for bucket in 0..<buckets {
      table.countBucket(tempo)
      // The peaks fall off as chance's do, by e from one to the next.
      if bucket % 100 == 99 {
        let place = (Double(bucket / 100) * 0.618_033_988_75).truncatingRemainder(dividingBy: 1)
        table.add(peak: TailTable.lowest - log(1 - place))
      }
    }
    return table
  }

  private static func lnRate(_ deviance: Double, _ table: TailTable, _ tempo: TallyTempo) -> Double
  {
    table.lnRate(deviance, lnRootScale: 0, isRows: false, tempo: tempo)
  }

  /// Before there is a table, the reference calls a deviance D as rare as exp(-D) at once.
  @Test func withoutATableNothingIsRarerThanTheTimeAllows() {
    let buckets = 400
    let new = Self.table(buckets, Self.shipped)
    let old = Self.table(buckets, Self.reference)
    let border = -log(0.06 / Double(buckets))
    for deviance in [2, 4, border - 0.01] {
      #expect(Self.lnRate(deviance, new, Self.shipped) == -deviance)
    }
    for deviance in [border + 0.01, 12, 20, 100] {
      let cautious = Self.lnRate(deviance, new, Self.shipped)
      #expect(agree(cautious, -border - 3 * log(deviance / border), within: 1e-12))
      #expect(cautious > Self.lnRate(deviance, old, Self.reference))
    }
  }

  /// The border moves outwards as the table sees more.
  @Test func theTailOfATableIsAPowerBeyondWhatTheTimeAllows() {
    var excess: [Double] = []
    for buckets in [2000, 20_000, 200_000] {
      let new = Self.table(buckets, Self.shipped)
      let old = Self.table(buckets, Self.reference)
      #expect(new.top >= 0 && new.built > 0.9 * Double(buckets))
      let near = Self.lnRate(5, new, Self.shipped)
      #expect(near == Self.lnRate(5, old, Self.reference), "what has been seen is not corrected")
      excess.append(Self.lnRate(30, new, Self.shipped) - Self.lnRate(30, old, Self.reference))
      #expect(
        agree(
          Self.lnRate(60, new, Self.shipped), Self.lnRate(30, new, Self.shipped) - 3 * log(2),
          within: 1e-9))
    }
    #expect(excess == excess.sorted(by: >) && excess[2] > 1, "\(excess)")
  }
}
