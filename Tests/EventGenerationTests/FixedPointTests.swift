import Foundation
import Testing

@testable import EventGeneration

@Suite struct FixedPointTests {
  @Test func exponentials() {
    for step in -2000...1900 {
      let exponent = Double(step) / 100
      let fixed = Int64((exponent * Double(FixedPoint.one)).rounded())
      let expected = Foundation.exp(exponent)
      let found = Double(FixedPoint.exp(fixed)) / Double(FixedPoint.one)
      #expect(abs(found - expected) <= expected * 1e-8 + 1e-9, "e^\(exponent)")
      if exponent <= 0 {
        let none = Double(FixedPoint.expOfMinus(-fixed)) / 18_446_744_073_709_551_616
        #expect(abs(none - expected) <= expected * 1e-8 + 1e-18, "e^\(exponent)")
      }
    }
  }

  @Test func quantilesOfTheNormalCurve() {
    let quantiles = FixedPoint.normalQuantiles(1024).map { Double($0) / Double(FixedPoint.one) }
    #expect(quantiles == quantiles.sorted())
    #expect(abs(quantiles[511] + quantiles[512]) < 1e-3)
    // 84.13 % are below one standard deviation.
    #expect(abs(quantiles[861] - 1) < 0.01)
    let square = quantiles.reduce(0) { $0 + $1 * $1 } / 1024
    #expect(abs(square - 1) < 0.01)
  }

  @Test func aliasTablesDrawByWeight() {
    for weights in [[1], [0, 5], [1, 1, 1], [7, 0, 1, 92], [1_000_000, 1, 3]] as [[UInt64]] {
      let table = AliasTable(weights)
      var counts = [Int](repeating: 0, count: weights.count)
      for index: UInt64 in 0..<20_000 { counts[table.pick(Draw.mix(index) >> 32)] += 1 }
      let total = Double(weights.reduce(0, +))
      for (count, weight) in zip(counts, weights) {
        let expected = 20_000 * Double(weight) / total
        #expect(abs(Double(count) - expected) <= 5 * expected.squareRoot() + 0.5)
      }
    }
  }

  @Test func bijectionsReachEachNumberOnce() {
    for count: UInt32 in [1, 2, 3, 7, 10, 1000, 4096] {
      for key: UInt64 in 0..<5 {
        let ids = Bijection(count: count, key: Draw.mix(key))
        #expect(Set((0..<count).map { ids[$0] }) == Set(1...count))
      }
    }
  }
}
