/// Estimates distinct counts as Druid's COUNT(DISTINCT ...) does: 2,048 registers over MurmurHash3.
///
/// The error is about two percent, sometimes more, and visible to Druid's users. To return the same
/// numbers, this type keeps the same registers: four bits each, plus the one largest value that
/// does not fit into four bits.
package struct HyperLogLog: Sendable {
  private static let size = 2_048
  private static let largest = 15
  /// Below this many used registers, Druid's servers send a compact form to the broker, which
  /// estimates from it.
  private static let shortForm = 128
  /// The value of each register above `offset`.
  private var registers = [UInt8](repeating: 0, count: size)
  private var offset = 0
  private var used = 0
  /// The largest value that does not fit into a register, and its register.
  private var overflow = (value: 0, register: 0)

  package init() {}

  package mutating func add(_ value: Int64) {
    add(MurmurHash.hash(UInt64(bitPattern: value)))
  }

  package mutating func add(_ value: Double) { add(MurmurHash.hash(value.bitPattern)) }

  /// Adds a FLOAT, which Druid hashes as 32 bits.
  package mutating func add(_ value: Float) {
    add(MurmurHash.hash(tail: UInt64(value.bitPattern), length: 4))
  }

  /// Adds a text. The hash is that of its UTF-16 units, as in Java.
  package mutating func add(_ text: String) { add(MurmurHash.hash(text.utf16)) }

  /// The effect of a value on the registers. Storing it avoids hashing the same value again.
  package struct Place: Sendable {
    fileprivate let position: Int
    fileprivate let register: Int
  }

  package static func place(of value: Int64) -> Place {
    place(MurmurHash.hash(UInt64(bitPattern: value)))
  }

  package static func place(of value: Double) -> Place { place(MurmurHash.hash(value.bitPattern)) }

  package static func place(of value: Float) -> Place {
    place(MurmurHash.hash(tail: UInt64(value.bitPattern), length: 4))
  }

  package static func place(of text: String) -> Place { place(MurmurHash.hash(text.utf16)) }

  package mutating func add(_ place: Place) { add(place.position, to: place.register) }

  private mutating func add(_ hash: (UInt64, UInt64)) { add(Self.place(hash)) }

  private static func place(_ hash: (UInt64, UInt64)) -> Place {
    // The last two bytes, big-endian, select the register. The position of the first set bit is its
    // value.
    let last = UInt16(truncatingIfNeeded: hash.1 >> 48).byteSwapped
    let position = hash.0 == 0 ? 64 : hash.0.byteSwapped.leadingZeroBitCount + 1
    return Place(position: position, register: Int(last & 0x7ff))
  }

  private mutating func add(_ position: Int, to register: Int) {
    guard position > offset else { return }
    if position > offset + Self.largest {
      guard position > overflow.value else { return }
      if overflow.value <= offset + Self.largest { add(overflow.value, to: overflow.register) }
      overflow = (position, register)
      return
    }
    if registers[register] == 0 { used += 1 }
    registers[register] = max(registers[register], UInt8(position - offset))
    guard used == Self.size else { return }
    offset += 1
    for index in registers.indices { registers[index] -= 1 }
    used = registers.reduce(0) { $0 + ($1 == 0 ? 0 : 1) }
  }

  /// The estimate, rounded.
  package var count: Int64 {
    var sum = 0.0
    var zeros = 0
    func take(_ value: Int) { sum += 1 / Double(UInt64(1) << UInt64(min(value, 63))) }
    /// Adds two registers that share a byte.
    func take(upper: Int, lower: Int, isOverflown: Bool) {
      guard isOverflown else {
        take(upper + offset)
        take(lower + offset)
        zeros += (upper == 0 ? 1 : 0) + (lower == 0 ? 1 : 0)
        return
      }
      let isUpper = overflow.register & 1 == 0
      let upper = isUpper ? max(upper + offset, overflow.value) : upper + offset
      let lower = isUpper ? lower + offset : max(lower + offset, overflow.value)
      take(upper)
      take(lower)
      // Uses Druid's bit masks, although the values here are whole numbers rather than halves of a
      // byte.
      zeros += (upper & 0xf0 == 0 ? 1 : 0) + (lower & 0x0f == 0 ? 1 : 0)
    }
    let overflown = overflow.value == 0 ? -1 : overflow.register >> 1
    let isShort = used < Self.shortForm
    var entries = 0
    for pair in 0..<Self.size / 2 {
      let upper = Int(registers[2 * pair])
      let lower = Int(registers[2 * pair + 1])
      guard !isShort || upper != 0 || lower != 0 else { continue }
      entries += 1
      // In the compact form, positions count from the start of its seven header bytes.
      take(
        upper: upper, lower: lower,
        isOverflown: (isShort ? pair + 7 : pair) == overflown)
    }
    if isShort {
      // The compact form reserves a byte for each used register. Where two registers share a byte,
      // the remaining bytes are zeros at position 0.
      for _ in entries..<used { take(upper: 0, lower: 0, isOverflown: overflown == 0) }
      zeros += Self.size - 2 * used
      sum += Double(zeros)
    }
    let size = Double(Self.size)
    let estimate = 0.7213 / (1 + 1.079 / size) * size * size / sum
    if zeros > 0, estimate <= 2.5 * size {
      return Int64((size * Self.naturalLogarithm(size / Double(zeros))).rounded())
    }
    return Int64(estimate.rounded())
  }

  /// ln of a number of at least 1, without the C library: from the exponent and a series for the
  /// fraction.
  private static func naturalLogarithm(_ value: Double) -> Double {
    let ratio = (value.significand - 1) / (value.significand + 1)
    let square = ratio * ratio
    var term = ratio
    var sum = 0.0
    var divisor = 1.0
    while abs(term) > 1e-18 {
      sum += term / divisor
      term *= square
      divisor += 2
    }
    return 2 * sum + Double(value.exponent) * 0.693147180559945309417
  }
}

