import Glibc

/// A number of a row.
enum NumberCell: Equatable {
  case null
  case long(Int64)
  case double(Double)
}

/// Rows of one chunk as a reader may see them.
struct ChunkRows: Sendable {
  fileprivate(set) var block: StorageBlock
  fileprivate(set) var count = 0
  fileprivate(set) var earliest = Int64.max
  fileprivate(set) var latest = Int64.min
  /// No row is earlier than the one before it.
  fileprivate(set) var isInOrder = true
}

/// A datasource at one moment: whatever is appended later does not show.
struct TableSnapshot: Sendable {
  let schema: TableSchema
  let layout: ChunkLayout
  var chunks: [ChunkRows] = []
  /// By column; empty for numbers.
  var dictionaries: [DictionarySnapshot]
  /// By column: whether any row holds a multi-value.
  var hasMultipleValues: [Bool]

  init(schema: TableSchema) {
    self.schema = schema
    layout = ChunkLayout(schema)
    dictionaries = Array(repeating: DictionarySnapshot(), count: schema.columns.count)
    hasMultipleValues = Array(repeating: false, count: schema.columns.count)
  }

  var rowCount: Int { chunks.reduce(0) { $0 + $1.count } }
}

/// The writing side of a datasource. One thread owns it; what it appends shows to nobody before `snapshot` is handed out.
///
/// A row is filled column by column (each of them, every time) and then ended.
@safe
struct TableWriter: ~Copyable {
  /// Everything that was appended.
  private(set) var snapshot: TableSnapshot
  private let storage: TemporaryStorage
  private var dictionaries: [DictionaryWriter]
  private var current: ChunkRows?
  private var base: UnsafeMutableRawPointer?
  private var row = 0
  private let values: [Int]
  private let nulls: [Int]
  /// Whether whole rows may be changed.
  private let keepsChunksApart: Bool
  /// Chunks that a snapshot may hold as well.
  private var isShared: Set<Int> = []

  init(schema: TableSchema, storage: TemporaryStorage, isRolledUp: Bool = false) {
    keepsChunksApart = isRolledUp
    snapshot = TableSnapshot(schema: schema)
    values = snapshot.layout.values
    nulls = snapshot.layout.nulls
    self.storage = storage
    dictionaries = schema.columns.map { _ in DictionaryWriter(storage: storage) }
  }

  /// Makes room for a row.
  mutating func beginRow() throws(StorageFull) {
    guard unsafe row == TableSchema.chunkRows || base == nil else { return }
    if let full = current { snapshot.chunks[snapshot.chunks.count - 1] = full }
    let block = try storage.block(of: snapshot.layout.size)
    let fresh = ChunkRows(block: block)
    unsafe base = block.address
    row = 0
    current = fresh
    snapshot.chunks.append(fresh)
  }

  mutating func set(time: Int64) {
    guard let base = unsafe base else { return }
    unsafe base.storeBytes(of: time, toByteOffset: values[0] + row * 8, as: Int64.self)
    guard current != nil else { return }
    if time < current?.latest ?? time { current?.isInOrder = false }
    if time > current?.latest ?? time { current?.latest = time }
    if time < current?.earliest ?? time { current?.earliest = time }
  }

  mutating func set(_ column: Int, long value: Int64) {
    guard let base = unsafe base else { return }
    unsafe base.storeBytes(of: value, toByteOffset: values[column] + row * 8, as: Int64.self)
    unsafe base.storeBytes(of: 0, toByteOffset: nulls[column] + row, as: UInt8.self)
  }

  mutating func set(_ column: Int, double value: Double) {
    guard let base = unsafe base else { return }
    unsafe base.storeBytes(of: value, toByteOffset: values[column] + row * 8, as: Double.self)
    unsafe base.storeBytes(of: 0, toByteOffset: nulls[column] + row, as: UInt8.self)
  }

