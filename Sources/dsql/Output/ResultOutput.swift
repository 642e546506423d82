import Druid
import Glibc
import Plumbing

/// The destination of rows: standard output, a file that is replaced atomically, or a file that is
/// appended to.
final class ResultOutput: AnswerOutput {
  /// How many bytes of a window's answer are held back until it is complete; a larger answer is
  /// written as it comes.
  private static let heldLimit = 16 << 20

  private var writer: LineWriter?
  private let name: String
  private let descriptor: Int32
  /// The temporary file and the file that it replaces.
  private var replacement: (temporary: String, target: String)?
  private var held: ByteBlock?
  /// The digest of what was written since it was set; `nil` when it is not needed.
  var digest: OutputDigest?
  /// Whether the file that is appended to has rows already.
  let hasContent: Bool
  /// Whether that file ends inside a line, for example after a full disk or a kill.
  private var isTorn = false
  /// Whether rows must be synced to disk at the end.
  private let isSynced: Bool
  /// Whether the first byte starts a pager.
  private var startsPager = false
  private var pager: Pager?

  init(standardOutput: Void) {
    name = "standard output"
    descriptor = STDOUT_FILENO
    hasContent = false
    isSynced = false
    writer = LineWriter(to: descriptor, named: name, yieldsToSignals: true)
  }

  /// Writes to a pager, or to standard output when there is none. The first byte starts it, so until then Ctrl-C is about
  /// the query alone.
  convenience init(pager: Void) {
    self.init(standardOutput: ())
    startsPager = true
  }

  /// Appends to a file.
  init(appendingTo path: String) throws(SystemFailure) {
    name = quoted(path)
    isSynced = true
    descriptor = try openFile(path, O_WRONLY | O_CREAT | O_APPEND)
    var status = stat()
    hasContent = unsafe fstat(descriptor, &status) == 0 && status.st_size > 0
    isTorn = endsInsideLine(path)
    writer = LineWriter(to: descriptor, named: name, owns: true, yieldsToSignals: true)
  }

  /// Replaces a file when everything is written; a pipe or a device is written to directly.
  init(replacing path: String) throws(SystemFailure) {
    name = quoted(path)
    hasContent = false
    isSynced = true
    var status = stat()
    let exists = unsafe stat(path, &status) == 0
    if exists, status.st_mode & S_IFMT != S_IFREG {
      descriptor = try openFile(path, O_WRONLY)
    } else {
      let target = try resolved(path)
      var template = Array((target + ".XXXXXX").utf8CString)
      descriptor = unsafe mkstemp(&template)
      guard descriptor >= 0 else { throw SystemFailure("making a file beside \(quoted(path))") }
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      let bytes = template.dropLast().map { UInt8(bitPattern: $0) }
      replacement = (String(decoding: bytes, as: UTF8.self), target)
      let mask = umask(0)
      umask(mask)
      _ = fchmod(descriptor, exists ? status.st_mode & 0o7777 : 0o666 & ~mask)
    }
    writer = LineWriter(to: descriptor, named: name, owns: true, yieldsToSignals: true)
  }

  /// The file that keeps its content until everything is written.
  var replacedFile: String? { replacement == nil ? nil : name }

  /// Whether a person looks at the output, perhaps through a pager.
  var isTerminal: Bool { Terminal.isTerminal(descriptor) }

  func write(_ bytes: RawSpan) throws(SystemFailure) {
    digest?.take(bytes)
    if held != nil {
      held?.append(bytes)
      if (held?.count ?? 0) > Self.heldLimit { try release() }
      return
    }
    try put(bytes)
  }

  private func put(_ bytes: RawSpan) throws(SystemFailure) {
    if startsPager, bytes.byteCount > 0 { startPager() }
    if isTorn, bytes.byteCount > 0 {
      isTorn = false
      Diagnostics.warning("\(name) ends inside a line: new rows begin on a new line")
      try writer?.append("\n")
    }
    try writer?.append(bytes)
  }

  private func startPager() {
    startsPager = false
    guard let pager = Pager() else { return }
    self.pager = pager
    writer = LineWriter(to: pager.descriptor, named: "the pager", yieldsToSignals: true)
  }

  /// Ends the writing, and waits until the user leaves the pager.
  func leavePager() {
    abandon()
    pager?.close()
    pager = nil
  }

  func flush() throws(SystemFailure) {
    guard held == nil else { return }
    try writer?.flush()
  }

  /// Flushes the end of a complete answer; after a signal, it still gets its time.
  func flushWhole() throws(SystemFailure) {
    do throws(SystemFailure) {
      try flush()
    } catch {
      guard error.isInterruption else { throw error }
      try flush()
    }
  }

  /// Holds back what is written until ``release()`` or ``discard()``.
  func hold() { held = ByteBlock(capacity: 65536) }

  /// Writes what was held over the current screen.
  func releaseOverScreen(_ title: String) throws(SystemFailure) {
    let block = held.take()
    var start = ByteBlock(capacity: 128)
    start.append("\u{1b}[H\u{1b}[J" + title + "\n\n")
    try put(start.bytes)
    if let block { try put(block.bytes) }
    try flush()
  }

  /// Writes what was held.
  func release() throws(SystemFailure) {
    guard let block = held.take() else { return }
    try put(block.bytes)
    try flush()
  }

  /// Discards what was held; false when some of it is written already.
  func discard() -> Bool { held.take() != nil }

  /// Everything is written: replaces the target file.
  func commit() throws(SystemFailure) {
    if isSynced {
      try writer?.flush()
      guard fsync(descriptor) == 0 || errno == EINVAL else {
        throw SystemFailure("writing \(name)")
      }
    }
    if let writer = writer.take() { try writer.close() }
    guard let (temporary, target) = replacement else { return }
    guard unsafe rename(temporary, target) == 0 else { throw SystemFailure("replacing \(name)") }
    replacement = nil
    syncFolder(of: target)
  }

  /// Not everything could be written: keeps the target file.
  func abandon() {
    _ = discard()
    if let writer = writer.take() {
      // Rows before a failure are still valid rows.
      do { try writer.close() } catch { Diagnostics.verbose(error.message) }
    }
    guard let (temporary, _) = replacement else { return }
    _ = unsafe unlink(temporary)
    replacement = nil
  }
}

/// The target of symbolic links, so that a link stays a link; the file need not exist.
private func resolved(_ path: String) throws(SystemFailure) -> String {
  var path = path
  for _ in 0..<40 {
    if let text = unsafe realpath(path, nil) {
      defer { unsafe free(text) }
      return unsafe String(cString: text)
    }
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = unsafe readlink(path, &buffer, Int(PATH_MAX))
    guard count >= 0 else { return path }
    let link = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let folder =
      link.hasPrefix("/") ? "" : path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    path = folder + link
  }
  throw SystemFailure("opening \(quoted(path))", code: ELOOP)
}

/// Whether a file has content that does not end with a newline, as far as it can be read.
func endsInsideLine(_ path: String) -> Bool {
  guard let descriptor = try? openFile(path, O_RDONLY) else { return false }
  defer { _ = close(descriptor) }
  var byte: UInt8 = 10
  guard lseek(descriptor, -1, SEEK_END) >= 0, unsafe read(descriptor, &byte, 1) == 1 else {
    return false
  }
  return byte != 10
}

/// Syncs the folder, where possible, so that a rename survives a crash.
func syncFolder(of path: String) {
  let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
  guard let descriptor = try? openFile(folder, O_RDONLY | O_DIRECTORY) else { return }
  _ = fsync(descriptor)
  _ = close(descriptor)
}
