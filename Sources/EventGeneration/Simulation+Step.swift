/// A reusable block of events in memory.
@safe
struct EventBatch: ~Copyable {
  static let capacity = 512
  let events: UnsafeMutablePointer<Event>
  var count = 0

  init() {
    unsafe events = UnsafeMutablePointer<Event>.allocate(capacity: EventBatch.capacity)
  }

  deinit { unsafe events.deallocate() }

  subscript(index: Int) -> Event {
    precondition(index >= 0 && index < count)
    return unsafe events[index]
  }
}

/// The tables for a session's next event, held as spans while a block is filled.
private struct Steps: ~Escapable {
  let transitions: Span<UInt64>
  let gaps: Span<UInt16>
  let products: Span<UInt64>

  @_lifetime(borrow model)
  init(_ model: borrowing Model) {
    transitions = model.behaviour.transitions.span
    gaps = model.behaviour.gaps.span
    products = model.catalogue.popularity.entries.span
  }

  /// Replaces an event by the next one; returns the seconds between them, 0 when the session ends.
  @inline(__always)
  func advance(_ event: inout Event) -> Int {
    event.state &+= Draw.golden
    let draw = Draw.mix(event.state)
    let row = unsafe transitions[unchecked: Int(event.typeCode) * 4 + Int(event.origin & 3)]
    let next = Behaviour.next(row, chance: draw)
    let gap = unsafe gaps[unchecked: Int(truncatingIfNeeded: draw >> 16) & 1023]
    if next == Behaviour.end || gap > event.secondsLeft { return 0 }
    let isView = next == EventType.view.rawValue
    let other = UInt32(truncatingIfNeeded: AliasTable.pick(products, draw >> 32))
    event.product = isView ? other : event.product
    event.quantity =
      next == EventType.purchase.rawValue ? Behaviour.quantity(draw >> 32) : 1
    event.typeCode = next
    event.step &+= 1
    event.secondsLeft &-= gap
    return Int(gap)
  }
}

extension Simulation {
  /// Produces the next events of this second, as many as the batch holds: continued sessions, then
  /// new ones.
  mutating func produce(_ batch: inout EventBatch) {
    batch.count = 0
    if waiting > 0 { continueSessions(&batch) }
    if waiting == 0, births > 0, batch.count < EventBatch.capacity { beginSessions(&batch) }
  }

  /// Produces events of the sessions that began before this second.
  mutating func continueSessions(_ batch: inout EventBatch) {
    ring.reserve(EventBatch.capacity)
    let model = self.model
    let steps = Steps(model)
    let memory = unsafe ring.memory
    let cursors = unsafe ring.cursors
    let events = unsafe batch.events
    let now = Simulation.bucket(second)
    var filled = 0
    if reading == 0 { reading = Int(unsafe ring.heads[now]) + SessionRing.headerSize }
    var position = reading
    while waiting > 0, filled < EventBatch.capacity {
      if position & (SessionRing.chunkSize - 1) == 0 {
        position = ring.release(position - SessionRing.chunkSize) + SessionRing.headerSize
      }
      let offset = position & (SessionRing.chunkSize - 1)
      let inChunk = (SessionRing.chunkSize - offset) / SessionRing.stride
      let run = min(inChunk, waiting, EventBatch.capacity - filled)
      for _ in 0..<run {
        var event = unsafe memory.load(fromByteOffset: position, as: Event.self)
        position += SessionRing.stride
        unsafe events[filled] = event
        filled += 1
        let gap = steps.advance(&event)
        if gap == 0 { continue }
        let bucket = (now + gap) & (SessionRing.seconds - 1)
        var cursor = Int(unsafe cursors[bucket])
        if cursor & (SessionRing.chunkSize - 1) == 0 { cursor = ring.extend(bucket) }
        unsafe memory.storeBytes(of: event, toByteOffset: cursor, as: Event.self)
        unsafe cursors[bucket] = UInt32(truncatingIfNeeded: cursor + SessionRing.stride)
      }
      waiting -= run
    }
    reading = position
    batch.count = filled
    if waiting == 0 {
      _ = ring.release((position - 1) & ~(SessionRing.chunkSize - 1))
      ring.clear(now)
    }
  }

  private mutating func beginSessions(_ batch: inout EventBatch) {
    ring.reserve(EventBatch.capacity)
    let model = self.model
    let steps = Steps(model)
    let now = Simulation.bucket(second)
    let isSharded = model.settings.shard.count > 1
    while births > 0, batch.count < EventBatch.capacity {
      let state = Arrivals.state(birthKey, birthIndex)
      birthIndex += 1
      if isSharded, !isOwn(state) { continue }
      births -= 1
      var event = begin(state)
      unsafe batch.events[batch.count] = event
      batch.count += 1
      let gap = steps.advance(&event)
      if gap > 0 { push(event, (now + gap) & (SessionRing.seconds - 1)) }
    }
  }

  private mutating func push(_ event: Event, _ bucket: Int) {
    var cursor = Int(unsafe ring.cursors[bucket])
    if cursor & (SessionRing.chunkSize - 1) == 0 { cursor = ring.extend(bucket) }
    unsafe ring.memory.storeBytes(of: event, toByteOffset: cursor, as: Event.self)
    unsafe ring.cursors[bucket] = UInt32(truncatingIfNeeded: cursor + SessionRing.stride)
  }

  /// Begins only those sessions of this second that still have events at `start`.
  ///
  /// Omitting the others does not change what is printed: the events of a second are in order of
  /// arrival, which stays the same without them.
  mutating func beginSessions(thatReach start: Int64) {
    let model = self.model
    let steps = Steps(model)
    let walk = Walk(model)
    ring.reserve(births)
    let now = Simulation.bucket(second)
    let isSharded = model.settings.shard.count > 1
    let (key, wait) = (birthKey, start - second)
    var (left, index) = (births, birthIndex)
    while left > 0 {
      let state = Arrivals.state(key, index)
      index &+= 1
      if isSharded, !isOwn(state) { continue }
      left -= 1
      // Desktop sessions last longest. If even one would have ended, the device need not be drawn.
      guard walk.lasts(state, .desktop, for: wait) else { continue }
      let device = Simulation.visitor(state, model, arrivals.cities).device
      guard device == .desktop || walk.lasts(state, device, for: wait) else { continue }
      var event = begin(state)
      let gap = steps.advance(&event)
      push(event, (now + gap) & (SessionRing.seconds - 1))
    }
    (births, birthIndex) = (0, index)
  }
}
