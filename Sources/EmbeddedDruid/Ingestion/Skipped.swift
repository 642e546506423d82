/// Counts a topic's messages that did not become rows, and writes the warning about them.
struct Skipped: Equatable {
  var count = 0
  /// The reason for the first one.
  var reason = ""
  var partition = 0
  var offset: Int64 = 0

  mutating func add(_ reason: String, partition: Int, offset: Int64) {
    if count == 0 {
      self.reason = reason
      self.partition = partition
      self.offset = offset
    }
    count += 1
  }

  mutating func add(_ other: Skipped) {
    if count == 0 {
      self = other
    } else {
      count += other.count
    }
  }

  private var place: String { "first at partition \(partition), offset \(offset)" }

  /// The warning.
  func words(_ spec: IngestionSpec) -> String {
    let messages = count == 1 ? "1 message" : "\(count) messages"
    guard let automatic = spec.automaticTime else {
      return "datasource '\(spec.dataSource)': \(messages) of topic '\(spec.topic)' skipped: "
        + "\(reason) (\(place))"
    }
    let start =
      "topic '\(spec.topic)' can't be queried: \(messages) skipped: \(reason) (\(place)); "
    // No option makes rows of a message that is not an object.
    guard reason == automatic.reason else {
      return start + "a message must be one JSON object, or --supervisor must give its format"
    }
    return start + "--datasource '\(spec.topic):COLUMN' names the field with the time, "
      + "'\(spec.topic):message' takes each message's own time"
  }
}
