package import Plumbing

/// A failure between the producer and the cluster, with its exit status.
package enum KafkaFailure: ToolFailure, Equatable {
  /// No broker answers, or none with a protocol that the client understands.
  case unreachable(brokers: String, reason: String, hint: String? = nil)
  /// The time of `--wait` is used up, for this reason.
  case waitedTooLong(limit: String, reason: String, hints: [String])
  /// The cluster answers, but the topic or the partition does not exist.
  case missing(String)
  /// The cluster refuses the credentials or the operation.
  case refused(String, hint: String?)
  /// librdkafka refuses a setting.
  case badSetting(String)
  /// librdkafka could not start, or the cluster answered with an error.
  case failed(String)
  /// The cluster acknowledged nothing for the time of `--timeout`.
  case gaveUp(limit: String, reason: String, hasReadAll: Bool)
  /// The cluster does not assign the id that an idempotent producer needs.
  case noProducerID(reason: String?)
  /// A signal came before the work began.
  case interrupted

  package var exitStatus: ExitStatus {
    switch self {
    case .unreachable, .missing, .failed, .noProducerID: .unavailable
    case .gaveUp(_, _, let hasReadAll): hasReadAll ? .incomplete : .temporary
    case .waitedTooLong: .temporary
    case .refused: .permission
    case .badSetting: .usage
    case .interrupted: .incomplete
    }
  }

  package var message: String {
    switch self {
    case .unreachable(let brokers, let reason, _): "cannot reach \(brokers): \(reason)"
    case .waitedTooLong(let limit, let reason, _): "gave up after \(limit): \(reason)"
    case .gaveUp(let limit, let reason, let hasReadAll):
      "\(hasReadAll ? "gave up" : "stopped reading"): nothing was acknowledged for \(limit): \(reason)"
    case .noProducerID(let reason):
      "the cluster gives no producer id\(reason.map { " (\($0))" } ?? ""): is a controller down?"
    case .missing(let what), .failed(let what), .badSetting(let what): what
    case .refused(let what, _): what
    case .interrupted: "stopped before anything was read"
    }
  }

  package var hints: [String] {
    switch self {
    case .unreachable(_, _, let hint):
      [hint ?? "set KAFKA_BROKERS, or run this inside 'devstack --'"]
    case .badSetting(let what) where what.contains("enable.idempotence"):
      ["-X enable.idempotence=false allows it; then a retry may duplicate lines"]
    case .gaveUp(_, let reason, _):
      [
        reason.contains("producer id")
          ? Self.withoutProducerID : "--timeout says how long to wait for an acknowledgement"
      ]
    case .noProducerID: [Self.withoutProducerID]
    case .waitedTooLong(_, _, let hints): hints
    case .failed, .badSetting, .interrupted, .missing: []
    case .refused(_, let hint): hint.map { [$0] } ?? []
    }
  }

  private static let withoutProducerID =
    "-X enable.idempotence=false sends without one; then a retry may duplicate lines"

  /// Whether the cluster did not answer at all.
  var isSilence: Bool {
    if case .unreachable(_, "no answer", _) = self { true } else { false }
  }
}
