import Glibc

/// Writes all of the bytes; 0, or the error number that stopped it.
///
/// A descriptor that was set non-blocking by somebody else is waited for.
func writeFully(_ bytes: UnsafeBufferPointer<UInt8>, to descriptor: Int32) -> Int32 {
  var rest = unsafe bytes[...]
  while unsafe !rest.isEmpty {
    let piece = unsafe UnsafeBufferPointer(rebasing: rest)
    let count = unsafe Glibc.write(descriptor, piece.baseAddress, piece.count)
    if count >= 0 {
      unsafe rest = rest.dropFirst(count)
      // The signal may have come when a part was out: the rest is given up all the same.
      if unsafe !rest.isEmpty, Interruption.count > 1 { return EINTR }
    } else if errno == EAGAIN {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      _ = unsafe poll(&waiting, 1, -1)
    } else if errno != EINTR || Interruption.count > 1 {
      // A second signal gives up even what a reader does not take.
      return errno
    }
  }
  return 0
}
