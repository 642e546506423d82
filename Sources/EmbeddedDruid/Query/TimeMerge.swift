/// The rows that satisfy conditions, ordered by time. A chunk is only read when its time is
/// reached, so that the first rows of many cost little. Rows of the same time are in the order of
/// insertion, and reversed when the times descend, as Druid's cursor returns them.
struct TimeMerge {
  private let snapshot: TableSnapshot
  private let conditions: [ScanCondition]
  private let isDescending: Bool
  /// Chunks that have not been read, with the next one last.
  private var closed: [Int]
  private var open: [Run] = []

  /// Matching rows of a chunk, in order.
  private struct Run {
    var rows: [UInt32]
    var times: [Int64]
    var place = 0
  }

  init(_ snapshot: TableSnapshot, _ conditions: [ScanCondition], isDescending: Bool) {
    self.snapshot = snapshot
    self.conditions = conditions
    self.isDescending = isDescending
    let chunks = snapshot.chunks
    closed = chunks.indices.filter { snapshot.mayHold($0, conditions) }.sorted { one, other in
      isDescending
        ? chunks[one].latest < chunks[other].latest
        : chunks[one].earliest > chunks[other].earliest
    }
  }

  /// The number of the next row; nil after the last one.
  mutating func next() -> UInt32? {
    while true {
      var best: Int?
      for index in open.indices {
        guard let found = best else {
          best = index
          continue
        }
        if isBefore(open[index], open[found]) { best = index }
      }
      if let chunk = closed.last {
        let bound = isDescending ? snapshot.chunks[chunk].latest : snapshot.chunks[chunk].earliest
        let mustOpen =
          best.map { index in
            let time = open[index].times[open[index].place]
            return isDescending ? bound >= time : bound <= time
          } ?? true
        if mustOpen {
          closed.removeLast()
          let run = run(of: chunk)
          if !run.rows.isEmpty { open.append(run) }
          continue
        }
      }
      guard let best else { return nil }
      let row = open[best].rows[open[best].place]
      open[best].place += 1
      if open[best].place == open[best].rows.count { open.remove(at: best) }
      return row
    }
  }

  private func isBefore(_ one: Run, _ other: Run) -> Bool {
    let (a, b) = (one.times[one.place], other.times[other.place])
    if a != b { return isDescending ? a > b : a < b }
    let (row, next) = (one.rows[one.place], other.rows[other.place])
    return isDescending ? row > next : row < next
  }

  private func run(of number: Int) -> Run {
    let chunk = snapshot.chunks[number]
    let base = unsafe UnsafeRawPointer(chunk.block.address)
    let first = UInt32(number) << RowNumber.bits
    var rows: [(time: Int64, row: UInt32)] = []
    rows.reserveCapacity(chunk.count)
    for row in 0..<chunk.count where unsafe snapshot.layout.meets(conditions, base, row) {
      let time = unsafe base.load(fromByteOffset: row * 8, as: Int64.self)
      rows.append((time, first + UInt32(row)))
    }
    if !chunk.isInOrder || isDescending {
      rows.sort { one, other in
        if one.time != other.time {
          return isDescending ? one.time > other.time : one.time < other.time
        }
        return isDescending ? one.row > other.row : one.row < other.row
      }
    }
    return Run(rows: rows.map(\.row), times: rows.map(\.time))
  }
}
