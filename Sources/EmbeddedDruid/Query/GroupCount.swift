/// How many rows there are of each combination of text columns: counted over columns, without SQLite.
struct GroupCount {
  /// A combination, by ids of the dictionaries, and its rows.
  struct Group: Equatable {
    var ids: [UInt32]
    var count: Int64
  }

  /// - Complexity: O(rows of the chunks that may match).
  static func groups(
    of snapshot: TableSnapshot, by columns: [Int], where conditions: [ScanCondition]
  ) -> [Group] {
    if columns.count == 1 { return counted(snapshot, columns[0], conditions) }
    var counts: [[UInt32]: Int64] = [:]
    unsafe forEachRow(of: snapshot, where: conditions) { base, row in
      let ids = columns.map { column in
        unsafe base.load(
          fromByteOffset: snapshot.layout.values[column] + row * 4, as: UInt32.self)
      }
      counts[ids, default: 0] += 1
    }
    return counts.map { Group(ids: $0.key, count: $0.value) }
  }

  private static func counted(
    _ snapshot: TableSnapshot, _ column: Int, _ conditions: [ScanCondition]
  ) -> [Group] {
    var counts = [Int64](repeating: 0, count: snapshot.dictionaries[column].count)
    let values = snapshot.layout.values[column]
    unsafe counts.withUnsafeMutableBufferPointer { counts in
      unsafe forEachRow(of: snapshot, where: conditions) { base, row in
        let id = unsafe base.load(fromByteOffset: values + row * 4, as: UInt32.self)
        unsafe counts[Int(id)] += 1
      }
    }
    return counts.enumerated().compactMap { id, count in
      count == 0 ? nil : Group(ids: [UInt32(id)], count: count)
    }
  }

  /// Calls with the address of each matching row's chunk and its place there.
  @inline(__always)
  private static func forEachRow(
    of snapshot: TableSnapshot, where conditions: [ScanCondition],
    _ body: (UnsafeRawPointer, Int) -> Void
  ) {
    for number in snapshot.chunks.indices where snapshot.mayHold(number, conditions) {
      let chunk = snapshot.chunks[number]
      let base = unsafe UnsafeRawPointer(chunk.block.address)
      // What holds for the whole chunk needs no look at its rows.
      let open = conditions.filter { condition in
        guard case .range(0, let low, let high) = condition else { return true }
        return chunk.earliest < low || chunk.latest > high
      }
      if open.isEmpty {
        for row in 0..<chunk.count { unsafe body(base, row) }
      } else if open.count == 1, case .range(0, let low, let high) = open[0] {
        for row in 0..<chunk.count {
          let time = unsafe base.load(fromByteOffset: row * 8, as: Int64.self)
          if time >= low && time <= high { unsafe body(base, row) }
        }
      } else {
        for row in 0..<chunk.count where unsafe snapshot.layout.meets(open, base, row) {
          unsafe body(base, row)
        }
      }
    }
  }
}

extension ChunkLayout {
  /// Whether a row meets all conditions.
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
