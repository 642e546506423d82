import Glibc
import Plumbing

/// The content of a small file: a receipt, a state, a password.
func contents(of path: String) throws(SystemFailure) -> [UInt8] {
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw SystemFailure("opening \(quoted(path))") }
  defer { _ = close(descriptor) }
  var bytes: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 65536)
  // A larger file was given by mistake.
  while bytes.count < 64 << 20 {
    let count = unsafe read(descriptor, &block, block.count)
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else { throw SystemFailure("reading \(quoted(path))") }
    guard count > 0 else { return bytes }
    bytes += block[..<count]
  }
  throw SystemFailure("reading \(quoted(path))", code: EFBIG)
}
