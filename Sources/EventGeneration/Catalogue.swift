/// The products of the shop; each has a fixed price and popularity rank.
package struct Catalogue: Sendable {
  package struct Product: Sendable {
    let id: UInt32
    let cents: UInt32
    /// The popularity rank; 1 sells best.
    let rank: UInt32

    /// The product as a JSON line.
    package var line: String {
      let fraction = cents % 100
      return "{\"product_id\":\(id),\"price\":\(cents / 100).\(fraction / 10)\(fraction % 10),"
        + "\"rank\":\(rank)}\n"
    }
  }

  package let products: [Product]
  /// Draws a product by popularity.
  let popularity: AliasTable

  /// - Parameter quantiles: quantiles of the normal distribution for the prices.
  init(seed: UInt64, count: Int, quantiles: [Int64]) {
    let ranks = Bijection(count: UInt32(count), key: Draw.mix(seed ^ DrawKey.products))
    let levels = Catalogue.priceLevels(quantiles)
    let priceKey = Draw.mix(seed ^ DrawKey.prices)
    var products: [Product] = []
    products.reserveCapacity(count)
    var weights: [UInt64] = []
    weights.reserveCapacity(count)
    for index in 0..<UInt32(count) {
      let rank = ranks[index]
      let cents = Catalogue.cents(Draw.bits(priceKey, UInt64(index)), levels)
      products.append(Product(id: index + 1, cents: cents, rank: rank))
      // Zipf's law with Mandelbrot's shift: a head that is not too heavy, a long tail.
      weights.append((1 << 36) / UInt64(rank + 10))
    }
    self.products = products
    popularity = AliasTable(weights)
  }

  /// Products that somebody else sells.
  init(_ observed: [Likeness.Product]) {
    let order = observed.indices.sorted {
      (observed[$1].weight, observed[$0].id) < (observed[$0].weight, observed[$1].id)
    }
    var ranks = [UInt32](repeating: 0, count: observed.count)
    for (rank, index) in order.enumerated() { ranks[index] = UInt32(rank + 1) }
    products = observed.indices.map {
      Product(id: observed[$0].id, cents: observed[$0].cents, rank: ranks[$0])
    }
    popularity = AliasTable(observed.map(\.weight))
  }

  /// Prices in cents at equal shares of the products: log-normal, median 29, sigma 0.95.
  private static func priceLevels(_ quantiles: [Int64]) -> [Int64] {
    quantiles.map { (2900 * FixedPoint.exp($0 * 95 / 100)) >> 32 }
  }

  /// A price somewhere between two levels, most often ending in 99.
  private static func cents(_ bits: UInt64, _ levels: [Int64]) -> UInt32 {
    let level = Int(Draw.below(UInt32(levels.count - 1), bits))
    let inside = Int64(bits & 0xffff)
    let exact = levels[level] + (((levels[level + 1] - levels[level]) * inside) >> 16)
    let dollars = exact / 100 * 100
    let ending: Int64 =
      switch (bits >> 16) & 15 {
      case 0...9: 99
      case 10, 11: 95
      case 12: 49
      case 13: exact / 10 % 10 * 10 + 9
      default: exact % 100
      }
    return UInt32(max(29, min(999_999, dollars + ending)))
  }
}

/// A permutation that maps `0..<count` to `1...count` without a table.
struct Bijection {
  let count: UInt64
  private let factor: UInt64
  private let offset: UInt64

  init(count: UInt32, key: UInt64) {
    self.count = UInt64(count)
    var factor = ((self.count * 40_503) >> 16) | 1
    factor = (factor + (key >> 40) % self.count) % self.count
    while Bijection.divisor(factor, self.count) != 1 { factor = (factor + 1) % self.count }
    self.factor = factor
    offset = (key & 0xffff_ffff) % self.count
  }

  subscript(index: UInt32) -> UInt32 {
    UInt32(truncatingIfNeeded: (UInt64(index) &* factor &+ offset) % count) &+ 1
  }

  private static func divisor(_ left: UInt64, _ right: UInt64) -> UInt64 {
    var (left, right) = (left, right)
    while right != 0 { (left, right) = (right, left % right) }
    return left
  }
}
