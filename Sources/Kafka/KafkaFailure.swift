package import Plumbing

/// What can go wrong between us and the cluster, and how the process should end for it.
package enum KafkaFailure: ToolFailure, Equatable {
  /// No broker answers, or none that we understand.
  case unreachable(brokers: String, reason: String, hint: String? = nil)
  /// The time of `--wait` is used up, and this is what stood in the way.
  case waitedInVain(limit: String, reason: String)
  /// The cluster answers, but has no such topic, or no such partition.
  case missing(String)
  /// The cluster refuses who we are, or what we want.
  case refused(String, hint: String?)
  /// The client library refuses a setting.
  case badSetting(String)
  /// The library could not start, or the cluster answered with an error of its own.
  case failed(String)
  /// For the time of `--timeout` the cluster acknowledged nothing.
  case gaveUp(limit: String, reason: String)
  /// A signal came before the work began.
  case interrupted

  package var exitStatus: ExitStatus {
    switch self {
    case .unreachable, .missing, .failed: .unavailable
    case .waitedInVain, .gaveUp: .temporary
    case .refused: .permission
    case .badSetting: .usage
    case .interrupted: .incomplete
    }
  }

  package var message: String {
    switch self {
    case .unreachable(let brokers, let reason, _): "cannot reach \(brokers): \(reason)"
    case .waitedInVain(let limit, let reason): "waited \(limit): \(reason)"
    case .gaveUp(let limit, let reason):
      "stopped reading: nothing was acknowledged for \(limit): \(reason)"
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
      ["-X enable.idempotence=false allows it; then a retry may double lines"]
    case .gaveUp: ["--timeout says how long to try"]
    case .waitedInVain, .failed, .badSetting, .interrupted, .missing: []
    case .refused(_, let hint): hint.map { [$0] } ?? []
    }
  }
}

/// A line that can't be sent, and input that ends with the first of them (`--on-bad stop`).
package struct BadLine: ToolFailure, Equatable {
  /// Counted from 1.
  package let number: Int
  package let reason: Reason

  package var exitStatus: ExitStatus { .input }
  package var message: String { "line \(number): \(reason.words)" }
}
