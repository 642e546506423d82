import Glibc
import Synchronization

/// Handles SIGINT, SIGTERM, SIGHUP, and the signals of failed writes.
///
/// SIGPIPE and SIGXFSZ are ignored: a closed reader shows as `EPIPE`, a file at its size limit as
/// `EFBIG`. The first SIGINT, SIGTERM or SIGHUP sets ``count`` to 1 and makes ``descriptor``
/// readable, which ends a wait in poll(2); the second sets ``count`` to 2. The tool then finishes,
/// and ``Tool`` ends it with ``raiseAgain()`` where the parent must see the signal.
package enum Interruption {
  private static let signals = Atomic<Int>(0)
  private static let first = Atomic<Int32>(0)
  private static let readEnd = Atomic<Int32>(-1)
  private static let writeEnd = Atomic<Int32>(-1)

  /// How many signals have come, at most 2.
  package static var count: Int { min(2, signals.load(ordering: .acquiring)) }

  /// The signal that came first.
  package static var firstSignal: Int32? {
    let number = first.load(ordering: .acquiring)
    return number == 0 ? nil : number
  }

  /// A descriptor that is readable after the first signal (nobody reads from it); -1 before
  /// ``openDescriptor()``.
  package static var descriptor: Int32 { readEnd.load(ordering: .relaxed) }

  private static let handled = [SIGINT, SIGTERM, SIGHUP]

  /// Installs the handlers. A command does this first, so that no signal ends it without a report.
  ///
  /// A signal that the parent ignores (`nohup`, a shell's background job) stays ignored.
  static func install() {
    // The accessors initialize the atomics here, so the handler only loads, stores and writes.
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
    // Unblock the signals: when the parent blocks them, only SIGKILL could end the tool.
    var taken = sigset_t()
    unsafe sigemptyset(&taken)
    for number in handled { unsafe sigaddset(&taken, number) }
    unsafe pthread_sigmask(SIG_UNBLOCK, &taken, nil)
    signal(SIGPIPE, SIG_IGN)
    // A file at its size limit then shows as an error of write(2), EFBIG.
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Opens ``descriptor``; called once, after the standard descriptors are reserved.
  ///
  /// - Throws: ``SystemFailure`` when the pipe can't be created.
  static func openDescriptor() throws(SystemFailure) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw SystemFailure("making a pipe") }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    readEnd.store(ends[0], ordering: .relaxed)
    writeEnd.store(ends[1], ordering: .relaxed)
    // A signal that came before this point could not be written to the pipe.
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

  /// Makes ``descriptor`` readable. One byte is enough; when the pipe is full, it is readable
  /// already.
  private static func wake() {
    var byte: UInt8 = 1
    _ = unsafe write(writeEnd.load(ordering: .relaxed), &byte, 1)
  }

  /// Waits until a signal comes, at most as long as `limit`.
  package static func wait(_ limit: Duration) {
    // poll ignores a descriptor of -1.
    var signal = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    _ = unsafe poll(&signal, 1, limit.pollMilliseconds)
  }

  /// Resets the signals for a prompt, where Ctrl-C ends a query and not the session.
  package static func forget() {
    var byte: UInt8 = 0
    while unsafe read(descriptor, &byte, 1) == 1 {}
    first.store(0, ordering: .releasing)
    signals.store(0, ordering: .releasing)
  }

  /// Ends the process by the first signal, with its default action.
  static func raiseAgain() -> Never {
    let number = firstSignal ?? SIGTERM
    signal(number, SIG_DFL)
    raise(number)
    exit(128 + number)
  }
}
