import Glibc
import Plumbing

/// Small files, read and replaced as a whole.
enum SmallFile {
  static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  static func read(_ path: String) throws(SystemFailure) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemFailure("opening \(quoted(path))") }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe block.withUnsafeMutableBytes { room in
        unsafe Glibc.read(descriptor, room.baseAddress, room.count)
      }
      if count == 0 { return bytes }
      if count > 0 {
        bytes += block[..<count]
      } else if errno != EINTR {
        throw SystemFailure("reading \(quoted(path))")
      }
    }
  }

  /// Writes a new file and renames it over the old one, so that a complete file always exists.
  static func replace(_ path: String, with bytes: [UInt8]) throws(SystemFailure) {
    let new = path + ".new"
    let descriptor = unsafe open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw SystemFailure("opening \(quoted(new))") }
    var isWhole = false
    defer { if !isWhole { _ = unsafe unlink(new) } }
    var writer = LineWriter(to: descriptor, named: quoted(new), owns: true)
    try writer.append(bytes)
    try writer.flush()
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw SystemFailure("writing \(quoted(new))")
    }
    try writer.close()
    guard unsafe rename(new, path) == 0 else { throw SystemFailure("renaming \(quoted(new))") }
    isWhole = true
  }
}
