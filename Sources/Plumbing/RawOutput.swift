import Glibc

/// How a blocked write responds to a signal.
enum SignalConduct {
  /// Keeps waiting; the second signal ends the write.
  case patient
  /// Ends at the first signal; the caller can write the rest later.
  case yielding
  /// A signal came earlier: ends at this moment, or at the second signal.
  case until(ContinuousClock.Instant)
}

/// Writes all of the bytes; returns how many were written, and 0 or the error number that stopped
/// the write.
///
/// A non-blocking descriptor is waited for.
func writeFully(
  _ bytes: UnsafeBufferPointer<UInt8>, to descriptor: Int32, conduct: SignalConduct = .patient
) -> (count: Int, code: Int32) {
  var rest = unsafe bytes[...]
  while unsafe !rest.isEmpty {
    if case .until(let deadline) = conduct, !canWrite(to: descriptor, until: deadline) { break }
    let piece = unsafe UnsafeBufferPointer(rebasing: rest.prefix(conduct.pieceSize))
    let count = unsafe Glibc.write(descriptor, piece.baseAddress, piece.count)
    if count >= 0 {
      unsafe rest = rest.dropFirst(count)
      // The signal may have come after a part was written.
      if unsafe !rest.isEmpty, conduct.endsNow { break }
    } else if errno == EAGAIN {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      _ = unsafe poll(&waiting, 1, -1)
      if conduct.endsNow { break }
    } else if errno != EINTR {
      return unsafe (bytes.count - rest.count, errno)
    } else if conduct.endsNow {
      break
    }
  }
  return unsafe (bytes.count - rest.count, rest.isEmpty ? 0 : EINTR)
}

extension SignalConduct {
  /// With a deadline: how many bytes a ready descriptor takes without blocking.
  fileprivate var pieceSize: Int { if case .until = self { 512 } else { .max } }

  /// Whether the signals so far end the write.
  fileprivate var endsNow: Bool {
    if case .yielding = self { Interruption.count > 0 } else { Interruption.count > 1 }
  }
}

/// Waits until a descriptor can be written to; false when the time is up or a second signal came.
private func canWrite(to descriptor: Int32, until deadline: ContinuousClock.Instant) -> Bool {
  while Interruption.count < 2 {
    let left = ContinuousClock.now.duration(to: deadline)
    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    if unsafe poll(&waiting, 1, max(.zero, left).pollMilliseconds) > 0 { return true }
    if left <= .zero { return false }
  }
  return false
}
