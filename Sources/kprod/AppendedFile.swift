import Glibc
import Plumbing

/// A file that grows by whole lines: the lines of `--failed`, unchanged so that they can be sent
/// again, the reasons for them, or acknowledgements. Several runs can share it.
final class AppendedFile {
  private var output: LineWriter
  private let delimiter: [UInt8]
  /// Whether a write failed; nothing is written after that.
  var isBroken = false

  /// Opens the file for appending; what an earlier run wrote is kept.
  ///
  /// - Parameter inputs: the descriptors being read; the file can't be one of them.
  /// - Throws: ``SystemFailure``; ``UsageFailure`` when the file is an input.
  init(_ flag: Flag, path: String, delimiter: [UInt8], inputs: [Int32]) throws {
    let descriptor = try openFile(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
    if inputs.contains(where: { isSameFile(descriptor, $0) }) {
      close(descriptor)
      throw UsageFailure(
        "\(flag.spelling): \(quoted(path)) is the input file",
        hints: [
          "rename it first: mv \(path) again, then kprod \(flag.spelling) \(path) < again"
        ])
    }
    output = LineWriter(to: descriptor, named: quoted(path), owns: true)
    self.delimiter = delimiter
  }

  /// Writes a part of a line; the last part ends the line.
  func append(_ piece: RawSpan, isLast: Bool = true) throws(SystemFailure) {
    try output.append(piece)
    if isLast { try output.append(delimiter) }
  }

  /// Writes a line.
  func append(text: String) throws(SystemFailure) {
    try output.append(text)
    try output.append(delimiter)
  }

  func flush() throws(SystemFailure) { try output.flush() }
}

private func isSameFile(_ one: Int32, _ other: Int32) -> Bool {
  var ours = stat()
  var theirs = stat()
  return unsafe fstat(one, &ours) == 0 && fstat(other, &theirs) == 0
    && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino
    && ours.st_mode & S_IFMT == S_IFREG
}
