/// A topic's settings, with the names and defaults of a real broker.
///
/// Most settings concern files, cleaning and replicas, which this broker does not have. They are
/// stored and shown. A setting that would have to change what clients see is refused.
struct TopicSettings {
  /// The protocol's types of values.
  enum Kind: Int8 {
    case boolean = 1
    case string = 2
    case int = 3
    case long = 5
    case double = 6
    case list = 7
  }

  struct Definition {
    let name: String
    let kind: Kind
    let standard: String
    /// Whether only the default value is accepted, because other values need unsupported features.
    let isFixed: Bool

    init(_ name: String, _ kind: Kind, _ standard: String, isFixed: Bool = false) {
      self.name = name
      self.kind = kind
      self.standard = standard
      self.isFixed = isFixed
    }
  }

  private static let forever = "9223372036854775807"

  static let definitions = [
    Definition("cleanup.policy", .list, "delete"),
    Definition("compression.gzip.level", .int, "-1"),
    Definition("compression.lz4.level", .int, "9"),
    Definition("compression.type", .string, "producer"),
    Definition("compression.zstd.level", .int, "3"),
    Definition("delete.retention.ms", .long, "86400000"),
    Definition("file.delete.delay.ms", .long, "60000"),
    Definition("flush.messages", .long, forever),
    Definition("flush.ms", .long, forever),
    Definition("follower.replication.throttled.replicas", .list, ""),
    Definition("index.interval.bytes", .int, "4096"),
    Definition("leader.replication.throttled.replicas", .list, ""),
    Definition("local.retention.bytes", .long, "-2"),
    Definition("local.retention.ms", .long, "-2"),
    Definition("max.compaction.lag.ms", .long, forever),
    Definition("max.message.bytes", .int, String(BatchHeader.maximumBatchSize)),
    Definition("message.timestamp.after.max.ms", .long, "3600000"),
    Definition("message.timestamp.before.max.ms", .long, forever),
    Definition("message.timestamp.type", .string, "CreateTime", isFixed: true),
    Definition("min.cleanable.dirty.ratio", .double, "0.5"),
    Definition("min.compaction.lag.ms", .long, "0"),
    Definition("min.insync.replicas", .int, "1", isFixed: true),
    Definition("preallocate", .boolean, "false"),
    Definition("remote.log.copy.disable", .boolean, "false"),
    Definition("remote.log.delete.on.disable", .boolean, "false"),
    Definition("remote.storage.enable", .boolean, "false", isFixed: true),
    Definition("retention.bytes", .long, "-1"),
    Definition("retention.ms", .long, "-1"),
    Definition("segment.bytes", .int, "1073741824"),
    Definition("segment.index.bytes", .int, "10485760"),
    Definition("segment.jitter.ms", .long, "0"),
    Definition("segment.ms", .long, "604800000"),
    Definition("unclean.leader.election.enable", .boolean, "false"),
  ]

  /// The values that were set, by name.
  private(set) var values: [String: String] = [:] {
    didSet {
      maximumBatchSize = number("max.message.bytes").map { Int($0) } ?? BatchHeader.maximumBatchSize
      after = number("message.timestamp.after.max.ms") ?? 3_600_000
      before = number("message.timestamp.before.max.ms") ?? .max
      isCompacted = values["cleanup.policy"]?.split(separator: ",").contains("compact") ?? false
    }
  }
  /// Maximum size of a batch: the setting `max.message.bytes`.
  private(set) var maximumBatchSize = BatchHeader.maximumBatchSize
  /// How far a record's timestamp may be after and before the broker's time, in milliseconds.
  private var after: Int64 = 3_600_000
  private var before = Int64.max
  private var isCompacted = false

  private func number(_ name: String) -> Int64? { values[name].flatMap { Int64($0) } }

  /// The checks of records that arrive at `now`, in milliseconds since 1970.
  func rules(now: Int64) -> RecordCheck.Rules {
    let (earliest, underflows) = now.subtractingReportingOverflow(before)
    let (latest, overflows) = now.addingReportingOverflow(after)
    return RecordCheck.Rules(
      times: (underflows ? .min : earliest)...(overflows ? .max : latest), needsKeys: isCompacted)
  }

  /// The kind of change. The raw value is the protocol's.
  enum Change: Int8 {
    case set = 0
    case delete = 1
    case append = 2
    case subtract = 3
  }

  /// Sets all of them.
  ///
  /// - Returns: the error message for the first invalid one; `nil` when all are valid.
  mutating func firstComplaint(setting wishes: [(name: String, value: String?)]) -> String? {
    for wish in wishes {
      if let complaint = change(wish.name, wish.value == nil ? .delete : .set, wish.value ?? "") {
        return complaint
      }
    }
    return nil
  }

  /// Changes one setting.
  ///
  /// - Returns: an error message, or `nil` when the change is valid.
  mutating func change(_ name: String, _ change: Change, _ value: String) -> String? {
    guard let definition = Self.definitions.first(where: { $0.name == name }) else {
      return "Unknown topic config name: \(name)"
    }
    guard change != .delete else {
      values[name] = nil
      return nil
    }
    var value = value
    if change != .set {
      guard definition.kind == .list else {
        return "Config value append is not allowed for config key: \(name)"
      }
      value = combined(values[name] ?? definition.standard, change, value)
    }
    guard Self.isValid(value, definition) else {
      return "Invalid value \(value) for configuration \(name)"
    }
    guard !definition.isFixed || value == definition.standard else {
      return "devstack serves \(name)=\(definition.standard) alone"
    }
    values[name] = value
    return nil
  }

  private func combined(_ old: String, _ change: Change, _ value: String) -> String {
    let named = value.split(separator: ",")
    let kept = old.split(separator: ",").filter { !named.contains($0) }
    return (change == .append ? kept + named : kept).joined(separator: ",")
  }

  private static func isValid(_ value: String, _ definition: Definition) -> Bool {
    switch definition.name {
    case "cleanup.policy":
      let policies = value.split(separator: ",")
      return !policies.isEmpty && policies.allSatisfy { $0 == "delete" || $0 == "compact" }
    case "compression.type":
      return ["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"].contains(value)
    case "message.timestamp.type": return ["CreateTime", "LogAppendTime"].contains(value)
    case "max.message.bytes": return Int32(value).map { $0 >= 0 } ?? false
    case "message.timestamp.after.max.ms", "message.timestamp.before.max.ms":
      return Int64(value).map { $0 >= 0 } ?? false
    case "retention.ms", "retention.bytes": return Int64(value).map { $0 >= -1 } ?? false
    default: break
    }
    switch definition.kind {
    case .boolean: return value == "true" || value == "false"
    case .int: return Int32(value) != nil
    case .long: return Int64(value) != nil
    case .double: return Double(value) != nil
    case .string, .list: return true
    }
  }
}
