internal import Plumbing

/// What a producer learns from outside: the time, and the signals to stop.
package struct Surroundings: Sendable {
  var now: @Sendable () -> ContinuousClock.Instant
  /// The number of signals: after one the producer finishes, after two it gives up.
  var signals: @Sendable () -> Int
  /// Readable after the first signal; -1 for none.
  var signalDescriptor: Int32

  init(
    now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
    signals: @escaping @Sendable () -> Int = { 0 }, signalDescriptor: Int32 = -1
  ) {
    self.now = now
    self.signals = signals
    self.signalDescriptor = signalDescriptor
  }

  /// The clock of this machine and the signals of this process.
  static var process: Surroundings {
    Surroundings(
      signals: { Interruption.count }, signalDescriptor: Interruption.descriptor)
  }
}
