import Foundation

/// Rounds of random input, for `FUZZ_SECONDS` (2), with the seed `FUZZ_SEED` (a new one each time
/// by default).
package enum Fuzzing {
  package static let seed =
    setting("FUZZ_SEED", UInt64.init) ?? UInt64.random(in: .min ... .max)

  /// The seed is printed before the rounds, so it is known even when a round traps.
  ///
  /// - Parameters:
  ///   - share: the fraction of the time for these rounds.
  ///   - least: rounds that are run even when the time is up.
  package static func run(
    _ what: String, share: Double = 1, atLeast least: Int = 1,
    _ round: (inout SeededGenerator) throws -> Void
  ) rethrows {
    print("\(what): FUZZ_SEED=\(seed)")
    var generator = SeededGenerator(seed: seed)
    let seconds = setting("FUZZ_SECONDS", Double.init) ?? 2
    let end = ContinuousClock.now + .seconds(seconds * share)
    var rounds = 0
    repeat {
      try round(&generator)
      rounds += 1
    } while rounds < least || ContinuousClock.now < end
  }

  private static func setting<Value>(_ name: String, _ read: (String) -> Value?) -> Value? {
    ProcessInfo.processInfo.environment[name].flatMap(read)
  }
}
