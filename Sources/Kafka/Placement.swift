/// Where messages without a key go: one partition for about a megabyte or a second, then the next one.
///
/// Full batches for a single partition at a time are what the library and the brokers do best.
struct Placement {
  /// Partitions that have a leader; all of them when none has.
  private var candidates: [Int32]
  private var index: Int
  private var bytes = 0
  private var since = ContinuousClock.now

  /// - Parameter seed: where to begin, so that many short runs spread too.
  init(_ partitions: [Partition], seed: Int) {
    candidates = Self.candidates(of: partitions)
    index = candidates.isEmpty ? 0 : Int(UInt(bitPattern: seed) % UInt(candidates.count))
  }

  private static func candidates(of partitions: [Partition]) -> [Int32] {
    let led = partitions.filter { $0.leader >= 0 }.map(\.number)
    return led.isEmpty ? partitions.map(\.number) : led
  }

  /// Goes on with the partitions as they are now.
  mutating func update(_ partitions: [Partition]) {
    candidates = Self.candidates(of: partitions)
    index %= max(1, candidates.count)
  }

  var current: Int32 { candidates.isEmpty ? 0 : candidates[index] }

  /// Books bytes that went to the current partition.
  mutating func book(_ count: Int) {
    bytes += count
    guard bytes >= 1 << 20 || since.duration(to: .now) > .seconds(1) else { return }
    bytes = 0
    since = .now
    index = (index + 1) % max(1, candidates.count)
  }
}
