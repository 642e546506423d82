import Glibc

/// Files that are read or replaced as a whole: receipts, states, specifications, passwords.
///
/// (Unsafe inside: the system's calls take pointers.)
package enum SmallFile {
  package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// - Throws: ``SystemFailure`` when the file can't be read.
  package static func requireReadable(_ path: String) throws(SystemFailure) {
    guard unsafe access(path, R_OK) == 0 else { throw SystemFailure("opening \(quoted(path))") }
  }

  /// The content of a file.
  ///
  /// - Parameter limit: a larger file, in bytes, was given by mistake.
  /// - Throws: ``SystemFailure``, with the code `ENOENT` when there is no such file and `EFBIG` when it is larger than `limit`.
  package static func read(
    _ path: String, limit: Int = 64 << 20
  ) throws(SystemFailure) -> [UInt8] {
    let descriptor = try openFile(path, O_RDONLY)
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65536)
    while bytes.count <= limit {
      let count = unsafe Glibc.read(descriptor, &block, block.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw SystemFailure("reading \(quoted(path))") }
      guard count > 0 else { return bytes }
      bytes += block[..<count]
    }
    throw SystemFailure("reading \(quoted(path))", code: EFBIG)
  }

  /// The content of a file as text; bytes that are not UTF-8 become U+FFFD.
  package static func readText(
    _ path: String, limit: Int = 64 << 20
  ) throws(SystemFailure) -> String {
    String(decoding: try read(path, limit: limit), as: UTF8.self)
  }

  /// Replaces a file atomically: a reader, also after a crash, sees the old content or the new one.
  ///
  /// A symbolic link stays one: its target is replaced. A path that is not a regular file, or a name of an open
  /// descriptor such as `/dev/stdout`, is written to directly.
  ///
  /// - Parameter onDraft: what to do with the descriptor of the file that takes the place of the old one.
  package static func replace(
    _ path: String, with bytes: [UInt8], onDraft: (Int32) -> Void = { _ in }
  ) throws(SystemFailure) {
    var status = stat()
    let isRegular = unsafe stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
    guard isRegular, let path = target(of: path) else {
      // What a descriptor's file holds already stays in it.
      let descriptor = try openFile(path, O_WRONLY | O_APPEND)
      var output = LineWriter(to: descriptor, named: quoted(path), owns: true)
      try output.append(bytes)
      return try output.close()
    }
    let draft = "\(path).\(getpid())"
    let descriptor = try openFile(draft, O_WRONLY | O_CREAT | O_TRUNC)
    var isWhole = false
    defer { if !isWhole { unsafe unlink(draft) } }
    var output = LineWriter(to: descriptor, named: quoted(draft), owns: true)
    onDraft(descriptor)
    try output.append(bytes)
    try output.flush()
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw SystemFailure("writing \(quoted(draft))")
    }
    try output.close()
    guard unsafe rename(draft, path) == 0 else {
      throw SystemFailure("renaming \(quoted(draft)) to \(quoted(path))")
    }
    isWhole = true
  }

  /// Tests before a long run whether ``replace(_:with:onDraft:)`` may write there; a full disk is not foreseen.
  package static func requireReplaceable(_ path: String) throws(SystemFailure) {
    var status = stat()
    let exists = unsafe stat(path, &status) == 0
    if exists, status.st_mode & S_IFMT == S_IFDIR {
      throw SystemFailure("opening \(quoted(path))", code: EISDIR)
    }
    guard !exists || status.st_mode & S_IFMT == S_IFREG, let target = target(of: path) else {
      return
    }
    let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? "."
    guard unsafe access(folder, W_OK | X_OK) == 0 else {
      throw SystemFailure("opening \(quoted(path))")
    }
  }

  /// The file behind symbolic links; `nil` for a descriptor of this process, which must not be renamed over.
  private static func target(of path: String) -> String? {
    var path = path
    for _ in 0..<40 {
      let isDevice = path.hasPrefix("/dev/") && !path.hasPrefix("/dev/shm/")
      if isDevice || path.hasPrefix("/proc/") { return nil }
      var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = unsafe readlink(path, &buffer, buffer.count)
      guard count > 0 else { return path }
      let link = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
      path = link.hasPrefix("/") ? link : folder + link
    }
    return path
  }
}
