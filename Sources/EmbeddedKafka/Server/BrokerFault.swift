import Plumbing

/// The effect of a requested fault on a Produce or Fetch request.
enum BrokerFault {
  /// Every partition of the request fails with this error.
  case refuse(ErrorCode)
  /// Records are appended, and the connection is closed without a response.
  case loseResponse
  /// The response says that the client is over its quota, and the connection is not read for this
  /// long.
  case throttle(Duration)
  /// During this time, connections are closed at their next request, and new ones at their first.
  case gone(Duration)

  static let corruptBatch = "corrupt-batch"

  static let kinds = [
    FaultKind(
      "not-leader", targets: ["produce", "fetch"],
      meaning: "NOT_LEADER_OR_FOLLOWER (6) for every partition of the request"),
    FaultKind(
      "not-enough-replicas", targets: ["produce"],
      meaning: "NOT_ENOUGH_REPLICAS (19); nothing is appended"),
    FaultKind(
      "lost-ack", targets: ["produce"],
      meaning: "the batch is appended, and the connection ends without an acknowledgement"),
    FaultKind(
      "throttle", .span(), targets: ["produce", "fetch"],
      meaning: "a quota: the response says for how long, and the connection waits as long"),
    FaultKind(
      "broker-gone", .span(), targets: ["produce", "fetch"],
      meaning: "for that long, connections end at their next request and new ones at their first"),
    FaultKind(
      corruptBatch, targets: ["fetch"],
      meaning: "the checksum of a batch is wrong (clients with check.crcs notice)"),
    FaultKind(
      "acl-revoked", targets: ["produce", "fetch"],
      meaning: "TOPIC_AUTHORIZATION_FAILED (29)"),
    FaultKind("policy-violation", targets: ["produce"], meaning: "POLICY_VIOLATION (44)"),
  ]

  /// `nil` for a kind of another server.
  init?(_ fault: Fault) {
    switch fault.kind.name {
    case "not-leader": self = .refuse(.notLeaderOrFollower)
    case "not-enough-replicas": self = .refuse(.notEnoughReplicas)
    case "lost-ack": self = .loseResponse
    case "throttle": self = .throttle(fault.span)
    case "broker-gone": self = .gone(fault.span)
    case "acl-revoked": self = .refuse(.topicAuthorizationFailed)
    case "policy-violation": self = .refuse(.policyViolation)
    default: return nil
    }
  }

  var throttleTime: Duration? {
    if case .throttle(let time) = self { time } else { nil }
  }
}
