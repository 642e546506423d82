/// What the tasks of one supervisor read of a topic, finished and running tasks in order.
package struct ReadingHistory: Sendable {
  /// The offsets of one partition that a task read.
  fileprivate struct Stretch {
    let task: Int
    let lower: Int64
    let upper: Int64
    var count: Int64 { upper - lower }
  }

  /// Messages of one partition to account for.
  package struct Wanted: Sendable, Equatable {
    package var first: Int64
    package var last: Int64
    package var count: Int64

    package init(first: Int64, last: Int64, count: Int64) {
      self.first = first
      self.last = last
      self.count = count
    }

    fileprivate func overlaps(_ stretch: Stretch) -> Bool {
      stretch.lower <= last && stretch.upper > first
    }
  }

  package enum Verdict: Sendable, Equatable {
    case read
    /// At least this many of them are unread.
    case unread(Int64)
    /// The known tasks do not show it.
    case unknown
  }

  private let tasks: [ReadingTask]
  private var stretches: [Int: [Stretch]] = [:]

  /// - Parameters:
  ///   - tasks: the oldest first.
  ///   - ends: the final offsets of a supervisor that has no more tasks.
  init(_ tasks: [ReadingTask], ends: Offsets = [:]) {
    self.tasks = tasks
    for partition in Set(tasks.flatMap(\.starts.keys)).union(ends.keys) {
      stretches[partition] = stretches(of: partition, end: ends[partition])
    }
  }

  /// Each task reads from its start to the start of the next, because Druid starts a task where the
  /// previous one ended.
  private func stretches(of partition: Int, end: Int64?) -> [Stretch] {
    var list: [Stretch] = []
    let starts = tasks.enumerated().compactMap { index, task in
      task.starts[partition].map { (task: index, lower: $0) }
    }
    for (place, start) in starts.enumerated() {
      let next = place + 1 < starts.count ? starts[place + 1].lower : end
      let upper = next ?? tasks[start.task].reached?[partition] ?? start.lower
      // Offsets went back: the topic was re-created, or the supervisor was reset. Earlier tasks no
      // longer apply.
      if upper < start.lower {
        list = []
      } else {
        list.append(Stretch(task: start.task, lower: start.lower, upper: upper))
      }
    }
    return list
  }

  /// Whether the messages were read.
  package func verdict(on partition: Int, _ wanted: Wanted) -> Verdict {
    guard let list = stretches[partition], let oldest = list.first, let newest = list.last else {
      return .unread(0)
    }
    guard newest.upper > wanted.last else {
      // After the first offset, other producers' messages may be among these.
      let isDense = wanted.last - wanted.first + 1 == wanted.count
      let isCovered = oldest.lower <= wanted.first
      return .unread(isDense && isCovered ? max(0, newest.upper - wanted.first) : 0)
    }
    let isSound = list.allSatisfy { stretch in
      !wanted.overlaps(stretch) || stretch.count == 0 || !tasks[stretch.task].hasFailed
    }
    return oldest.lower <= wanted.first && isSound ? .read : .unknown
  }

  /// Whether tasks that read the first of the messages are missing.
  func isTooShort(for wanted: [Int: Wanted]) -> Bool {
    wanted.contains { partition, wanted in
      (stretches[partition]?.first?.lower ?? .max) > wanted.first
    }
  }

  /// The counts for the messages. Druid counts by task, so they are known only when the tasks that
  /// read the messages read nothing else.
  package func counts(of wanted: [Int: Wanted]) -> RowCounts? {
    var readers = Set<Int>()
    for (partition, wanted) in wanted {
      for stretch in stretches[partition] ?? [] where wanted.overlaps(stretch) && stretch.count > 0
      {
        readers.insert(stretch.task)
      }
    }
    for (partition, list) in stretches {
      let read = list.filter { readers.contains($0.task) }.reduce(0) { $0 + $1.count }
      guard read == wanted[partition]?.count ?? 0 else { return nil }
    }
    var sum = RowCounts()
    for reader in readers {
      guard let counts = tasks[reader].counts else { return nil }
      sum = sum + counts
    }
    return sum
  }
}
