/// Draws an index by weight with one multiplication and one comparison (Vose's method, in integers).
struct AliasTable {
  /// One entry per index: the threshold in the upper half, the alternative index in the lower half.
  private(set) var entries: [UInt64]

  /// - Parameter weights: at least one must be above zero; their sum must stay below 2^63 / count.
  init(_ weights: [UInt64]) {
    entries = []
    rebuild(weights)
  }

  /// Replaces the weights and reuses the storage.
  mutating func rebuild(_ weights: [UInt64]) {
    let count = weights.count
    let total = weights.reduce(0, +)
    precondition(total > 0, "an alias table needs a weight above zero")
    entries.removeAll(keepingCapacity: true)
    var scaled = weights
    var small: [Int] = []
    var large: [Int] = []
    for index in 0..<count {
      scaled[index] = weights[index] * UInt64(count)
      entries.append(UInt64(index) | 0xffff_ffff << 32)
      if scaled[index] < total { small.append(index) } else { large.append(index) }
    }
    while let low = small.popLast(), let high = large.last {
      let share = total.dividingFullWidth((scaled[low] >> 32, scaled[low] << 32)).quotient
      entries[low] = min(share, 0xffff_ffff) << 32 | UInt64(high)
      scaled[high] -= total - scaled[low]
      if scaled[high] < total {
        large.removeLast()
        small.append(high)
      }
    }
  }

  /// The index that 32 random bits choose.
  @inline(__always)
  static func pick(_ entries: Span<UInt64>, _ bits: UInt64) -> Int {
    let wide = (bits & 0xffff_ffff) &* UInt64(truncatingIfNeeded: entries.count)
    let index = Int(truncatingIfNeeded: wide >> 32)
    let entry = unsafe entries[unchecked: index]
    return (wide & 0xffff_ffff) < (entry >> 32)
      ? index : Int(truncatingIfNeeded: entry & 0xffff_ffff)
  }

  /// The index that 32 random bits choose.
  func pick(_ bits: UInt64) -> Int { AliasTable.pick(entries.span, bits) }
}
