import Glibc

/// A stored value of a row. Arrays and JSON are JSON texts.
enum StoredCell: Equatable {
  case null
  case long(Int64)
  case double(Double)
  case text(String)
}

/// A reader's view of the rows of one chunk.
struct ChunkRows: Sendable {
  fileprivate(set) var block: StorageBlock
  fileprivate(set) var count = 0
  fileprivate(set) var earliest = Int64.max
  fileprivate(set) var latest = Int64.min
  /// Whether the rows are in order of time.
  fileprivate(set) var isInOrder = true
}

extension ChunkRows {
  /// A copy with fewer rows, in another block.
  func replacing(block: StorageBlock, count: Int) -> ChunkRows {
    var rows = self
    rows.block = block
    rows.count = count
    return rows
  }
}

/// The rows of a column that have an empty list.
struct EmptyLists: Sendable {
  /// The number of rows that are remembered.
  static let limit = 4_096
  /// The numbers of the rows, ascending.
  var rows: [UInt32] = []
  /// Whether these are all.
  var isComplete = true

  func contains(_ row: UInt32) -> Bool {
    var low = 0
    var high = rows.count
    while low < high {
      let middle = (low + high) / 2
      if rows[middle] < row { low = middle + 1 } else { high = middle }
    }
    return low < rows.count && rows[low] == row
  }
}

/// A datasource at one moment. Rows that are appended later are not visible.
struct TableSnapshot: Sendable {
  fileprivate(set) var schema: TableSchema
  fileprivate(set) var layout: ChunkLayout
  var chunks: [ChunkRows] = []
  /// By column; empty for numbers.
  var dictionaries: [DictionarySnapshot]
  /// By column: whether any row has a multi-value.
  var hasMultipleValues: [Bool]
  /// By column: the rows with an empty list, which is stored as null.
  var emptyLists: [EmptyLists]

  init(schema: TableSchema) {
    self.schema = schema
    layout = ChunkLayout(schema)
    dictionaries = Array(repeating: DictionarySnapshot(), count: schema.columns.count)
    hasMultipleValues = Array(repeating: false, count: schema.columns.count)
    emptyLists = Array(repeating: EmptyLists(), count: schema.columns.count)
  }

  var rowCount: Int { chunks.reduce(0) { $0 + $1.count } }
}

/// The writer of a datasource, used by one thread. Appended rows are not visible before `snapshot`
/// is published.
///
/// Each row is filled column by column, with every column set, and then ended.
@safe
struct TableWriter: ~Copyable {
  /// All appended rows.
  private(set) var snapshot: TableSnapshot
  private let storage: TemporaryStorage
  private var dictionaries: [DictionaryWriter]
  private var current: ChunkRows?
  private var base: UnsafeMutableRawPointer?
  private var row = 0
  private var values: [Int]
  private var nulls: [Int]
  /// Whether complete rows may be changed.
  private let keepsChunksApart: Bool
  /// Chunks that a snapshot may share.
  private var isShared: Set<Int> = []
  /// The columns of the current row that have an empty list.
  private var emptyLists: [Int] = []

  init(schema: TableSchema, storage: TemporaryStorage, isRolledUp: Bool = false) {
    keepsChunksApart = isRolledUp
    snapshot = TableSnapshot(schema: schema)
    values = snapshot.layout.values
    nulls = snapshot.layout.nulls
    self.storage = storage
    dictionaries = schema.columns.map { _ in DictionaryWriter(storage: storage) }
  }

  /// Reserves memory for a row.
  mutating func beginRow() throws(StorageFull) {
    if !emptyLists.isEmpty { emptyLists = [] }
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
    if snapshot.schema.columns[column].kind.isText {
      unsafe base.storeBytes(of: 0, toByteOffset: values[column] + row * 4, as: UInt32.self)
    } else {
      unsafe base.storeBytes(of: 0, toByteOffset: values[column] + row * 8, as: Int64.self)
      unsafe base.storeBytes(of: 1, toByteOffset: nulls[column] + row, as: UInt8.self)
    }
  }

  /// Stores an empty list.
  mutating func setEmptyList(_ column: Int) {
    setNull(column)
    emptyLists.append(column)
  }

