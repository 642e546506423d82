import Glibc
import Plumbing

/// Signals that are taken one by one, when asked for, instead of interrupting. (Unsafe inside.)
struct SignalQueue {
  private let signals: [Int32]

  /// Blocks the signals in this thread and in all that it starts from now on. One that the parent had
  /// ignored (`nohup`) is left alone, but for SIGCHLD, without which nobody would learn of the child.
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

  /// Waits for the next signal of those that `isWanted` takes; the others are dropped.
  func next(_ isWanted: (Int32) -> Bool = { _ in true }) -> Int32 {
    var set = Self.set(of: signals)
    while true {
      var number: Int32 = 0
      if unsafe sigwait(&set, &number) == 0 && isWanted(number) { return number }
    }
  }

  /// Waits for the next signal that `isWanted` takes, and looks four times a second whether `isOver` holds; nil when it does.
  func next(_ isWanted: (Int32) -> Bool, orUntil isOver: () -> Bool) -> Int32? {
    var set = Self.set(of: signals)
    var wait = timespec(tv_sec: 0, tv_nsec: 250_000_000)
    while !isOver() {
      let number = unsafe sigtimedwait(&set, nil, &wait)
      if number > 0 && isWanted(number) { return number }
    }
    return nil
  }

  /// Ends the process by the signal's default action, so that the parent sees what happened.
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
