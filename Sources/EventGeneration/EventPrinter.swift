internal import Plumbing

/// Formats events as JSON lines by copying precomputed pieces.
///
/// A line is the user's digits between five pieces: type, place with device, product with price,
/// quantity, second. Copies have fixed sizes and may store past a piece's end; the next piece
/// overwrites that. Unsafe inside: each index into the pieces comes from the tables that they were
/// made from, and ``LineBlock`` has room for a batch.
@safe
struct EventPrinter: ~Copyable {
  private static let typeStride = 32
  private static let originStride = 128
  private static let productStride = 48

  private let types: UnsafeMutableRawPointer
  private let origins: UnsafeMutableRawPointer
  private let products: UnsafeMutableRawPointer
  /// `,"timestamp":1767225600}` and the line's end.
  private let tail: UnsafeMutableRawPointer
  private var tailLength = 0
  private var tailSecond: Int64?

  private let catalogue: Catalogue
  /// Country and city of each place as JSON: `"Japan","city":"Tokyo"`.
  private let places: [String]

  init(_ model: Model) {
    catalogue = model.catalogue
    places = model.world.cities.map { city in
      JSONValue.string(city.country).jsonText + ",\"city\":" + JSONValue.string(city.name).jsonText
    }
    unsafe types = EventPrinter.pieces(
      EventType.allCases.map { ",\"event_type\":\"\($0.name)\"" }, stride: EventPrinter.typeStride)
    let origins = places.flatMap { place in
      (0..<4).map { code in
        let device = Device(rawValue: UInt8(code)) ?? .mobile
        return ",\"country\":\(place),\"device\":\"\(device.name)\",\"product_id\":"
      }
    }
    unsafe self.origins = EventPrinter.pieces(origins, stride: EventPrinter.originStride)
    unsafe products = UnsafeMutableRawPointer.allocate(
      byteCount: catalogue.products.count * EventPrinter.productStride, alignment: 16)
    unsafe tail = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
    for (index, product) in catalogue.products.enumerated() {
      let piece = unsafe products + index * EventPrinter.productStride
      let end = unsafe EventPrinter.print(product, cents: product.cents, to: piece)
      let length = unsafe end - piece
      unsafe piece.storeBytes(
        of: UInt8(length), toByteOffset: EventPrinter.productStride - 1, as: UInt8.self)
    }
  }

  deinit {
    unsafe types.deallocate()
    unsafe origins.deallocate()
    unsafe products.deallocate()
    unsafe tail.deallocate()
  }

