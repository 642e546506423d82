import Glibc

extension TableSnapshot {
  /// A copy without the rows whose times are in a span.
  ///
  /// - Complexity: O(rows x columns) for chunks with rows inside the span.
  func without(_ span: Range<Int64>, storage: TemporaryStorage) throws(StorageFull) -> TableSnapshot
  {
    var result = self
    result.chunks = []
    // Their numbers change.
    for column in emptyLists.indices where !emptyLists[column].rows.isEmpty {
      result.emptyLists[column] = EmptyLists(isComplete: false)
    }
    for chunk in chunks {
      let from = unsafe UnsafeRawPointer(chunk.block.address)
      let kept = (0..<chunk.count).filter { row in
        !span.contains(unsafe from.load(fromByteOffset: layout.values[0] + row * 8, as: Int64.self))
      }
      guard kept.count < chunk.count else {
        result.chunks.append(chunk)
        continue
      }
      guard !kept.isEmpty else { continue }
      let block = try storage.block(of: layout.size)
      let to = unsafe block.address
      for (column, description) in schema.columns.enumerated() {
        let width = description.kind.width
        let hasNulls = !description.kind.isText && description.kind != .time
        for (place, row) in kept.enumerated() {
          unsafe memcpy(
            to + layout.values[column] + place * width, from + layout.values[column] + row * width,
            width)
          guard hasNulls else { continue }
          unsafe memcpy(to + layout.nulls[column] + place, from + layout.nulls[column] + row, 1)
        }
      }
      // The time bounds of the old chunk also hold for fewer rows.
      result.chunks.append(chunk.replacing(block: block, count: kept.count))
    }
    return result
  }
}
