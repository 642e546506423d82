import Plumbing

extension EventStream {
  /// Collects all events of this second, applies the anomalies and then the faults, adds late lines
  /// of earlier seconds, and sorts the lines in output order.
  mutating func gather() throws(SystemFailure) {
    lines.removeAll(keepingCapacity: true)
    takeEvents()
    schedule.apply(to: &lines, at: second)
    if !dirt.isClean { dirt.apply(to: &lines, seed: simulation.model.settings.seed) }
    try holdBack()
    lines += try delayed.take(second)
    // The sort must be stable, which Swift's documentation does not guarantee, so the index breaks
    // ties.
    lines = lines.enumerated().sorted {
      ($0.element.position, $0.offset) < ($1.element.position, $1.offset)
    }.map(\.element)
  }

  /// Collects the clean events, without those skipped at the start and those after the requested
  /// count.
  private mutating func takeEvents() {
    let total = UInt64(max(1, simulation.total))
    var place: UInt64 = 0
    while simulation.remaining > 0 {
      simulation.produce(&batch)
      for index in 0..<batch.count {
        place += 1
        if skip > 0 {
          skip -= 1
          continue
        }
        if left == 0 { continue }
        left -= 1
        let position = UInt32(truncatingIfNeeded: (place << 32) / total - 1)
        lines.append(Line(batch[index], time: second, position: position))
      }
    }
    batch.count = 0
  }

  private mutating func holdBack() throws(SystemFailure) {
    guard lines.contains(where: { $0.delay > 0 }) else { return }
    for line in lines where line.delay > 0 { try delayed.add(line, due: line.due) }
    lines.removeAll { $0.delay > 0 }
  }
}
