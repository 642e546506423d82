/// A moment of event time: a second, and how much of it has passed, of 2^32.
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

/// Events as lines, in order, no faster than the caller lets time pass.
package struct EventStream: ~Copyable {
  /// Which part of the model's events is wanted.
  package struct Part: Sendable {
    /// The first second.
    package var start: Int64
    /// The second to end before; `nil`: never.
    package var end: Int64?
    /// Events to leave out at the start.
    package var skip = 0
    /// Events to end after; `nil`: no such limit.
    package var count: Int?

    package init(start: Int64, end: Int64? = nil, skip: Int = 0, count: Int? = nil) {
      self.start = start
      self.end = end
      self.skip = skip
      self.count = count
    }
  }

  /// Why ``fill(_:through:)`` returned.
  package enum Pause: Equatable {
    /// The block is full.
    case full
    /// The next line is due at that moment.
    case wait(Moment)
    /// That was all.
    case ended
  }

  private var simulation: Simulation
  private var printer: EventPrinter
  private var batch = EventBatch()
  /// Events of the batch that were printed.
  private var printed = 0
  /// Events of this second that came before the batch.
  private var before = 0
  private var left: Int
  private var skip: Int
  private let end: Int64

  package init(_ model: Model, _ part: Part) {
    simulation = Simulation(model, from: part.start)
    printer = EventPrinter(model.catalogue)
    left = part.count ?? Int.max
    skip = part.skip
    end = part.end ?? Int64.max
    if part.start < end { simulation.turn() } else { left = 0 }
  }

  /// The second that is printed now.
  package var second: Int64 { simulation.second }
  /// Lines so far.
  package private(set) var lines = 0

  /// Appends the lines that are due by `due`, until the block is full.
  package mutating func fill(_ block: inout LineBlock, through due: Moment) -> Pause {
    while left > 0 {
      if simulation.second > due.second {
        return .wait(Moment(second: simulation.second, fraction: 0))
      }
      while printed < batch.count || simulation.remaining > 0 {
        if block.isFull { return .full }
        if printed == batch.count {
          before += batch.count
          simulation.produce(&batch)
          printed = 0
        }
        let ready = readyCount(due)
        if ready == printed { return .wait(moment(of: before + printed)) }
        print(upTo: ready, into: &block)
        if left == 0 { return .ended }
      }
      before = 0
      batch.count = 0
      printed = 0
      if simulation.second + 1 >= end { break }
      simulation.turn()
    }
    left = 0
    return .ended
  }

  /// How many events of the batch are due.
  private func readyCount(_ due: Moment) -> Int {
    if simulation.second < due.second { return batch.count }
    let inSecond = Int((UInt64(simulation.total) &* due.fraction) >> 32)
    return max(printed, min(batch.count, inSecond - before))
  }

  /// When the event at a place of this second leaves: they are spread evenly over it.
  private func moment(of place: Int) -> Moment {
    let total = UInt64(simulation.total)
    let fraction = ((UInt64(place) + 1) << 32 + total - 1) / total
    return fraction >> 32 > 0
      ? Moment(second: simulation.second + 1, fraction: 0)
      : Moment(second: simulation.second, fraction: fraction)
  }

  private mutating func print(upTo ready: Int, into block: inout LineBlock) {
    if skip > 0 {
      let skipped = min(skip, ready - printed)
      skip -= skipped
      printed += skipped
    }
    let stop = min(ready, printed + left)
    printer.print(batch, printed..<stop, at: simulation.second, into: &block)
    left -= stop - printed
    lines += stop - printed
    printed = stop
  }
}
