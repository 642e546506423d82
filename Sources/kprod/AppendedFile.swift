import Glibc
import Plumbing

/// A file that grows by whole lines: the lines of `--failed`, unchanged so that they can be sent
/// again, the reasons for them, or acknowledgements. Several runs can share it.
final class AppendedFile {
  private let descriptor: Int32
  private var output: LineWriter
  private let delimiter: [UInt8]
  private let name: String
  /// Whether what is in the file ends inside a line.
  private var isTorn = false
  /// Whether a write failed; nothing is written after that.
  private(set) var isBroken = false

  /// Opens the file for appending; what an earlier run wrote is kept. When it ends inside a line, as after a crash, the first
  /// line of this run begins on a new line.
  ///
  init(path: String, delimiter: [UInt8]) throws(SystemFailure) {
    descriptor = try openFile(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
    output = LineWriter(to: descriptor, named: quoted(path), owns: true)
    self.delimiter = delimiter
    name = quoted(path)
    if let size, size > 0 { isTorn = endOfLines(before: size, reach: delimiter.count) != size }
  }

  /// Ends the writing after a failure. The part of a line that was still written, as on a full disk, is removed: half a line
  /// must not be sent later as if it were one. It stays when another run has appended behind it.
  func giveUp() {
    isBroken = true
    guard let size, lseek(descriptor, 0, SEEK_CUR) == size else { return }
    _ = ftruncate(descriptor, off_t(endOfLines(before: size) ?? 0))
  }

  /// The size of a regular file.
  private var size: Int? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      return nil
    }
    return Int(status.st_size)
  }

  /// The offset after the last delimiter; `nil` when there is none in reach.
  private func endOfLines(before size: Int, reach: Int = .max) -> Int? {
    // The descriptor itself can't be read.
    guard let reader = try? openFile("/proc/self/fd/\(descriptor)", O_RDONLY) else { return size }
    defer { close(reader) }
    var block = [UInt8](repeating: 0, count: 65536)
    var end = size
    let least = max(0, size - min(reach, size))
    while end - least >= delimiter.count {
      let start = max(least, end - block.count)
      guard unsafe pread(reader, &block, end - start, off_t(start)) == end - start else {
        return size
      }
      for place in stride(from: end - start - delimiter.count, through: 0, by: -1)
      where block[place..<(place + delimiter.count)].elementsEqual(delimiter) {
        return start + place + delimiter.count
      }
      // A delimiter may lie across the border of two blocks.
      end = start > least ? start + delimiter.count - 1 : least
    }
    return nil
  }

  /// Writes a part of a line; the last part ends the line.
  func append(_ piece: RawSpan, isLast: Bool = true) throws(SystemFailure) {
    if isTorn { try endLine() }
    try output.append(piece)
    if isLast { try output.append(delimiter) }
  }

  /// Writes a line.
  func append(text: String) throws(SystemFailure) {
    if isTorn { try endLine() }
    try output.append(text)
    try output.append(delimiter)
  }

  private func endLine() throws(SystemFailure) {
    isTorn = false
    Diagnostics.warning("\(name) ends inside a line: new lines begin on a new line")
    try output.append(delimiter)
  }

  func flush() throws(SystemFailure) { try output.flush() }
}
