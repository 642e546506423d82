import Glibc
import Kafka
import Plumbing

/// The file of `--state`: how far an input file was sent, so that the next run continues after that
/// line.
///
/// It belongs to one input, which is identified by device, inode and a hash of its first bytes.
struct ReadingState: Equatable {
  var device: UInt64
  var inode: UInt64
  /// The number of hashed bytes at the beginning, and their hash.
  var headLength: Int
  var headHash: UInt64
  /// Everything before this byte is settled.
  var offset: Int
  /// The number of these lines, over all runs.
  var lines: Int

  private static let longestHead = 4096

  /// The state of a file of which nothing has been sent.
  ///
  /// - Throws: ``UsageFailure`` when it is not a regular file, ``SystemFailure`` when it can't be
  ///   read.
  init(beginning descriptor: Int32, named name: String) throws {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw SystemFailure("looking at \(name)") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw UsageFailure(
        "--state: \(name) is not a regular file",
        hints: ["a pipe can't be read again: kprod --state FILE < DATA"])
    }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    let length = min(Self.longestHead, Int(status.st_size))
    guard let hash = Self.hash(of: length, in: descriptor) else {
      throw SystemFailure("reading \(name)")
    }
    (headLength, headHash) = (length, hash)
    (offset, lines) = (0, 0)
  }

  /// Reads the state of an earlier run; `nil` when the file is new.
  init?(_ content: [UInt8], from path: String) throws {
    guard !content.isEmpty else { return nil }
    guard let object = try? JSONValue(parsing: content),
      object["version"]?.integer == 1, object["tool"]?.text == "kprod",
      let device = object["device"]?.integer, let inode = object["inode"]?.integer,
      let headLength = object["head_bytes"]?.integer, let headHash = object["head_hash"]?.text,
      let hash = UInt64(headHash, radix: 16), let offset = object["offset"]?.integer,
      let lines = object["lines"]?.integer, offset >= 0, headLength >= 0, lines >= 0
    else {
      throw UsageFailure(
        "--state: \(quoted(path)) is not a state of kprod",
        hints: ["remove it to begin at the first line"])
    }
    self.device = UInt64(bitPattern: device)
    self.inode = UInt64(bitPattern: inode)
    self.headLength = Int(headLength)
    self.headHash = hash
    self.offset = Int(offset)
    self.lines = Int(lines)
  }

  /// Whether the descriptor's file is the one of this state, with at least as many bytes as were
  /// sent.
  func fits(_ descriptor: Int32) -> Bool {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return false }
    return UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
      && Int(status.st_size) >= max(offset, headLength)
      && Self.hash(of: headLength, in: descriptor) == headHash
  }

  /// The FNV-1a hash of the first bytes; `nil` when they can't be read.
  private static func hash(of length: Int, in descriptor: Int32) -> UInt64? {
    var bytes = [UInt8](repeating: 0, count: length)
    guard unsafe pread(descriptor, &bytes, length, 0) == length else { return nil }
    return bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  func write(to file: HeldFile) throws(SystemFailure) {
    let text = JSONValue.object([
      "version": .integer(1), "tool": .string("kprod"),
      "device": .integer(Int64(bitPattern: device)), "inode": .integer(Int64(bitPattern: inode)),
      "head_bytes": .integer(headLength), "head_hash": .string(String(headHash, radix: 16)),
      "offset": .integer(offset), "lines": .integer(lines),
    ]).jsonText
    try file.replace(with: Array((text + "\n").utf8))
  }
}

/// Tracks how far the lines of a file are settled without a gap.
///
/// Lines are settled in any order. A run of lines counts only as a whole, so the mark may lag
/// behind by one run.
struct SettledMark {
  private struct Run {
    var firstLine: Int
    var lineCount: Int
    var settled = 0
    /// The offset after the last line.
    var end: Int
  }

  private var runs: [Run] = []
  private var first = 0
  private var nextLine = 1
  /// The offset after the last line of the settled lines without a gap.
  private(set) var offset: Int
  /// How many such lines there are, counted in this run of the program.
  private(set) var lines = 0

  init(offset: Int) { self.offset = offset }

  /// Notes that lines up to this number were read, and end at this byte.
  mutating func note(lastLine: Int, end: Int) {
    guard lastLine >= nextLine else { return }
    runs.append(Run(firstLine: nextLine, lineCount: lastLine - nextLine + 1, end: end))
    nextLine = lastLine + 1
    advance()
  }

  /// Marks a line that needs no second attempt. It may be noted afterwards only if it is the next
  /// line.
  mutating func settle(_ line: Int) {
    var (low, high) = (first, runs.count)
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].firstLine + runs[middle].lineCount <= line {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low < runs.count, runs[low].firstLine <= line else { return early.append(line) }
    runs[low].settled += 1
    if low == first { advance() }
  }

  /// Lines that were settled before their run was noted: bad lines.
  private var early: [Int] = []

  private mutating func advance() {
    if !early.isEmpty, let last = runs.last {
      let ready = early.filter { $0 < last.firstLine + last.lineCount }
      early.removeAll { $0 < last.firstLine + last.lineCount }
      for line in ready { settle(line) }
    }
    while first < runs.count, runs[first].settled == runs[first].lineCount {
      offset = runs[first].end
      lines += runs[first].lineCount
      first += 1
    }
    // Frees the space of finished runs in one go.
    if first > 1024, first * 2 > runs.count {
      runs.removeFirst(first)
      first = 0
    }
  }
}