/// MurmurHash3 of 128 bits, x64, seed 0.
private enum MurmurHash {
  private static let one: UInt64 = 0x87c3_7b91_1142_53d5
  private static let two: UInt64 = 0x4cf5_ad43_2745_937f

  static func hash(_ word: UInt64) -> (UInt64, UInt64) { hash(tail: word, length: 8) }

  /// Hashes up to eight bytes.
  static func hash(tail: UInt64, length: UInt64) -> (UInt64, UInt64) {
    finished(mixedOne(tail), 0, length: length)
  }

  static func hash(_ units: String.UTF16View) -> (UInt64, UInt64) {
    var (low, high): (UInt64, UInt64) = (0, 0)
    var words: (UInt64, UInt64) = (0, 0)
    var filled: UInt64 = 0
    var length: UInt64 = 0
    for unit in units {
      if filled < 64 {
        words.0 |= UInt64(unit) << filled
      } else {
        words.1 |= UInt64(unit) << (filled - 64)
      }
      filled += 16
      length += 2
      if filled == 128 {
        low ^= mixedOne(words.0)
        low = (rotated(low, 27) &+ high) &* 5 &+ 0x52dc_e729
        high ^= mixedTwo(words.1)
        high = (rotated(high, 31) &+ low) &* 5 &+ 0x3849_5ab5
        words = (0, 0)
        filled = 0
      }
    }
    if filled > 64 { high ^= mixedTwo(words.1) }
    if filled > 0 { low ^= mixedOne(words.0) }
    return finished(low, high, length: length)
  }

  private static func finished(
    _ low: UInt64, _ high: UInt64, length: UInt64
  ) -> (UInt64, UInt64) {
    var (low, high) = (low ^ length, high ^ length)
    low &+= high
    high &+= low
    low = scattered(low)
    high = scattered(high)
    low &+= high
    high &+= low
    return (low, high)
  }

  private static func mixedOne(_ word: UInt64) -> UInt64 { rotated(word &* one, 31) &* two }

  private static func mixedTwo(_ word: UInt64) -> UInt64 { rotated(word &* two, 33) &* one }

  private static func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 {
    word << count | word >> (64 - count)
  }

  private static func scattered(_ word: UInt64) -> UInt64 {
    var word = word
    word ^= word >> 33
    word &*= 0xff51_afd7_ed55_8ccd
    word ^= word >> 33
    word &*= 0xc4ce_b9fe_1a85_ec53
    return word ^ word >> 33
  }
}
