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
struct Receipt {
  var cluster: String?
  var topic: String
  var started: TimePoint
  var ended: TimePoint
  var tally: Tally
  /// The argument of `--timestamp-field`.
  var timeField: String?
  var offsets: DeliveredOffsets

  var jsonText: String {
    let runs = offsets.partitions.sorted { $0.key < $1.key }
    let first = runs.map(\.value.firstTime).min()
    let last = runs.map(\.value.lastTime).max()
    var times = JSONValue.null
    if let timeField, let first, let last {
      times = .object(["field": .string(timeField), "first": time(first), "last": time(last)])
    }
    return JSONValue.object([
      "version": .integer(1), "tool": .string("kprod"),
      "cluster": cluster.map { .string($0) } ?? .null, "topic": .string(topic),
      "started": .string(started.iso8601), "ended": .string(ended.iso8601),
      "lines": .integer(tally.lines), "bytes": .integer(tally.bytes),
      "delivered": .integer(tally.delivered), "failed": .integer(tally.failed),
      "unknown": .integer(tally.unknown), "reasons": tally.reasons, "times": times,
      "partitions": .array(
        runs.map { number, run in
          .object([
            "partition": .integer(number), "first_offset": offset(run.firstOffset),
            "last_offset": offset(run.lastOffset), "count": .integer(run.count),
            "first_time": time(run.firstTime), "last_time": time(run.lastTime),
          ])
        }),
    ]).jsonText
  }

  private func time(_ milliseconds: Int64) -> JSONValue {
    milliseconds < 0 ? .null : .string(TimePoint(milliseconds: milliseconds).iso8601)
  }

  private func offset(_ number: Int64?) -> JSONValue { number.map { .integer($0) } ?? .null }
}
