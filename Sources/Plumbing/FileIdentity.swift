internal import Glibc

/// Which file a path or a descriptor stands for, to see whether two are the same. (Unsafe inside:
/// `stat`.)
enum FileIdentity: Equatable {
  case existing(device: UInt, inode: UInt)
  /// A file that does not exist yet.
  case named(String)

  /// `nil` for anything but a regular file: a device or a pipe can have several writers.
  init?(path: String) {
    var status = stat()
    if unsafe stat(path, &status) == 0 {
      self.init(status)
    } else {
      self = .named(path)
    }
  }

  init?(descriptor: Int32) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  private init?(_ status: stat) {
    guard status.st_mode & S_IFMT == S_IFREG else { return nil }
    self = .existing(device: UInt(status.st_dev), inode: UInt(status.st_ino))
  }
}

extension Arguments {
  /// Checks that no file that the command writes is one that it reads, or one that it writes by
  /// another option: the last to write would destroy what the other needs.
  func checkFiles(of flags: [Flag]) throws(UsageFailure) {
    let paths = flags.filter { $0.completion == .file && !$0.isWritten }.flatMap(all) + operands
    let read = [FileIdentity(descriptor: STDIN_FILENO)] + paths.map(FileIdentity.init(path:))
    var written = FileIdentity(descriptor: STDOUT_FILENO).map { [("standard output", $0)] } ?? []
    for flag in flags where flag.isWritten {
      guard let path = all(flag).first, let file = FileIdentity(path: path) else { continue }
      if read.contains(file) {
        throw UsageFailure(
          "\(flag.spelling): \(quoted(path)) is the input file",
          hints: ["rename that file first, or name another one here"])
      }
      if let other = written.first(where: { $0.1 == file }) {
        throw UsageFailure("\(other.0) and \(flag.spelling) both go to \(quoted(path))")
      }
      written.append((flag.spelling, file))
    }
  }
}
