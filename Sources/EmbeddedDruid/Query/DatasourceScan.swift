/// A condition on a column that a scan checks itself.
enum ScanCondition {
  /// A number or time from `low` to `high`, both inclusive, that is not null.
  case range(column: Int, low: Int64, high: Int64)
  /// A text, by its id in the column's dictionary.
  case text(column: Int, id: UInt32)
}

/// A column to sort rows by.
struct ScanOrder: Equatable {
  var column: Int
  var isDescending: Bool
}

/// Row numbers of a snapshot: the chunk in the upper bits, the row of the chunk in the lower bits.
enum RowNumber {
  static let bits = UInt32(TableSchema.chunkRows.trailingZeroBitCount)
  static func chunk(_ number: UInt32) -> Int { Int(number >> bits) }
  static func row(_ number: UInt32) -> Int { Int(number) & (TableSchema.chunkRows - 1) }
}

extension TableSnapshot {
  /// Whether a chunk can have rows that satisfy the conditions on time.
  func mayHold(_ chunk: Int, _ conditions: [ScanCondition]) -> Bool {
    conditions.allSatisfy { condition in
      guard case .range(0, let low, let high) = condition else { return true }
      return chunks[chunk].latest >= low && chunks[chunk].earliest <= high
    }
  }

  /// The rows that satisfy all conditions, in the requested order. Rows that tie keep their order
  /// of insertion.
  ///
  /// - Complexity: O(rows) for orders whose values are few or already in order, O(rows log rows) otherwise.
  func rows(where conditions: [ScanCondition], orderedBy order: [ScanOrder]) -> [UInt32] {
    var rows = matches(conditions)
    for term in order.reversed() {
      let keys = keys(of: rows, column: term.column)
      rows = sorted(rows, by: keys, isDescending: term.isDescending)
      // Null has the same key as the least number.
      if schema.columns[term.column].kind == .long, keys.contains(.min) {
        let nulls = rows.filter { isNull($0, column: term.column) }
        let others = rows.filter { !isNull($0, column: term.column) }
        rows = term.isDescending ? others + nulls : nulls + others
      }
    }
    return rows
  }

  private func isNull(_ number: UInt32, column: Int) -> Bool {
    let base = unsafe chunks[RowNumber.chunk(number)].block.address
    let place = layout.nulls[column] + RowNumber.row(number)
    return unsafe base.load(fromByteOffset: place, as: UInt8.self) != 0
  }

  private func matches(_ conditions: [ScanCondition]) -> [UInt32] {
    var rows: [UInt32] = []
    if conditions.isEmpty { rows.reserveCapacity(rowCount) }
    for (number, chunk) in chunks.enumerated() where mayHold(number, conditions) {
      let base = unsafe UnsafeRawPointer(chunk.block.address)
      let first = UInt32(number) << RowNumber.bits
      var kept = [Bool](repeating: true, count: chunk.count)
      for condition in conditions {
        switch condition {
        case .range(let column, let low, let high):
          let values = unsafe base.advanced(by: layout.values[column])
            .assumingMemoryBound(to: Int64.self)
          for row in 0..<chunk.count {
            let value = unsafe values[row]
            if value < low || value > high { kept[row] = false }
          }
          guard column > 0 else { continue }
          let nulls = unsafe base.advanced(by: layout.nulls[column])
            .assumingMemoryBound(to: UInt8.self)
          for row in 0..<chunk.count where unsafe nulls[row] != 0 { kept[row] = false }
        case .text(let column, let id):
          let ids = unsafe base.advanced(by: layout.values[column])
            .assumingMemoryBound(to: UInt32.self)
          for row in 0..<chunk.count where unsafe ids[row] != id { kept[row] = false }
        }
      }
      for row in 0..<chunk.count where kept[row] { rows.append(first + UInt32(row)) }
    }
    return rows
  }

  /// A key for each row that sorts as the column's values do; null is first.
  private func keys(of rows: [UInt32], column: Int) -> [Int64] {
    let kind = schema.columns[column].kind
    let ranks = kind.isText ? dictionaries[column].ranks() : []
    let bases = unsafe chunks.map { unsafe UnsafeRawPointer($0.block.address) }
    let values = layout.values[column]
    let nulls = layout.nulls[column]
    return rows.map { number in
      let base = unsafe bases[RowNumber.chunk(number)]
      let row = RowNumber.row(number)
      switch kind {
      case .string, .array, .json:
        return Int64(
          ranks[Int(unsafe base.load(fromByteOffset: values + row * 4, as: UInt32.self))])
      case .time:
        return unsafe base.load(fromByteOffset: values + row * 8, as: Int64.self)
      case .long:
        if unsafe base.load(fromByteOffset: nulls + row, as: UInt8.self) != 0 { return .min }
        let value = unsafe base.load(fromByteOffset: values + row * 8, as: Int64.self)
        return value
      case .double, .float:
        if unsafe base.load(fromByteOffset: nulls + row, as: UInt8.self) != 0 { return .min }
        let value = unsafe base.load(fromByteOffset: values + row * 8, as: Double.self)
        let bits = Int64(bitPattern: (value == 0 ? 0 : value).bitPattern)
        return bits < 0 ? .min ^ ~bits : bits
      }
    }
  }

  private func sorted(_ rows: [UInt32], by keys: [Int64], isDescending: Bool) -> [UInt32] {
    guard let low = keys.min(), let high = keys.max(), low != high else { return rows }
    let (span, overflow) = high.subtractingReportingOverflow(low)
    if !overflow, span < 1 << 20 {
      return counted(rows, by: keys, low: low, span: Int(span), isDescending: isDescending)
    }
    let isInOrder = zip(keys, keys.dropFirst()).allSatisfy { isDescending ? $0 >= $1 : $0 <= $1 }
    if isInOrder { return rows }
    let order = (0..<UInt32(rows.count)).sorted { one, other in
      let (a, b) = (keys[Int(one)], keys[Int(other)])
      return a == b ? one < other : isDescending ? a > b : a < b
    }
    return order.map { rows[Int($0)] }
  }

  /// Counting sort, for few distinct values.
  private func counted(
    _ rows: [UInt32], by keys: [Int64], low: Int64, span: Int, isDescending: Bool
  ) -> [UInt32] {
    var places = [Int](repeating: 0, count: span + 2)
    for key in keys {
      let value = Int(key - low)
      places[(isDescending ? span - value : value) + 1] += 1
    }
    for value in 1..<places.count { places[value] += places[value - 1] }
    var sorted = [UInt32](repeating: 0, count: rows.count)
    for (row, key) in zip(rows, keys) {
      let value = isDescending ? span - Int(key - low) : Int(key - low)
      sorted[places[value]] = row
      places[value] += 1
    }
    return sorted
  }
}

extension ChunkLayout {
  /// Whether a row satisfies all conditions.
  func meets(_ conditions: [ScanCondition], _ base: UnsafeRawPointer, _ row: Int) -> Bool {
    for condition in conditions {
      switch condition {
      case .range(let column, let low, let high):
        let value = unsafe base.load(fromByteOffset: values[column] + row * 8, as: Int64.self)
        if value < low || value > high { return false }
        guard column > 0 else { continue }
        let null = unsafe base.load(fromByteOffset: nulls[column] + row, as: UInt8.self)
        if null != 0 { return false }
      case .text(let column, let id):
        let value = unsafe base.load(fromByteOffset: values[column] + row * 4, as: UInt32.self)
        if value != id { return false }
      }
    }
    return true
  }
}
