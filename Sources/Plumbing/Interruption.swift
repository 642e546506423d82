import Glibc
import Synchronization

/// SIGINT, SIGTERM, SIGHUP, and the signals of a write that fails.
///
/// SIGPIPE and SIGXFSZ are ignored: a reader that hung up shows as `EPIPE`, a file at its limit as `EFBIG`. The first
/// SIGINT, SIGTERM or SIGHUP makes ``count`` 1 and ``descriptor`` readable, so that a wait in poll(2) ends; the second
/// makes it 2. The tool then tidies up, and ``Tool`` ends it by ``raiseAgain()`` where the parent must see the signal.
package enum Interruption {
  private static let signals = Atomic<Int>(0)
  private static let first = Atomic<Int32>(0)
  private static let readEnd = Atomic<Int32>(-1)
  private static let writeEnd = Atomic<Int32>(-1)

  /// How many signals came so far; more than two count as two.
  package static var count: Int { min(2, signals.load(ordering: .acquiring)) }

  /// The signal that came first.
  package static var firstSignal: Int32? {
    let number = first.load(ordering: .acquiring)
    return number == 0 ? nil : number
  }

  /// A descriptor that is readable from the first signal on (nobody reads it); -1 before ``openDescriptor()``.
  package static var descriptor: Int32 { readEnd.load(ordering: .relaxed) }

  private static let handled = [SIGINT, SIGTERM, SIGHUP]

  /// Takes the signals over: the first thing that a command does, so that none of them ends it without an account.
  ///
  /// A signal that the parent had ignored (`nohup`, a shell's background job) stays ignored.
  package static func install() {
    // The accessors run once, so the handler finds every atomic in place: it only loads, stores and writes.
    _ = (count, firstSignal, descriptor, writeEnd.load(ordering: .relaxed))
    for number in handled {
      var action = sigaction()
      unsafe sigaction(number, nil, &action)
      if isIgnoring(action) { continue }
      unsafe action.__sigaction_handler.sa_handler = { Interruption.take($0) }
      action.sa_flags = 0
      unsafe sigemptyset(&action.sa_mask)
      unsafe sigaction(number, &action, nil)
    }
    // A parent that blocks them would leave a tool that nothing but SIGKILL ends.
    var taken = sigset_t()
    unsafe sigemptyset(&taken)
    for number in handled { unsafe sigaddset(&taken, number) }
    unsafe pthread_sigmask(SIG_UNBLOCK, &taken, nil)
    signal(SIGPIPE, SIG_IGN)
    // A file at the limit of its size is then an error of write(2), EFBIG.
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Opens ``descriptor``; once, when the standard descriptors are in place.
  ///
  /// - Throws: ``SystemFailure`` when no pipe can be made.
  package static func openDescriptor() throws(SystemFailure) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw SystemFailure("making a pipe") }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    readEnd.store(ends[0], ordering: .relaxed)
    writeEnd.store(ends[1], ordering: .relaxed)
    // A signal that came before this had nowhere to write.
    if count > 0 { wake() }
  }

  private static func isIgnoring(_ action: sigaction) -> Bool {
    unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  private static func take(_ number: Int32) {
    let saved = errno
    if signals.add(1, ordering: .acquiringAndReleasing).oldValue == 0 {
      first.store(number, ordering: .releasing)
    }
    wake()
    errno = saved
  }

  /// Makes ``descriptor`` readable. One byte is enough; a full pipe is readable already.
  private static func wake() {
    var byte: UInt8 = 1
    _ = unsafe write(writeEnd.load(ordering: .relaxed), &byte, 1)
  }

  /// Forgets the signals that came, for a prompt, where Ctrl-C ends a query and not the session.
  package static func forget() {
    var byte: UInt8 = 0
    while unsafe read(descriptor, &byte, 1) == 1 {}
    first.store(0, ordering: .releasing)
    signals.store(0, ordering: .releasing)
  }

  /// Ends the process by the signal that came first, with its default action.
  package static func raiseAgain() -> Never {
    let number = firstSignal ?? SIGTERM
    signal(number, SIG_DFL)
    raise(number)
    exit(128 + number)
  }
}