  mutating func set(
    _ column: Int, text: UnsafeRawBufferPointer, isMultiValue: Bool = false
  ) throws(StorageFull) {
    if isMultiValue { snapshot.hasMultipleValues[column] = true }
    let id = unsafe try dictionaries[column].id(of: text, isMultiValue: isMultiValue)
    guard let base = unsafe base else { return }
    unsafe base.storeBytes(of: id, toByteOffset: values[column] + row * 4, as: UInt32.self)
  }

  mutating func setNull(_ column: Int) {
    guard let base = unsafe base else { return }
    if snapshot.schema.columns[column].kind == .string {
      unsafe base.storeBytes(of: 0, toByteOffset: values[column] + row * 4, as: UInt32.self)
    } else {
      unsafe base.storeBytes(of: 0, toByteOffset: values[column] + row * 8, as: Int64.self)
      unsafe base.storeBytes(of: 1, toByteOffset: nulls[column] + row, as: UInt8.self)
    }
  }

  /// The row is whole.
  mutating func endRow() {
    row += 1
    current?.count = row
  }

  /// The bytes of the row that is being filled, from its time up to the given column: equal rows have equal ones.
  func key(upTo column: Int) -> [UInt8] {
    guard let base = unsafe base else { return [] }
    var key: [UInt8] = []
    for index in 0..<column {
      let kind = snapshot.schema.columns[index].kind
      let start = values[index] + row * kind.width
      for offset in 0..<kind.width {
        key.append(unsafe base.load(fromByteOffset: start + offset, as: UInt8.self))
      }
      guard kind != .string && kind != .time else { continue }
      key.append(unsafe base.load(fromByteOffset: nulls[index] + row, as: UInt8.self))
    }
    return key
  }

  /// The number of the row that is being filled.
  var rowNumber: UInt32 { UInt32(snapshot.chunks.count - 1) << RowNumber.bits | UInt32(row) }

  /// Changes a number of a whole row. Snapshots that were handed out keep what they have: the chunk is copied first.
  mutating func update(
    _ number: UInt32, _ column: Int, _ change: (NumberCell) -> NumberCell
  ) throws(StorageFull) {
    let chunk = RowNumber.chunk(number)
    if isShared.contains(chunk) { try unshare(chunk) }
    let block = unsafe snapshot.chunks[chunk].block.address
    let row = RowNumber.row(number)
    let place = values[column] + row * 8
    let isNull = unsafe block.load(fromByteOffset: nulls[column] + row, as: UInt8.self) != 0
    let old: NumberCell =
      if isNull {
        .null
      } else if snapshot.schema.columns[column].kind == .long {
        .long(unsafe block.load(fromByteOffset: place, as: Int64.self))
      } else {
        .double(unsafe block.load(fromByteOffset: place, as: Double.self))
      }
    switch change(old) {
    case .null: break
    case .long(let value):
      unsafe block.storeBytes(of: value, toByteOffset: place, as: Int64.self)
      unsafe block.storeBytes(of: 0, toByteOffset: nulls[column] + row, as: UInt8.self)
    case .double(let value):
      unsafe block.storeBytes(of: value, toByteOffset: place, as: Double.self)
      unsafe block.storeBytes(of: 0, toByteOffset: nulls[column] + row, as: UInt8.self)
    }
  }

  private mutating func unshare(_ chunk: Int) throws(StorageFull) {
    let old = snapshot.chunks[chunk].block
    let copy = try storage.block(of: old.size)
    unsafe memcpy(copy.address, old.address, old.size)
    snapshot.chunks[chunk].block = copy
    if chunk == snapshot.chunks.count - 1 {
      current?.block = copy
      unsafe base = copy.address
    }
    isShared.remove(chunk)
  }

  /// Everything up to the last whole row.
  mutating func publish() -> TableSnapshot {
    if let current { snapshot.chunks[snapshot.chunks.count - 1] = current }
    if keepsChunksApart { isShared = Set(snapshot.chunks.indices) }
    for index in dictionaries.indices {
      snapshot.dictionaries[index] = dictionaries[index].snapshot
    }
    return snapshot
  }
}
