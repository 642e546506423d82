internal import Glibc
internal import Plumbing

/// The file of `--failed`: lines that were not delivered, raw, so that they can be fed in again.
package struct FailedFile: ~Copyable {
  private var output: LineWriter
  private let delimiter: [UInt8]
  /// The first error; nothing is written after it.
  private(set) var failure: SystemFailure?

  /// Opens the file for appending: what an earlier run could not deliver stays in it.
  ///
  /// - Throws: ``SystemFailure``; ``UsageFailure`` when it is the file that is being read.
  package init(path: String, delimiter: [UInt8], input: Int32) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw SystemFailure("opening \(quoted(path))") }
    var ours = stat()
    var theirs = stat()
    if unsafe fstat(descriptor, &ours) == 0, unsafe fstat(input, &theirs) == 0,
      ours.st_dev == theirs.st_dev, ours.st_ino == theirs.st_ino, ours.st_mode & S_IFMT == S_IFREG
    {
      close(descriptor)
      throw UsageFailure(
        "--failed: \(quoted(path)) is what is being read",
        hints: ["rename it first: mv \(path) again, then kprod --failed \(path) < again"])
    }
    output = LineWriter(to: descriptor, named: quoted(path), owns: true)
    self.delimiter = delimiter
  }

  /// Writes the pieces of one line, and ends it.
  mutating func append(_ pieces: RawSpan, isLast: Bool = true) {
    attempt { (output) throws(SystemFailure) in try output.append(pieces) }
    if isLast { endLine() }
  }

  mutating func endLine() {
    let delimiter = delimiter
    attempt { (output) throws(SystemFailure) in try output.append(delimiter) }
  }

  mutating func flush() {
    attempt { (output) throws(SystemFailure) in try output.flush() }
  }

  private mutating func attempt(_ body: (inout LineWriter) throws(SystemFailure) -> Void) {
    guard failure == nil else { return }
    do throws(SystemFailure) {
      try body(&output)
    } catch {
      failure = error
    }
  }
}
