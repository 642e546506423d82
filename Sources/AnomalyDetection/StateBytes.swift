/// A state file that this program cannot have written.
package struct StateDamage: Error, Equatable, Sendable {
  package init() {}
}

/// Writes numbers and texts as bytes, little-endian on every machine.
package struct StateWriter: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  private mutating func put(_ number: UInt64, size: UInt64) {
    for index in 0..<size { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
  }

  package mutating func put(_ number: UInt64) { put(number, size: 8) }
  package mutating func put(_ number: Int) { put(UInt64(bitPattern: Int64(number))) }
  package mutating func put(_ number: Double) { put(number.bitPattern) }
  mutating func put(_ number: Float) { put(UInt64(number.bitPattern), size: 4) }
  mutating func put(_ number: Int16) {
    put(UInt64(UInt16(bitPattern: number)), size: 2)
  }

  package mutating func put(_ byte: UInt8) { bytes.append(byte) }
  package mutating func put(_ truth: Bool) { bytes.append(truth ? 1 : 0) }

  package mutating func put(_ list: [UInt8]) {
    put(list.count)
    bytes += list
  }

  package mutating func put(_ text: String) { put(Array(text.utf8)) }

  package mutating func put(_ list: [Double]) {
    put(list.count)
    for number in list { put(number) }
  }
}

/// Reads the bytes of a ``StateWriter``. Invalid bytes throw ``StateDamage``.
package struct StateReader: Sendable {
  private let bytes: [UInt8]
  private var place: Int

  package init(_ bytes: [UInt8], from place: Int = 0) {
    self.bytes = bytes
    self.place = place
  }

  package var isAtEnd: Bool { place == bytes.count }

  private mutating func take(_ size: Int) throws(StateDamage) -> UInt64 {
    guard bytes.count - place >= size else { throw StateDamage() }
    var number: UInt64 = 0
    for index in 0..<size { number |= UInt64(bytes[place + index]) << UInt64(8 * index) }
    place += size
    return number
  }

  package mutating func word() throws(StateDamage) -> UInt64 { try take(8) }
  package mutating func integer() throws(StateDamage) -> Int {
    Int(Int64(bitPattern: try take(8)))
  }
  package mutating func double() throws(StateDamage) -> Double { Double(bitPattern: try take(8)) }
  mutating func float() throws(StateDamage) -> Float {
    Float(bitPattern: UInt32(truncatingIfNeeded: try take(4)))
  }
  mutating func short() throws(StateDamage) -> Int16 {
    Int16(bitPattern: UInt16(truncatingIfNeeded: try take(2)))
  }
  package mutating func byte() throws(StateDamage) -> UInt8 {
    UInt8(truncatingIfNeeded: try take(1))
  }

  package mutating func bool() throws(StateDamage) -> Bool {
    switch try byte() {
    case 0: return false
    case 1: return true
    default: throw StateDamage()
    }
  }

  /// Reads an integer that was stored as a `Double`.
  mutating func count(upTo limit: Int) throws(StateDamage) -> Int {
    let number = try double()
    guard number >= 0, number <= Double(limit) else { throw StateDamage() }
    return Int(number)
  }

  /// Reads the size of a list whose elements have at least `size` bytes each.
  package mutating func listCount(of size: Int) throws(StateDamage) -> Int {
    let count = try integer()
    guard count >= 0, count <= (bytes.count - place) / max(1, size) else { throw StateDamage() }
    return count
  }

  package mutating func list() throws(StateDamage) -> [UInt8] {
    let count = try listCount(of: 1)
    defer { place += count }
    return Array(bytes[place..<place + count])
  }

  package mutating func text() throws(StateDamage) -> String {
    guard let text = String(validating: try list(), as: UTF8.self) else { throw StateDamage() }
    return text
  }

  package mutating func doubles() throws(StateDamage) -> [Double] {
    let count = try listCount(of: 8)
    var list: [Double] = []
    list.reserveCapacity(count)
    for _ in 0..<count { list.append(try double()) }
    return list
  }
}
