/// The error codes of Kafka's protocol. The raw value is the protocol's number.
enum ErrorCode: Int16, Error {
  case none = 0
  case offsetOutOfRange = 1
  case corruptMessage = 2
  case unknownTopicOrPartition = 3
  case notLeaderOrFollower = 6
  case messageTooLarge = 10
  case offsetMetadataTooLarge = 12
  case invalidTopic = 17
  case notEnoughReplicas = 19
  case invalidRequiredAcks = 21
  case illegalGeneration = 22
  case inconsistentGroupProtocol = 23
  case invalidGroupID = 24
  case unknownMemberID = 25
  case invalidSessionTimeout = 26
  case rebalanceInProgress = 27
  case topicAuthorizationFailed = 29
  case invalidTimestamp = 32
  case unsupportedVersion = 35
  case topicAlreadyExists = 36
  case invalidPartitions = 37
  case invalidReplicationFactor = 38
  case invalidReplicaAssignment = 39
  case invalidConfig = 40
  case invalidRequest = 42
  case policyViolation = 44
  case outOfOrderSequenceNumber = 45
  case invalidProducerEpoch = 47
  case invalidTransactionState = 48
  case transactionalIDAuthorizationFailed = 53
  case securityDisabled = 54
  case storageError = 56
  case unknownProducerID = 59
  case nonEmptyGroup = 68
  case groupIDNotFound = 69
  case fetchSessionIDNotFound = 70
  case unknownLeaderEpoch = 75
  case unsupportedCompressionType = 76
  case groupMaxSizeReached = 81
  case fencedInstanceID = 82
  case groupSubscribedToTopic = 86
  case invalidRecord = 87

  /// The code with which a response says how `body` ended: its error, or ``none``.
  static func of(_ body: () throws(ErrorCode) -> Void) -> ErrorCode {
    do throws(ErrorCode) { try body() } catch { return error }
    return .none
  }
}
