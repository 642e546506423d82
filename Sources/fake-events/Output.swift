import EventGeneration
import Glibc
import Plumbing

/// Standard output, and the counts for `--summary`.
struct Output: ~Copyable {
  private var writer: LineWriter
  private let summarizes: Bool
  private let began = ContinuousClock.now
  private(set) var bytes = 0
  private var lines = 0

  init(summarizes: Bool) {
    self.summarizes = summarizes
    writer = LineWriter(
      to: STDOUT_FILENO, named: "standard output", capacity: LineBlock.size)
    // A larger pipe wakes its two ends less often. Where it is refused, the pipe keeps its size.
    _ = fcntl(STDOUT_FILENO, setPipeSize, 1 << 20)
  }

  /// Writes the block and empties it; `false` when the reader closed the pipe.
  ///
  /// - Parameter lines: the number of lines so far.
  mutating func write(_ block: inout LineBlock, lines: Int) throws -> Bool {
    guard block.count > 0 else { return true }
    do {
      try writer.append(block.bytes)
      try writer.flush()
    } catch {
      if error.isReaderGone { return false }
      throw error
    }
    bytes += block.count
    self.lines = lines
    block.removeAll()
    return true
  }

  /// Writes the line of `--summary`, if requested.
  func finish() {
    guard summarizes else { return }
    Diagnostics.summary(lines: lines, bytes: bytes, after: began.duration(to: .now))
  }
}
