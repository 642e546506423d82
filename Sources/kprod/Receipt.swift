import Glibc
import Kafka
import Plumbing

/// The offsets and times of delivered messages, per partition.
struct DeliveredOffsets: Equatable {
  struct Run: Equatable {
    var firstOffset: Int64?
    var lastOffset: Int64?
    var count = 0
    var firstTime = Int64.max
    var lastTime = Int64.min

    mutating func note(time: Int64) {
      firstTime = min(firstTime, time)
      lastTime = max(lastTime, time)
    }
  }

  private(set) var partitions: [Int32: Run] = [:]

  mutating func note(partition: Int32, firstOffset: Int64?, count: Int, milliseconds: Int64) {
    var run = partitions[partition] ?? Run()
    run.count += count
    run.note(time: milliseconds)
    if let firstOffset {
      run.firstOffset = min(run.firstOffset ?? firstOffset, firstOffset)
      let last = firstOffset + Int64(count) - 1
      run.lastOffset = max(run.lastOffset ?? last, last)
    }
    partitions[partition] = run
  }

  mutating func noteTime(_ milliseconds: Int64, in partition: Int32) {
    partitions[partition]?.note(time: milliseconds)
  }
}

/// The object of `--receipt`: the offsets that hold the lines of this run.
///
/// Version 1 is about one topic. Version 2 has a list of topics, for lines that name theirs.
struct Receipt {
  var cluster: String?
  var started: TimePoint
  var ended: TimePoint
  var tally: Tally
  /// The argument of `--timestamp-field`.
  var timeField: String?
  /// What each topic took; one without deliveries stands there as well.
  var deliveries: [TopicDelivery]
  /// Whether lines named their topics.
  var hasTopics: Bool

  var jsonText: String {
    var members: [JSONValue.Member] = [
      .init(key: "version", value: .integer(hasTopics ? 2 : 1)),
      .init(key: "tool", value: .string("kprod")),
      .init(key: "cluster", value: cluster.map { .string($0) } ?? .null),
    ]
    if !hasTopics {
      members.append(.init(key: "topic", value: .string(deliveries.first?.topic ?? "")))
    }
    members += [
      .init(key: "started", value: .string(started.iso8601)),
      .init(key: "ended", value: .string(ended.iso8601)),
      .init(key: "lines", value: .integer(tally.lines)),
      .init(key: "bytes", value: .integer(tally.bytes)),
      .init(key: "delivered", value: .integer(tally.delivered)),
      .init(key: "failed", value: .integer(tally.failed)),
      .init(key: "unknown", value: .integer(tally.unknown)),
      .init(key: "reasons", value: tally.reasons),
    ]
    if hasTopics {
      let topics = deliveries.map { delivery in
        JSONValue.object([
          "topic": .string(delivery.topic), "delivered": .integer(delivery.count),
          "times": times(of: delivery.offsets), "partitions": partitions(of: delivery.offsets),
        ])
      }
      members.append(.init(key: "topics", value: .array(topics)))
    } else {
      let offsets = deliveries.first?.offsets ?? DeliveredOffsets()
      members.append(.init(key: "times", value: times(of: offsets)))
      members.append(.init(key: "partitions", value: partitions(of: offsets)))
    }
    return JSONValue.object(members).jsonText
  }

  private func times(of offsets: DeliveredOffsets) -> JSONValue {
    let first = offsets.partitions.map(\.value.firstTime).min()
    let last = offsets.partitions.map(\.value.lastTime).max()
    guard let timeField, let first, let last else { return .null }
    return .object(["field": .string(timeField), "first": time(first), "last": time(last)])
  }

  private func partitions(of offsets: DeliveredOffsets) -> JSONValue {
    .array(
      offsets.partitions.sorted { $0.key < $1.key }.map { number, run in
        .object([
          "partition": .integer(number), "first_offset": offset(run.firstOffset),
          "last_offset": offset(run.lastOffset), "count": .integer(run.count),
          "first_time": time(run.firstTime), "last_time": time(run.lastTime),
        ])
      })
  }

  private func time(_ milliseconds: Int64) -> JSONValue {
    milliseconds < 0 ? .null : .string(TimePoint(milliseconds: milliseconds).iso8601)
  }

  private func offset(_ number: Int64?) -> JSONValue { number.map { .integer($0) } ?? .null }
}
