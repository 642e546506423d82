package import Plumbing

/// A moment of event time: a second, and the elapsed fraction of it in units of 2^-32.
package struct Moment: Equatable, Comparable, Sendable {
  package var second: Int64
  package var fraction: UInt64

  package init(second: Int64, fraction: UInt64) {
    self.second = second
    self.fraction = fraction
  }

  package static func < (a: Moment, b: Moment) -> Bool {
    (a.second, a.fraction) < (b.second, b.fraction)
  }

  package static let distantFuture = Moment(second: .max, fraction: 0)
}

/// Events as lines in order, released as the caller lets time pass.
///
/// A second without anomalies and faults is printed directly from the simulation. Any other second
/// is collected first, changed, sorted, and then printed line by line.
package struct EventStream: ~Copyable {
  /// The requested part of the model's events.
  package struct Part: Equatable, Sendable {
    /// The first second.
    package var start: Int64
    /// The end second, which is excluded; `nil`: no end.
    package var end: Int64?
    /// The number of events to skip at the start.
    var skip = 0
    /// The number of events after which to end; `nil`: no limit. Lines that anomalies and faults
    /// add or remove do not count.
    package var count: Int?
  }

  /// Why ``fill(_:through:)`` returned.
  package enum Pause: Equatable {
    /// The block is full.
    case full
    /// The next line is due at that moment.
    case wait(Moment)
    /// All lines are printed.
    case ended
  }

  private enum Stage {
    /// Nothing is simulated yet.
    case starting
    /// The second's events are printed directly into the block.
    case plain
    /// The second's lines are collected.
    case gathered
    /// The remaining late lines are printed, whatever their time.
    case closing
    case ended
  }

  var simulation: Simulation
  var printer: EventPrinter
  var batch = EventBatch()
  /// The number of the batch's events that are printed.
  private var printed = 0
  /// The number of events of this second before the batch.
  private var before = 0
  /// The number of clean events still wanted, and of those to skip first.
  var left: Int
  var skip: Int
  private let end: Int64
  private var stage = Stage.starting
  var schedule: AnomalySchedule
  let dirt: Dirt
  /// The lines of a collected second in order, and how many are printed.
  var lines: [Line] = []
  private var linesPrinted = 0
  /// Lines that are printed in a later second.
  var delayed: LateLines
  /// Labels, and records of damaged lines, that were not taken yet.
  private var labels = ""
  /// Whether to record damaged lines for the labels.
  package var recordsDirt = false
  /// The number of lines so far.
  package private(set) var lineCount = 0

  /// - Parameter store: where late lines wait when they are many; `nil`: in memory.
  package init(
    _ model: Model, _ part: Part, anomalies: [Anomaly] = [], random: RandomAnomalies? = nil,
    dirt: Dirt = Dirt(), store: (any BlockStore)? = nil
  ) {
    simulation = Simulation(model, from: part.start)
    printer = EventPrinter(model)
    left = part.count ?? Int.max / 2
    skip = part.skip
    end = part.end ?? Int64.max
    schedule = AnomalySchedule(anomalies, random: random, model: model)
    self.dirt = dirt
    delayed = LateLines(store)
    if part.start >= end || left == 0 { stage = .ended }
  }

  /// The second that is being printed.
  package var second: Int64 { simulation.second }

  /// The labels since the last call, as whole JSON lines.
  package mutating func takeLabels() -> String {
    defer { labels = "" }
    return labels
  }

  /// Labels the anomalies that are still open; called when a run is abandoned.
  package mutating func cut() {
    schedule.cut()
    labels += schedule.takeLabels()
  }

  private mutating func turn() throws(SystemFailure) {
    simulation.turn()
    before = 0
    batch.count = 0
    printed = 0
    schedule.turn(to: second)
    labels += schedule.takeLabels()
    let hasArrivals = try delayed.hasLines(in: second)
    if schedule.hasOpen || !dirt.isClean || hasArrivals {
      try gather()
      linesPrinted = 0
      stage = .gathered
    } else {
      stage = .plain
    }
  }

  /// Appends the lines that are due at `due` or before, until the block is full.
  ///
  /// - Throws: ``SystemFailure`` when the store of late lines fails.
  package mutating func fill(
    _ block: inout LineBlock, through due: Moment
  ) throws(SystemFailure) -> Pause {
    while true {
      switch stage {
      case .starting:
        try turn()
        continue
      case .plain:
        if second > due.second { return .wait(Moment(second: second, fraction: 0)) }
        if let pause = printPlain(&block, due) { return pause }
      case .gathered:
        if second > due.second { return .wait(Moment(second: second, fraction: 0)) }
        if let pause = printLines(&block, due) { return pause }
      case .closing:
        if let pause = printLines(&block, .distantFuture) { return pause }
        if let next = try delayed.takeNext() {
          lines = next
          linesPrinted = 0
        } else {
          stage = .ended
        }
        continue
      case .ended:
        return .ended
      }
      if left > 0, second + 1 < end { try turn() } else { close() }
    }
  }

  /// Ends the stream: prints the lines that are still waiting.
  private mutating func close() {
    lines = []
    linesPrinted = 0
    stage = .closing
    schedule.turn(to: second + 1)
    cut()
  }

  private mutating func printPlain(_ block: inout LineBlock, _ due: Moment) -> Pause? {
    while left > 0, printed < batch.count || simulation.remaining > 0 {
      if block.isFull { return .full }
      if printed == batch.count {
        before += batch.count
        simulation.produce(&batch)
        printed = 0
      }
      let ready = readyCount(due)
      if ready == printed { return .wait(moment(of: before + printed)) }
      print(upTo: ready, into: &block)
    }
    return nil
  }

  /// The number of the batch's events that are due.
  private func readyCount(_ due: Moment) -> Int {
    if second < due.second { return batch.count }
    let inSecond = Int((UInt64(simulation.total) &* due.fraction) >> 32)
    return max(printed, min(batch.count, inSecond - before))
  }

  /// When the event at an index of this second is printed: events are spread evenly over it.
  private func moment(of place: Int) -> Moment {
    let total = UInt64(simulation.total)
    let fraction = ((UInt64(place) + 1) << 32 + total - 1) / total
    return fraction >> 32 > 0
      ? Moment(second: second + 1, fraction: 0) : Moment(second: second, fraction: fraction)
  }

  private mutating func print(upTo ready: Int, into block: inout LineBlock) {
    if skip > 0 {
      let skipped = min(skip, ready - printed)
      skip -= skipped
      printed += skipped
    }
    let stop = min(ready, printed + left)
    printer.print(batch, printed..<stop, at: second, into: &block)
    left -= stop - printed
    lineCount += stop - printed
    printed = stop
  }

  private mutating func printLines(_ block: inout LineBlock, _ due: Moment) -> Pause? {
    while linesPrinted < lines.count {
      if block.isFull { return .full }
      let line = lines[linesPrinted]
      let moment = Moment(second: second, fraction: UInt64(line.position))
      if due <= moment { return .wait(Moment(second: second, fraction: moment.fraction + 1)) }
      printer.print(line, into: &block)
      linesPrinted += 1
      lineCount += 1
      if recordsDirt, line.mark != .clean {
        labels += line.mark.record(line: lineCount)
      }
    }
    return nil
  }
}

extension Line.Mark {
  /// The label of a damaged line, as a JSON line.
  fileprivate func record(line: Int) -> String {
    isFault
      ? "{\"line\":\(line),\"kind\":\"malformed\",\"fault\":\"\(name)\"}\n"
      : "{\"line\":\(line),\"kind\":\"\(name)\"}\n"
  }
}
