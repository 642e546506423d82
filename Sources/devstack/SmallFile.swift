import Glibc
import Plumbing

/// Reads the text of a small file, such as a specification. (Unsafe inside.)
///
/// - Throws: ``SystemFailure`` when it can't be read or is too large.
func readSmallFile(
  _ path: String, limit: Int = 4 << 20
) throws(SystemFailure) -> String {
  let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { throw SystemFailure("reading \(path)") }
  defer { close(file) }
  var bytes: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 65536)
  while bytes.count <= limit {
    let got = unsafe read(file, &block, block.count)
    if got < 0 && errno == EINTR { continue }
    guard got >= 0 else { throw SystemFailure("reading \(path)") }
    if got == 0 { return String(decoding: bytes, as: UTF8.self) }
    bytes += block[..<got]
  }
  throw SystemFailure("reading \(path)", code: EFBIG)
}
