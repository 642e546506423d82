/// Follows only the times of a session's events.
struct Walk: ~Escapable {
  private let transitions: Span<UInt64>
  private let gaps: Span<UInt16>
  private let limit: Int64
  private let behaviour: Behaviour

  @_lifetime(borrow model)
  init(_ model: borrowing Model) {
    transitions = model.behaviour.transitions.span
    gaps = model.behaviour.gaps.span
    limit = Int64(model.behaviour.sessionLimit)
    behaviour = model.behaviour
  }

  @inline(__always)
  private func first(_ state: UInt64) -> UInt8 {
    behaviour.first(Draw.bits(state, DrawKey.first))
  }

  /// Advances to the next event, as `Steps.advance` does; `false` when the session ends.
  @inline(__always)
  private func advance(
    _ state: inout UInt64, _ type: inout UInt8, _ elapsed: inout Int64, _ device: Device
  ) -> Bool {
    state &+= Draw.golden
    let draw = Draw.mix(state)
    let row = unsafe transitions[unchecked: Int(type) * 4 + Int(device.rawValue)]
    type = Behaviour.next(row, chance: draw)
    elapsed &+= gap(draw)
    return type != Behaviour.end && elapsed <= limit
  }

  @inline(__always)
  private func gap(_ draw: UInt64) -> Int64 {
    Int64(unsafe gaps[unchecked: Int(truncatingIfNeeded: draw >> 16) & 1023])
  }

  /// Whether the session still has events `seconds` after its first one.
  @inline(__always)
  func lasts(_ state: UInt64, _ device: Device, for seconds: Int64) -> Bool {
    var (state, type, elapsed) = (state, first(state), Int64(0))
    let view = EventType.view.rawValue
    let stay = unsafe transitions[unchecked: Int(view &* 4 &+ device.rawValue)] & 0xffff
    while elapsed < seconds {
      // A view mostly follows a view. The processor guesses this branch, and so draws the next step
      // without waiting for the type that this one leads to.
      let draw = Draw.mix(state &+ Draw.golden)
      if type == view, draw & 0xffff < stay {
        state &+= Draw.golden
        elapsed &+= gap(draw)
        if elapsed > limit { return false }
      } else if !advance(&state, &type, &elapsed, device) {
        return false
      }
    }
    return true
  }

  /// The number of events between two numbers of seconds after the first event, the second number
  /// excluded.
  @inline(__always)
  func count(_ state: UInt64, _ device: Device, from lower: Int64, to upper: Int64) -> Int {
    var (state, type, elapsed) = (state, first(state), Int64(0))
    var count = 0
    while elapsed < upper {
      if elapsed >= lower { count += 1 }
      if !advance(&state, &type, &elapsed, device) { break }
    }
    return count
  }
}

extension Simulation {
  /// The number of events in a span: each session is followed on its own, and no line is made.
  static func count(_ model: Model, in span: Range<Int64>) -> Int {
    var arrivals = Arrivals(model)
    let walk = Walk(model)
    var count = 0
    for second in span.lowerBound - Int64(model.behaviour.sessionLimit)..<span.upperBound {
      arrivals.turn(to: second)
      let key = arrivals.key(of: second)
      for index in 0..<UInt64(arrivals.count(key)) {
        let state = Arrivals.state(key, index)
        count += walk.count(
          state, visitor(state, model, arrivals.cities).device,
          from: span.lowerBound - second, to: span.upperBound - second)
      }
    }
    return count
  }
}
