import Glibc
import Plumbing

/// Receives signals one by one on request, instead of being interrupted. (Unsafe inside.)
struct SignalQueue {
  private let signals: [Int32]

  /// Blocks the signals in this thread and in all threads that it starts later. Signals that the
  /// parent ignores (`nohup`) are left ignored, except SIGCHLD, which reports the child's end.
  init(_ signals: [Int32]) {
    signal(SIGCHLD, SIG_DFL)
    self.signals = signals.filter { number in
      var action = sigaction()
      unsafe sigaction(number, nil, &action)
      let handler = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      return unsafe number != SIGHUP || handler != unsafeBitCast(SIG_IGN, to: Int.self)
    }
    var set = Self.set(of: self.signals)
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Waits for the next signal that `isWanted` accepts. Others are dropped.
  func next(_ isWanted: (Int32) -> Bool = { _ in true }) -> Int32 {
    var set = Self.set(of: signals)
    while true {
      var number: Int32 = 0
      if unsafe sigwait(&set, &number) == 0 && isWanted(number) { return number }
    }
  }

  /// Waits for the next signal that `isWanted` accepts, and checks `isOver` four times a second;
  /// nil when it holds.
  func next(_ isWanted: (Int32) -> Bool, orUntil isOver: () -> Bool) -> Int32? {
    var set = Self.set(of: signals)
    var wait = timespec(tv_sec: 0, tv_nsec: 250_000_000)
    while !isOver() {
      let number = unsafe sigtimedwait(&set, nil, &wait)
      if number > 0 && isWanted(number) { return number }
    }
    return nil
  }

  /// Ends the process by the signal's default action, so that the parent sees which signal it was.
  static func end(by number: Int32) -> Never {
    signal(number, SIG_DFL)
    var set = set(of: [number])
    unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    raise(number)
    exit(128 + number)
  }

  private static func set(of signals: [Int32]) -> sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in signals { unsafe sigaddset(&set, number) }
    return set
  }
}