  /// Ends the row.
  mutating func endRow() {
    for column in emptyLists {
      // Rows of a rollup may become one.
      if keepsChunksApart || snapshot.emptyLists[column].rows.count == EmptyLists.limit {
        snapshot.emptyLists[column].isComplete = false
      } else {
        snapshot.emptyLists[column].rows.append(rowNumber)
      }
    }
    if !emptyLists.isEmpty { emptyLists = [] }
    row += 1
    current?.count = row
  }

  /// A key of some columns of the current row, or of a complete row. Equal rows have equal keys.
  func key(of columns: [Int], at number: UInt32? = nil) -> [UInt8] {
    let chunk = number.map { snapshot.chunks[RowNumber.chunk($0)].block }
    guard let base = unsafe chunk?.address ?? base else { return [] }
    let row = number.map { RowNumber.row($0) } ?? row
    var key: [UInt8] = []
    for index in columns {
      let kind = snapshot.schema.columns[index].kind
      let start = values[index] + row * kind.width
      for offset in 0..<kind.width {
        key.append(unsafe base.load(fromByteOffset: start + offset, as: UInt8.self))
      }
      guard !kind.isText && kind != .time else { continue }
      key.append(unsafe base.load(fromByteOffset: nulls[index] + row, as: UInt8.self))
    }
    return key
  }

  /// The number of the current row.
  var rowNumber: UInt32 { UInt32(snapshot.chunks.count - 1) << RowNumber.bits | UInt32(row) }

  /// Changes a value of a complete row. Published snapshots are not affected, because the chunk is
  /// copied first.
  mutating func update(
    _ number: UInt32, _ column: Int, _ change: (StoredCell) -> StoredCell
  ) throws(StorageFull) {
    let chunk = RowNumber.chunk(number)
    if isShared.contains(chunk) { try unshare(chunk) }
    let block = unsafe snapshot.chunks[chunk].block.address
    let row = RowNumber.row(number)
    let isText = snapshot.schema.columns[column].kind.isText
    let place = values[column] + row * (isText ? 4 : 8)
    let old = unsafe isText ? storedText(block, column, row) : storedNumber(block, column, row)
    let new = change(old)
    guard new != old else { return }
    switch new {
    case .null where isText:
      unsafe block.storeBytes(of: 0, toByteOffset: place, as: UInt32.self)
    case .null:
      unsafe block.storeBytes(of: 1, toByteOffset: nulls[column] + row, as: UInt8.self)
    case .text(let text):
      let bytes = Array(text.utf8)
      let id = try unsafe bytes.span.bytes.withUnsafeBytes { (bytes) throws(StorageFull) in
        try unsafe dictionaries[column].id(of: bytes)
      }
      unsafe block.storeBytes(of: id, toByteOffset: place, as: UInt32.self)
    case .long(let value):
      unsafe block.storeBytes(of: value, toByteOffset: place, as: Int64.self)
      unsafe block.storeBytes(of: 0, toByteOffset: nulls[column] + row, as: UInt8.self)
    case .double(let value):
      unsafe block.storeBytes(of: value, toByteOffset: place, as: Double.self)
      unsafe block.storeBytes(of: 0, toByteOffset: nulls[column] + row, as: UInt8.self)
    }
  }