  /// Makes texts of equal stride, with the length of each in its last byte.
  private static func pieces(_ texts: [String], stride: Int) -> UnsafeMutableRawPointer {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: texts.count * stride, alignment: 16)
    for (index, text) in texts.enumerated() {
      let bytes = Array(text.utf8)
      precondition(bytes.count < stride)
      let piece = unsafe memory + index * stride
      unsafe piece.copyMemory(from: bytes, byteCount: bytes.count)
      unsafe piece.storeBytes(of: UInt8(bytes.count), toByteOffset: stride - 1, as: UInt8.self)
    }
    return unsafe memory
  }

  /// `17,"price":19.99,"quantity":`
  private static func print(
    _ product: Catalogue.Product, cents: UInt32, to start: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    var out = unsafe put(digitsOf: product.id, to: start)
    unsafe out = put(",\"price\":", to: out)
    unsafe out = put(digitsOf: cents / 100, to: out)
    let fraction = cents % 100
    unsafe out.storeBytes(of: UInt8(ascii: "."), as: UInt8.self)
    unsafe out.storeBytes(of: UInt8(48 + fraction / 10), toByteOffset: 1, as: UInt8.self)
    unsafe out.storeBytes(of: UInt8(48 + fraction % 10), toByteOffset: 2, as: UInt8.self)
    return unsafe put(",\"quantity\":", to: out + 3)
  }

  private static func put(
    _ text: StaticString, to out: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    unsafe out.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
    return unsafe out + text.utf8CodeUnitCount
  }

  /// Stores decimal digits, eight bytes at a time.
  @inline(__always)
  private static func put(
    digitsOf number: UInt32, to start: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    var out = unsafe start
    var rest = number
    if number >= 100_000_000 {
      let upper = number / 100_000_000
      rest = number % 100_000_000
      if upper >= 10 {
        unsafe out.storeBytes(of: UInt8(48 + upper / 10), as: UInt8.self)
        unsafe out += 1
      }
      unsafe out.storeBytes(of: UInt8(48 + upper % 10), as: UInt8.self)
      unsafe (out + 1).storeBytes(of: eightDigits(rest) | zeros, as: UInt64.self)
      return unsafe out + 9
    }
    let digits = eightDigits(rest)
    let leading = min(56, digits.trailingZeroBitCount & ~7)
    unsafe out.storeBytes(of: (digits | zeros) >> UInt64(leading), as: UInt64.self)
    return unsafe out + (8 - leading / 8)
  }

  private static let zeros: UInt64 = 0x3030_3030_3030_3030

  /// The eight digits of a number below 10^8, with the first in the lowest byte.
  @inline(__always)
  private static func eightDigits(_ number: UInt32) -> UInt64 {
    let fours = UInt64(number / 10_000) | UInt64(number % 10_000) << 32
    let hundreds = ((fours &* 10_486) >> 20) & 0x7f_0000_007f
    let twos = hundreds | (fours &- hundreds &* 100) << 16
    let tens = ((twos &* 103) >> 10) & 0x000f_000f_000f_000f
    return tens | (twos &- tens &* 10) << 8
  }

  /// Makes the piece that ends each line of a second.
  @inline(__always)
  private mutating func turn(to second: Int64) {
    if tailSecond == second { return }
    tailSecond = second
    let bytes = Array(",\"timestamp\":\(second)}\n".utf8)
    unsafe tail.copyMemory(from: bytes, byteCount: bytes.count)
    tailLength = bytes.count
  }

  /// Appends the lines of a batch's events from `start` on.
  mutating func print(
    _ batch: borrowing EventBatch, _ range: Range<Int>, at second: Int64,
    into block: inout LineBlock
  ) {
    turn(to: second)
    let (types, origins, products) = unsafe (self.types, self.origins, self.products)
    let (tail, tailLength) = unsafe (self.tail, self.tailLength)
    let events = unsafe batch.events
    var out = unsafe block.memory + block.count
    for index in range {
      let event = unsafe events[index]
      unsafe out = EventPrinter.putHead(event, types, origins, to: out)
      let product = unsafe products + Int(event.product) * EventPrinter.productStride
      unsafe out.copyMemory(from: product, byteCount: EventPrinter.productStride)
      unsafe out +=
        Int(product.load(fromByteOffset: EventPrinter.productStride - 1, as: UInt8.self))
      unsafe out.storeBytes(of: event.quantity &+ 48, as: UInt8.self)
      unsafe (out + 1).copyMemory(from: tail, byteCount: 32)
      unsafe out += 1 + tailLength
    }
    block.count = unsafe out - block.memory
  }

  func product(_ index: UInt32) -> Catalogue.Product { catalogue.products[Int(index)] }

  /// Country and city as JSON.
  func place(_ city: Int) -> String { places[city] }

  /// Appends a finished line that is no longer than ``LineBlock/longestLine``.
  func append(_ text: [UInt8], to block: inout LineBlock) {
    unsafe (block.memory + block.count).copyMemory(from: text, byteCount: text.count)
    block.count += text.count
  }

  /// `{"user_id":1,"event_type":…,"product_id":`
  @inline(__always)
  private static func putHead(
    _ event: Event, _ types: UnsafeMutableRawPointer, _ origins: UnsafeMutableRawPointer,
    to start: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    // `{"user_id":` in two overlapping words.
    unsafe start.storeBytes(of: 0x695f_7265_7375_227b, as: UInt64.self)
    unsafe start.storeBytes(of: 0x3a22_6469, toByteOffset: 7, as: UInt32.self)
    var out = unsafe put(digitsOf: event.user, to: start + 11)
    let type = unsafe types + Int(event.typeCode) * typeStride
    unsafe out.copyMemory(from: type, byteCount: typeStride)
    unsafe out += Int(type.load(fromByteOffset: typeStride - 1, as: UInt8.self))
    let origin = unsafe origins + Int(event.origin) * originStride
    let length = Int(unsafe origin.load(fromByteOffset: originStride - 1, as: UInt8.self))
    unsafe out.copyMemory(from: origin, byteCount: 96)
    if length > 96 { unsafe (out + 96).copyMemory(from: origin + 96, byteCount: 32) }
    return unsafe out + length
  }
}
