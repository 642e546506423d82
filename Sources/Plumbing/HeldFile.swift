import Glibc

/// A state file that one process at a time may use: two runs with the same state would do the same work twice.
///
/// The lock is flock(2)'s on the file itself. A new version of the file is locked before it takes the place of the old one, so
/// a process that opens the path finds a locked file. A process that ends, however it ends, gives up the lock.
///
/// (Unsafe inside: the system's calls take pointers.)
package final class HeldFile {
  private let path: String
  /// `nil` for a pipe or a device, which can't be held.
  private var descriptor: Int32?
  /// The content at the beginning; empty for a new file.
  package let content: [UInt8]

  /// Takes hold of a file, which is created when it does not exist.
  ///
  /// - Throws: ``FileInUse`` when another process holds it, ``SystemFailure`` when it can't be read, created or replaced.
  package init(_ path: String, of flag: Flag) throws {
    self.path = path
    try SmallFile.requireReplaceable(path)
    descriptor = try Self.hold(path, flag)
    content = descriptor == nil ? [] : try SmallFile.read(path)
  }

  deinit { if let descriptor { close(descriptor) } }

  private static func hold(_ path: String, _ flag: Flag) throws -> Int32? {
    while true {
      let descriptor = try openFile(path, O_RDONLY | O_CREAT)
      var (ours, current) = (stat(), stat())
      guard unsafe fstat(descriptor, &ours) == 0, ours.st_mode & S_IFMT == S_IFREG else {
        close(descriptor)
        return nil
      }
      if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
        close(descriptor)
        throw FileInUse(message: "\(flag.spelling): \(quoted(path)) is used by another run")
      }
      // The holder may have replaced the file, and ended, between the two calls.
      if unsafe stat(path, &current) == 0, ours.st_dev == current.st_dev,
        ours.st_ino == current.st_ino
      {
        return descriptor
      }
      close(descriptor)
    }
  }

  /// Replaces the content atomically; see ``SmallFile/replace(_:with:onDraft:)``.
  package func replace(with bytes: [UInt8]) throws(SystemFailure) {
    var held: Int32?
    do throws(SystemFailure) {
      try SmallFile.replace(path, with: bytes) { draft in
        // The copy keeps the lock when the draft is closed.
        held = fcntl(draft, F_DUPFD_CLOEXEC, 0)
        _ = flock(draft, LOCK_EX | LOCK_NB)
      }
    } catch {
      if let held, held >= 0 { close(held) }
      throw error
    }
    guard let held, held >= 0 else { return }
    if let descriptor { close(descriptor) }
    descriptor = held
  }
}

/// A file that another process holds.
package struct FileInUse: ToolFailure, Equatable {
  package let message: String
  package var exitStatus: ExitStatus { .temporary }
}
