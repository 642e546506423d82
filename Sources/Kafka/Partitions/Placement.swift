/// Chooses partitions for messages without a key: one partition for about a megabyte or a second,
/// then the next.
///
/// librdkafka and the brokers are most efficient with full batches for one partition at a time.
struct Placement {
  /// The partitions that have a leader, or all partitions when none has.
  private var candidates: [Int32]
  private var index: Int
  private var bytes = 0
  private var since = ContinuousClock.now

  /// - Parameter seed: the partition to begin with, so that many short runs use all partitions.
  init(_ partitions: [Partition], seed: Int) {
    candidates = Self.candidates(of: partitions)
    index = candidates.isEmpty ? 0 : Int(UInt(bitPattern: seed) % UInt(candidates.count))
  }

  private static func candidates(of partitions: [Partition]) -> [Int32] {
    let led = partitions.filter { $0.leader >= 0 }.map(\.number)
    return led.isEmpty ? partitions.map(\.number) : led
  }

  /// Continues with an updated list of partitions.
  mutating func update(_ partitions: [Partition]) {
    candidates = Self.candidates(of: partitions)
    index %= max(1, candidates.count)
  }

  var current: Int32 { candidates.isEmpty ? 0 : candidates[index] }

  /// Counts bytes that went to the current partition.
  mutating func book(_ count: Int) {
    bytes += count
    guard bytes >= 1 << 20 || since.duration(to: .now) > .seconds(1) else { return }
    bytes = 0
    since = .now
    index = (index + 1) % max(1, candidates.count)
  }
}
