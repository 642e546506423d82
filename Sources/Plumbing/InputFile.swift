import Glibc

/// A file that the command line names: a path, or `-` for standard input.
package struct InputFile {
  package let descriptor: Int32
  /// How messages name it: quoted, or "standard input".
  package let name: String

  package static let standardInput = InputFile(descriptor: STDIN_FILENO, name: "standard input")

  private init(descriptor: Int32, name: String) {
    self.descriptor = descriptor
    self.name = name
  }

  /// - Throws: ``SystemFailure`` when the file can't be opened.
  package init(_ path: String) throws(SystemFailure) {
    if path == "-" {
      self = .standardInput
    } else {
      descriptor = try openFile(path, O_RDONLY)
      name = quoted(path)
    }
  }

  /// Closes the file; standard input stays open.
  package func close() {
    if descriptor != STDIN_FILENO { _ = Glibc.close(descriptor) }
  }
}

/// Opens a file, which programs that are started later don't inherit.
///
/// - Parameters:
///   - flags: those of open(2); `O_CLOEXEC` is added.
///   - mode: the permissions of a file that is created, less those of the umask.
/// - Returns: the descriptor.
/// - Throws: ``SystemFailure``.
package func openFile(
  _ path: String, _ flags: Int32, mode: UInt32 = 0o666
) throws(SystemFailure) -> Int32 {
  let descriptor = unsafe open(path, flags | O_CLOEXEC, mode)
  guard descriptor >= 0 else { throw SystemFailure("opening \(quoted(path))") }
  return descriptor
}

/// Opens a temporary file without a name: it is gone when its descriptor is closed, however the
/// process ends.
///
/// - Returns: the descriptor, for reading and writing.
/// - Throws: ``SystemFailure``.
package func openUnnamedFile(in folder: String) throws(SystemFailure) -> Int32 {
  // O_TMPFILE, which the C headers declare only under `_GNU_SOURCE`.
  let unnamed = 0o20_000_000 | O_DIRECTORY
  var descriptor = unsafe open(folder, unnamed | O_RDWR | O_CLOEXEC, 0o600)
  if descriptor < 0, [EOPNOTSUPP, EISDIR, EINVAL].contains(errno) {
    // The file system has no unnamed files: create a named one and unlink it at once.
    var path = Array((folder + "/streamtools-XXXXXX").utf8CString)
    descriptor = unsafe mkstemp(&path)
    if descriptor >= 0 {
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      unsafe unlink(path)
    }
  }
  guard descriptor >= 0 else { throw SystemFailure("making a file in \(folder)") }
  return descriptor
}
