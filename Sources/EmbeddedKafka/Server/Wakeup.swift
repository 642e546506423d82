import CBroker
import Glibc
import Plumbing

/// Lets a thread wait until another thread signals it, its client closes the connection, or a
/// deadline passes. (Unsafe inside: an eventfd and poll.)
final class Wakeup: Sendable {
  enum Outcome {
    case signalled, timedOut, hungUp
  }

  private let event: Int32
  /// The client's socket; -1 for none.
  private let socket: Int32

  init(watching socket: Int32 = -1) throws(SystemFailure) {
    self.socket = socket
    event = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    guard event >= 0 else { throw SystemFailure("making an event descriptor") }
  }

  /// - Throws: ``MalformedFrame``, which closes the connection, when there are no free descriptors.
  static func watching(_ socket: Int32) throws(MalformedFrame) -> Wakeup {
    do throws(SystemFailure) {
      return try Wakeup(watching: socket)
    } catch {
      throw MalformedFrame(reason: error.message)
    }
  }

  deinit {
    close(event)
  }

  /// Ends the current wait, or the next one.
  func signal() {
    eventfd_write(event, 1)
  }

  /// Waits for a signal.
  func wait() {
    while wait(until: .now + .seconds(3600)) == .timedOut {}
  }

  /// Waits for a signal, the client's end or `deadline`.
  func wait(until deadline: ContinuousClock.Instant) -> Outcome {
    while true {
      var watched = [
        pollfd(fd: event, events: Int16(POLLIN), revents: 0),
        pollfd(fd: socket, events: cbk_poll_hung_up(), revents: 0),
      ]
      let left = ContinuousClock.now.duration(to: deadline)
      if left < .zero { return .timedOut }
      let milliseconds =
        left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
      let ready = unsafe poll(&watched, 2, Int32(clamping: milliseconds + 1))
      if ready < 0 { continue }
      if watched[1].revents != 0 { return .hungUp }
      if watched[0].revents != 0 {
        var count: eventfd_t = 0
        _ = unsafe eventfd_read(event, &count)
        return .signalled
      }
      if ready == 0 { return .timedOut }
    }
  }
}
