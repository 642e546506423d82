import Glibc
import Plumbing

/// A thread of the broker. (Unsafe inside.)
enum ServiceThread {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Runs `body` on a new thread with all signals blocked. The main thread handles signals, and a
  /// failed write returns an error instead of SIGPIPE.
  static func start(_ body: @escaping @Sendable () -> Void) throws(SystemFailure) {
    var all = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    let box = unsafe Unmanaged.passRetained(Body(body))
    var thread = pthread_t()
    let failure = unsafe pthread_create(&thread, nil, threadMain, box.toOpaque())
    guard failure == 0 else {
      unsafe box.release()
      throw SystemFailure("starting a thread", code: failure)
    }
    pthread_detach(thread)
  }

  private static let threadMain:
    @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
      if let box = unsafe $0 { unsafe Unmanaged<Body>.fromOpaque(box).takeRetainedValue().run() }
      return nil
    }
}
