import Glibc

/// Whole lines out, or an error: bytes are gathered in a block, leave with ``flush()``, and no write ends inside a
/// line unless one line alone is larger than the block. On a terminal each line leaves at once.
///
/// Closing is an operation that can fail: a writer that is dropped without ``close()`` has lost what it held.
package struct LineWriter: ~Copyable {
  private let descriptor: Int32
  /// What the errors call it: "standard output", or the file's name.
  private let name: String
  private let isTerminal: Bool
  private let owns: Bool
  private var buffer: [UInt8] = []
  /// How many of the buffer's bytes are whole lines.
  private var whole = 0
  private let capacity: Int
  private let yieldsToSignals: Bool
  /// After the signal that the writer yielded to: when the rest is given up.
  private var lastCall: ContinuousClock.Instant?
  /// The rest was given up: whatever came now would stand behind a gap.
  private var hasGivenUp = false

  /// - Parameters:
  ///   - owns: whether ``close()`` closes the descriptor, as it must for a file that was opened for this.
  ///   - yieldsToSignals: whether the first signal ends a write that nobody takes, by ``SystemFailure`` with `EINTR`.
  ///     Nothing is lost by that: the next call goes on where it stopped, and then gives up after two seconds.
  package init(
    to descriptor: Int32, named name: String, owns: Bool = false, capacity: Int = 65536,
    yieldsToSignals: Bool = false
  ) {
    self.descriptor = descriptor
    self.name = name
    self.owns = owns
    self.capacity = capacity
    self.yieldsToSignals = yieldsToSignals
    isTerminal = Terminal.isTerminal(descriptor)
    buffer.reserveCapacity(capacity + 4096)
  }

  /// Appends text that may hold any number of line ends.
  package mutating func append(_ text: String) throws(SystemFailure) {
    var text = text
    text.withUTF8 { unsafe buffer.append(contentsOf: $0) }
    try settle()
  }

  /// Appends bytes that may hold any number of line ends; a block of whole lines goes out from where it is.
  package mutating func append(_ bytes: RawSpan) throws(SystemFailure) {
    let isBlock = !isTerminal && bytes.byteCount >= capacity && bytes.endsLine
    guard isBlock else {
      keep(bytes, from: 0)
      return try settle()
    }
    do throws(SystemFailure) {
      try flush()
    } catch {
      if hasYielded(error) { keep(bytes, from: 0) }
      throw error
    }
    let conduct = takeConduct()
    // The pointer does not outlive the call.
    let (written, failure) = unsafe bytes.withUnsafeBytes { unsafe send($0, conduct) }
    guard let failure else { return }
    if hasYielded(failure) { keep(bytes, from: written) } else { noteGivenUp(failure) }
    throw failure
  }

  private mutating func keep(_ bytes: RawSpan, from start: Int) {
    // The pointer does not outlive the call.
    unsafe bytes.withUnsafeBytes { unsafe buffer.append(contentsOf: $0[start...]) }
  }

  /// Appends bytes that may hold any number of line ends.
  package mutating func append(_ bytes: [UInt8]) throws(SystemFailure) {
    buffer.append(contentsOf: bytes)
    try settle()
  }

  private mutating func settle() throws(SystemFailure) {
    guard isTerminal || buffer.count >= capacity else { return }
    if let end = buffer.lastIndex(of: UInt8(ascii: "\n")) { whole = end + 1 }
    try leave(count: whole > 0 || buffer.count < capacity ? whole : buffer.count)
  }

  private mutating func leave(count: Int) throws(SystemFailure) {
    guard count > 0 else { return }
    let conduct = takeConduct()
    // The pointer does not outlive the call.
    let (written, failure) = unsafe buffer.withUnsafeBytes {
      unsafe send(UnsafeRawBufferPointer(rebasing: $0[..<count]), conduct)
    }
    buffer.removeFirst(written)
    whole = 0
    guard let failure else { return }
    if !hasYielded(failure) {
      buffer.removeAll()
      noteGivenUp(failure)
    }
    throw failure
  }

  /// How the next write meets a signal; one that came starts the last two seconds.
  private mutating func takeConduct() -> SignalConduct {
    guard yieldsToSignals else { return .patient }
    if lastCall == nil, Interruption.count > 0 { lastCall = .now + .seconds(2) }
    return lastCall.map { .until($0) } ?? .yielding
  }

  /// Writes; how much went out, and why no more did.
  private func send(
    _ bytes: UnsafeRawBufferPointer, _ conduct: SignalConduct
  ) -> (written: Int, failure: SystemFailure?) {
    if hasGivenUp { return (0, SystemFailure("writing \(name)", code: EINTR)) }
    let (written, code) = unsafe bytes.withMemoryRebound(to: UInt8.self) {
      unsafe writeFully($0, to: descriptor, conduct: conduct)
    }
    return (written, code == 0 ? nil : SystemFailure("writing \(name)", code: code))
  }

  private mutating func noteGivenUp(_ failure: SystemFailure) {
    hasGivenUp = failure.isInterruption && yieldsToSignals
  }

  /// Whether a write ended for a signal, and goes on with the next call.
  private func hasYielded(_ failure: SystemFailure) -> Bool {
    failure.isInterruption && yieldsToSignals && lastCall == nil
  }

  /// Writes all that was appended: before anything that can block.
  package mutating func flush() throws(SystemFailure) {
    try leave(count: buffer.count)
  }

  /// Flushes, and closes the descriptor when it is the writer's own.
  package consuming func close() throws(SystemFailure) {
    try flush()
    guard owns else { return }
    guard Glibc.close(descriptor) == 0 || errno == EINTR else {
      throw SystemFailure("closing \(name)")
    }
  }
}

extension RawSpan {
  /// Whether the last byte is a newline.
  fileprivate var endsLine: Bool {
    guard byteCount > 0 else { return false }
    // Below the count, and any bit pattern is a byte.
    return unsafe unsafeLoad(fromUncheckedByteOffset: byteCount - 1, as: UInt8.self) == 10
  }
}