  /// Changes the schema. The new one must start with all columns of the old one.
  ///
  /// Published snapshots are not affected. Call it between rows.
  ///
  /// - Parameter convert: converts the old value of a column whose kind has changed.
  /// - Complexity: O(rows x columns).
  mutating func change(
    to schema: TableSchema, convert: (_ column: Int, StoredCell) -> StoredCell
  ) throws(StorageFull) {
    let old = snapshot.schema.columns
    precondition(schema.columns.starts(with: old) { $0.name == $1.name })
    let layout = ChunkLayout(schema)
    if let current { snapshot.chunks[snapshot.chunks.count - 1] = current }
    var fresh = (0..<schema.columns.count).map { column in
      column < old.count
        && (!schema.columns[column].kind.isText || old[column] == schema.columns[column])
        ? dictionaries[column] : DictionaryWriter(storage: storage)
    }
    // Each old text is converted once.
    var ids: [[UInt32: UInt32]] = Array(repeating: [:], count: old.count)
    for (number, chunk) in snapshot.chunks.enumerated() {
      let block = try storage.block(of: layout.size)
      let from = unsafe UnsafeRawPointer(chunk.block.address)
      let to = unsafe block.address
      for (column, description) in schema.columns.enumerated() {
        let isNumber = !description.kind.isText && description.kind != .time
        guard column < old.count else {
          // New blocks are zeros, which means null for texts.
          if isNumber { unsafe memset(to + layout.nulls[column], 1, chunk.count) }
          continue
        }
        if old[column].kind.width == description.kind.width, old[column].kind == description.kind {
          unsafe memcpy(
            to + layout.values[column], from + values[column],
            chunk.count * description.kind.width)
          if isNumber {
            unsafe memcpy(to + layout.nulls[column], from + nulls[column], chunk.count)
          }
          continue
        }
        for row in 0..<chunk.count {
          var id: UInt32 = 0
          let cell: StoredCell
          if old[column].kind.isText {
            id = unsafe from.load(fromByteOffset: values[column] + row * 4, as: UInt32.self)
            if description.kind.isText, let known = id == 0 ? 0 : ids[column][id] {
              unsafe to.storeBytes(
                of: known, toByteOffset: layout.values[column] + row * 4, as: UInt32.self)
              continue
            }
            cell = unsafe storedText(from, column, row)
          } else {
            cell = unsafe storedNumber(from, column, row)
          }
          switch convert(column, cell) {
          case .null:
            if isNumber {
              unsafe to.storeBytes(
                of: 1, toByteOffset: layout.nulls[column] + row, as: UInt8.self)
            }
          case .long(let value):
            unsafe to.storeBytes(
              of: value, toByteOffset: layout.values[column] + row * 8, as: Int64.self)
          case .double(let value):
            unsafe to.storeBytes(
              of: value, toByteOffset: layout.values[column] + row * 8, as: Double.self)
          case .text(let text):
            let bytes = Array(text.utf8)
            let fresh = try unsafe bytes.span.bytes.withUnsafeBytes {
              (bytes) throws(StorageFull) in
              try unsafe fresh[column].id(of: bytes)
            }
            if id != 0 { ids[column][id] = fresh }
            unsafe to.storeBytes(
              of: fresh, toByteOffset: layout.values[column] + row * 4, as: UInt32.self)
          }
        }
      }
      snapshot.chunks[number].block = block
    }
    snapshot.schema = schema
    snapshot.layout = layout
    snapshot.dictionaries = fresh.map(\.snapshot)
    snapshot.hasMultipleValues += Array(
      repeating: false, count: schema.columns.count - snapshot.hasMultipleValues.count)
    snapshot.emptyLists += Array(
      repeating: EmptyLists(), count: schema.columns.count - snapshot.emptyLists.count)
    dictionaries = fresh
    values = layout.values
    nulls = layout.nulls
    isShared = []
    current = snapshot.chunks.last
    unsafe base = current?.block.address
  }

  private func storedText(_ base: UnsafeRawPointer, _ column: Int, _ row: Int) -> StoredCell {
    let id = unsafe base.load(fromByteOffset: values[column] + row * 4, as: UInt32.self)
    guard id != 0 else { return .null }
    return .text(dictionaries[column].snapshot.entry(id).string)
  }

  private func storedNumber(_ base: UnsafeRawPointer, _ column: Int, _ row: Int) -> StoredCell {
    guard unsafe base.load(fromByteOffset: nulls[column] + row, as: UInt8.self) == 0 else {
      return .null
    }
    let place = values[column] + row * 8
    return snapshot.schema.columns[column].kind == .long
      ? .long(unsafe base.load(fromByteOffset: place, as: Int64.self))
      : .double(unsafe base.load(fromByteOffset: place, as: Double.self))
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

  /// Publishes all complete rows.
  mutating func publish() -> TableSnapshot {
    if let current { snapshot.chunks[snapshot.chunks.count - 1] = current }
    if keepsChunksApart { isShared = Set(snapshot.chunks.indices) }
    for index in dictionaries.indices {
      snapshot.dictionaries[index] = dictionaries[index].snapshot
    }
    return snapshot
  }
}
