/// The sums of a bucket that still accepts rows: a cell for each key and aggregate.
///
/// A cell is a fixed-point number with units of 2^-50, so a sum does not depend on the order of its
/// rows. Unsafe inside: cells are indexed by slot and aggregate, both checked against the capacity
/// when a row arrives.
@safe
final class OpenBucket {
  struct Cell {
    var whole: Int64 = 0
    var fraction: Int64 = 0

    var value: Double { Double(whole) + Double(fraction) * 0x1p-50 }
  }

  /// Maximum amount of one row, in whole units.
  static let largest = 0x1p52

  /// The start of the bucket, in milliseconds since 1970.
  private(set) var start: Int64 = 0
  private let width: Int
  private var slots = 0
  private var cells: UnsafeMutablePointer<Cell>
  let sets: [DistinctSet]
  /// For breakdowns that only watch the largest values: the number of rows of each value, by
  /// breakdown and id.
  var candidates: [[Int32]]

  /// - Parameters:
  ///   - width: the number of aggregates of a key.
  ///   - sets: how many of them count distinct values.
  ///   - breakdowns: the number of breakdowns.
  init(width: Int, sets: Int, breakdowns: Int) {
    self.width = max(1, width)
    unsafe cells = .allocate(capacity: 1)
    self.sets = (0..<sets).map { _ in DistinctSet() }
    candidates = [[Int32]](repeating: [], count: breakdowns)
  }

  deinit { unsafe cells.deallocate() }

  /// Empties the bucket, to reuse it for another time.
  func reuse(from start: Int64) {
    self.start = start
    unsafe cells.update(repeating: Cell(), count: slots * width)
    for set in sets { set.removeAll() }
    for index in candidates.indices {
      for id in candidates[index].indices { candidates[index][id] = 0 }
    }
  }

  /// Grows to this many slots.
  @inline(__always)
  func reserve(_ count: Int) {
    if count > slots { grow(to: count) }
  }

  private func grow(to count: Int) {
    let size = max(count, slots * 2, 16)
    let larger = UnsafeMutablePointer<Cell>.allocate(capacity: size * width)
    unsafe larger.initialize(repeating: Cell(), count: size * width)
    unsafe larger.update(from: cells, count: slots * width)
    unsafe cells.deallocate()
    unsafe cells = larger
    slots = size
    for set in sets { set.reserve(size) }
  }

  @inline(__always)
  func add(_ whole: Int64, _ fraction: Int64, slot: Int, aggregate: Int) {
    precondition(slot < slots)
    let cell = unsafe cells + (slot * width + aggregate)
    let sum = unsafe cell.pointee.fraction + fraction
    unsafe cell.pointee.fraction = sum & (1 << 50 - 1)
    unsafe cell.pointee.whole &+= whole &+ (sum >> 50)
  }

  /// Adds a value to the different values of keys.
  @inline(__always)
  func insert(_ fingerprint: UInt64, set: Int, slots keys: Span<Int>, aggregate: Int) {
    for index in keys.indices { precondition(keys[index] < slots) }
    let (cells, width) = unsafe (self.cells, self.width)
    sets[set].insert(fingerprint, into: keys) { slot in
      let cell = unsafe cells + (slot * width + aggregate)
      unsafe cell.pointee.whole &+= 1
      return unsafe cell.pointee.whole
    }
  }

  /// Splits an amount into whole units and units of 2^-50.
  @inline(__always)
  static func split(_ amount: Double) -> (whole: Int64, fraction: Int64) {
    let cut = amount < -largest ? -largest : amount > largest ? largest : amount
    let floor = cut.rounded(.down)
    return (Int64(floor), Int64((cut - floor) * 0x1p50))
  }

  func cell(slot: Int, aggregate: Int) -> Cell {
    slot < slots ? unsafe cells[slot * width + aggregate] : Cell()
  }

  func set(_ cell: Cell, slot: Int, aggregate: Int) {
    reserve(slot + 1)
    unsafe cells[slot * width + aggregate] = cell
  }

  @inline(__always)
  func countCandidate(_ breakdown: Int, _ id: Int) {
    while candidates[breakdown].count <= id {
      candidates[breakdown].append(contentsOf: repeatElement(0, count: max(64, id)))
    }
    candidates[breakdown][id] += 1
  }
}
