import Plumbing

extension EventStream {
  /// Takes all events of this second, lets the anomalies and then the dirt at them, adds what comes late from
  /// earlier seconds, and puts the lines in the order in which they leave.
  mutating func gather() throws(SystemFailure) {
    lines.removeAll(keepingCapacity: true)
    takeEvents()
    schedule.apply(to: &lines, at: second)
    if !dirt.isClean { dirt.apply(to: &lines, seed: simulation.model.settings.seed) }
    try holdBack()
    lines += try delayed.take(second)
    // The sort must be stable, which Swift's is without promising it: the place breaks ties.
    lines = lines.enumerated().sorted {
      ($0.element.position, $0.offset) < ($1.element.position, $1.offset)
    }.map(\.element)
  }

  /// The clean events, without those left out at the start and those behind the last one wanted.
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
