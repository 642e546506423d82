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

  /// - Parameters:
  ///   - owns: whether ``close()`` closes the descriptor, as it must for a file that was opened for this.
  ///   - yieldsToSignals: whether the first signal ends a write that nobody takes, by ``SystemFailure`` with `EINTR`.
  ///     Nothing is lost by that: the next call goes on where it stopped, and then gives up after a second.
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

  /// Appends bytes that may hold any number of line ends.
  package mutating func append(_ bytes: RawSpan) throws(SystemFailure) {
    // The pointer does not outlive the call.
    unsafe bytes.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
    try settle()
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
    if yieldsToSignals, lastCall == nil, Interruption.count > 0 { lastCall = .now + .seconds(1) }
    let conduct =
      lastCall.map { .until($0) } ?? (yieldsToSignals ? SignalConduct.yielding : .patient)
    // The pointer does not outlive the call.
    let (written, code) = unsafe buffer.withUnsafeBufferPointer {
      unsafe writeFully(
        UnsafeBufferPointer(rebasing: $0[..<count]), to: descriptor, conduct: conduct)
    }
    buffer.removeFirst(written)
    whole = 0
    guard code == 0 else {
      // What a signal interrupts is kept, once.
      if case .yielding = conduct, code == EINTR {} else { buffer.removeAll() }
      throw SystemFailure("writing \(name)", code: code)
    }
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
