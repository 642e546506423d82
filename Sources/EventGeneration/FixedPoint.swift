/// The functions that the model needs, in integer arithmetic.
///
/// The C library's `exp` and `log` may differ in the last digit between two machines, and one digit
/// changes every byte that follows. Values are Q32: they have 32 fractional bits.
enum FixedPoint {
  static let one: Int64 = 1 << 32
  private static let ln2: Int64 = 2_977_044_472

  /// e to the power `exponent`, as a Q62 mantissa in 1..<2 and a power of two.
  private static func exponential(_ exponent: Int64) -> (mantissa: UInt64, power: Int) {
    var power = exponent / ln2
    if exponent % ln2 < 0 { power -= 1 }
    let rest = UInt64(exponent - power * ln2) << 30
    var term: UInt64 = 1 << 62
    var sum = term
    for index: UInt64 in 1...16 {
      let product = term.multipliedFullWidth(by: rest)
      term = ((product.high << 2) | (product.low >> 62)) / index
      sum += term
    }
    return (sum, Int(power))
  }

  /// e to the power `exponent` in Q32; the exponent may be at most 20.
  static func exp(_ exponent: Int64) -> Int64 {
    let (mantissa, power) = exponential(min(exponent, 20 * one))
    return Int64(truncatingIfNeeded: mantissa >> UInt64(max(0, 30 - power)))
  }

  /// e to the power of minus `exponent` (0 or more), in units of 2^-64.
  static func expOfMinus(_ exponent: Int64) -> UInt64 {
    let (mantissa, power) = exponential(-exponent)
    if power >= 0 { return .max }
    return power == -1 ? mantissa << 1 : mantissa >> UInt64(min(63, -power - 2))
  }

  /// The product of two Q32 numbers.
  static func multiply(_ left: Int64, _ right: Int64) -> Int64 {
    let product = left.multipliedFullWidth(by: right)
    return (product.high << 32) | Int64(truncatingIfNeeded: product.low >> 32)
  }

  /// The midpoints of `count` equal shares of the standard normal distribution, in Q32, ascending.
  static func normalQuantiles(_ count: Int) -> [Int64] {
    let cells = 512
    let width = one / 64
    var cumulative: [Int64] = [0]
    for cell in 0..<cells {
      let middle = Int64(cell - cells / 2) * width + width / 2
      let density = exp(-multiply(middle, middle) / 2)
      cumulative.append(cumulative[cell] + density)
    }
    let total = cumulative[cells]
    var quantiles: [Int64] = []
    quantiles.reserveCapacity(count)
    var cell = 0
    for index in 0..<count {
      let target = total / Int64(2 * count) * Int64(2 * index + 1)
      while cumulative[cell + 1] < target { cell += 1 }
      let inside = (target - cumulative[cell]) * 4096 / (cumulative[cell + 1] - cumulative[cell])
      quantiles.append(Int64(cell - cells / 2) * width + inside * width / 4096)
    }
    return quantiles
  }
}
