/// What Kafka's protocol calls the ways a request can fail; the raw value is what travels.
enum ErrorCode: Int16, Error {
  case none = 0
  case offsetOutOfRange = 1
  case corruptMessage = 2
  case unknownTopicOrPartition = 3
  case messageTooLarge = 10
  case offsetMetadataTooLarge = 12
  case invalidTopic = 17
  case invalidRequiredAcks = 21
  case illegalGeneration = 22
  case inconsistentGroupProtocol = 23
  case invalidGroupID = 24
  case unknownMemberID = 25
  case invalidSessionTimeout = 26
  case rebalanceInProgress = 27
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
  case storageError = 56
  case unknownProducerID = 59
  case fetchSessionIDNotFound = 70
  case fencedLeaderEpoch = 74
  case unknownLeaderEpoch = 75
  case unsupportedCompressionType = 76
  case groupMaxSizeReached = 81
  case fencedInstanceID = 82
  case invalidRecord = 87
}
