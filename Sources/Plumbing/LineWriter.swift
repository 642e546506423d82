import Glibc

/// Writes whole lines: bytes are gathered in a block and leave with ``flush()``. No write ends
/// inside a line unless that line is larger than the block. On a terminal each line leaves at once.
///
/// Closing can fail: a writer that is dropped without ``close()`` loses what it holds.
package struct LineWriter: ~Copyable {
  private let descriptor: Int32
  /// How errors name the destination: "standard output", or the file's name.
  private let name: String
  private let isTerminal: Bool
  private let owns: Bool
  private var buffer: [UInt8] = []
  /// How many of the buffer's bytes are whole lines.
  private var whole = 0
  private let capacity: Int
  private let yieldsToSignals: Bool
  /// When to give up the rest, after the writer has yielded to a signal.
  private var lastCall: ContinuousClock.Instant?
  /// Whether the rest was given up; anything written afterwards would follow a gap.
  private var hasGivenUp = false

  /// - Parameters:
  ///   - owns: whether ``close()`` closes the descriptor, as it must for a file that was opened for this.
  ///   - yieldsToSignals: whether the first signal ends a blocked write with ``SystemFailure``
  ///     `EINTR`. Nothing is lost then: the next call continues where the write stopped, and gives
  ///     up after two seconds.
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

  /// Writes whole lines to standard output at once: all of them, or an error.
  package static func writeToStandardOutput(_ lines: String) throws(SystemFailure) {
    var output = LineWriter(to: STDOUT_FILENO, named: "standard output")
    try output.append(lines)
    try output.close()
  }

  /// Appends text with any number of newlines.
  package mutating func append(_ text: String) throws(SystemFailure) {
    var text = text
    text.withUTF8 { unsafe buffer.append(contentsOf: $0) }
    try settle()
  }

  /// Appends bytes with any number of newlines; a block of whole lines is written without copying
  /// it.
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

  /// Appends bytes with any number of newlines.
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

  /// How the next write responds to a signal; the first call after a signal starts the last two
  /// seconds.
  private mutating func takeConduct() -> SignalConduct {
    guard yieldsToSignals else { return .patient }
    if lastCall == nil, Interruption.count > 0 { lastCall = .now + .seconds(2) }
    return lastCall.map { .until($0) } ?? .yielding
  }

  /// Writes bytes; returns how many were written, and the failure that stopped the write, if any.
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

  /// Whether a signal ended a write that the next call continues.
  private func hasYielded(_ failure: SystemFailure) -> Bool {
    failure.isInterruption && yieldsToSignals && lastCall == nil
  }

  /// Writes everything that was appended; call it before anything that can block.
  package mutating func flush() throws(SystemFailure) {
    try leave(count: buffer.count)
  }

  /// Flushes, and closes the descriptor when the writer owns it.
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
    // The index is below the count, and any bit pattern is a valid byte.
    return unsafe unsafeLoad(fromUncheckedByteOffset: byteCount - 1, as: UInt8.self) == 10
  }
}
