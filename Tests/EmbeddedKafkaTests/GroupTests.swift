import Testing

@testable import EmbeddedKafka

@Suite struct GroupTests {
  private let start = ContinuousClock.now

  private func application(
    _ id: String = "", instance: String? = nil, strategies: [String] = ["range"],
    protocolType: String = "consumer"
  ) -> Group.Application {
    Group.Application(
      memberID: id, instanceID: instance, sessionTimeout: .seconds(10),
      rebalanceTimeout: .seconds(30), protocolType: protocolType,
      strategies: strategies.map { Group.Strategy(name: $0, metadata: []) })
  }

  /// A group with assignments for members a and b, in generation 2.
  private func stableGroup() throws -> Group {
    var group = Group()
    _ = try group.join(application(), freshID: "a", wakeup: nil, now: start)
    _ = try group.join(application(), freshID: "b", wakeup: nil, now: start)
    _ = try group.join(application("a"), freshID: "", wakeup: nil, now: start)
    try assign(&group, ["a", "b"])
    return group
  }

  private func assign(_ group: inout Group, _ ids: [String]) throws {
    let assignments = Dictionary(uniqueKeysWithValues: ids.map { ($0, Array($0.utf8)) })
    for id in ids {
      try group.sync(
        id, nil, generation: group.generation,
        assignments: id == group.leaderID ? assignments : [:],
        wakeup: nil, now: start)
    }
    for id in ids {
      #expect(
        try group.assignment(of: id, generation: group.generation, now: start) == Array(id.utf8))
    }
  }

  @Test func theFirstLeadsAndOthersShare() throws {
    let group = try stableGroup()
    #expect(group.phase == .stable)
    #expect(group.generation == 2)
    #expect(group.leaderID == "a")
    #expect(group.strategyName == "range")
  }

  @Test func aNewMemberMakesTheOthersJoinAgain() throws {
    var group = try stableGroup()
    _ = try group.join(application(), freshID: "c", wakeup: nil, now: start)
    #expect(group["c"]?.isJoining == true)
    #expect(throws: ErrorCode.rebalanceInProgress) {
      try group.heartbeat("a", nil, generation: 2, now: start)
    }
    // Members of the old generation may still commit.
    try group.checkCommit("a", nil, generation: 2)
    _ = try group.join(application("a"), freshID: "", wakeup: nil, now: start)
    _ = try group.join(application("b"), freshID: "", wakeup: nil, now: start)
    #expect(group.generation == 3)
    #expect(throws: ErrorCode.illegalGeneration) {
      try group.heartbeat("a", nil, generation: 2, now: start)
    }
    #expect(throws: ErrorCode.illegalGeneration) {
      try group.checkCommit("a", nil, generation: 2)
    }
    try assign(&group, ["a", "b", "c"])
  }

  @Test func aSilentMemberIsDropped() throws {
    var group = try stableGroup()
    try group.heartbeat("a", nil, generation: 2, now: start + .seconds(8))
    group.expire(now: start + .seconds(11))
    #expect(group.members.map { $0.id } == ["a"])
    #expect(throws: ErrorCode.unknownMemberID) {
      try group.heartbeat("b", nil, generation: 2, now: start + .seconds(11))
    }
    _ = try group.join(application("a"), freshID: "", wakeup: nil, now: start + .seconds(11))
    #expect(group.phase == .syncing)
    #expect(group.generation == 3)
  }

  @Test func theSlowestHasItsTimeToJoin() throws {
    var group = try stableGroup()
    _ = try group.join(application(), freshID: "c", wakeup: nil, now: start)
    for second in [5, 10, 15, 20, 25] {
      // b sends heartbeats but does not rejoin.
      #expect(throws: ErrorCode.rebalanceInProgress) {
        try group.heartbeat("b", nil, generation: 2, now: start + .seconds(second))
      }
      group.expire(now: start + .seconds(second))
    }
    #expect(group.nextDeadline(now: start + .seconds(25)) == start + .seconds(30))
    group.expire(now: start + .seconds(30))
    #expect(group.members.map { $0.id } == ["c"])
    #expect(group.leaderID == "c")
    #expect(group.phase == .syncing)
  }

  @Test func leavingEmptiesAndKeepsOffsets() throws {
    var group = try stableGroup()
    group.offsets["t", 1] = CommittedOffsets.Position(
      offset: 5, leaderEpoch: 0, metadata: nil)
    try group.leave("a", nil, now: start)
    #expect(group.phase == .joining(until: start + .seconds(30)))
    try group.leave("b", nil, now: start)
    #expect(group.phase == .empty)
    #expect(group.offsets["t", 1]?.offset == 5)
    #expect(throws: ErrorCode.unknownMemberID) { try group.leave("b", nil, now: start) }
    // Without members any client may commit offsets; with members only they may.
    try group.checkCommit("", nil, generation: -1)
    let busy = try stableGroup()
    #expect(throws: ErrorCode.unknownMemberID) {
      try busy.checkCommit("", nil, generation: -1)
    }
  }

  @Test func strategiesMustMeet() throws {
    var group = Group()
    _ = try group.join(
      application(strategies: ["sticky", "range"]), freshID: "a", wakeup: nil, now: start)
    #expect(throws: ErrorCode.inconsistentGroupProtocol) {
      try group.join(
        application(strategies: ["odd"]), freshID: "b", wakeup: nil, now: start)
    }
    #expect(throws: ErrorCode.inconsistentGroupProtocol) {
      try group.join(
        application(protocolType: "connect"), freshID: "b", wakeup: nil, now: start)
    }
    _ = try group.join(application(), freshID: "b", wakeup: nil, now: start)
    _ = try group.join(
      application("a", strategies: ["sticky", "range"]), freshID: "", wakeup: nil, now: start)
    #expect(group.strategyName == "range")
  }

  @Test func anInstanceReplacesItsFormerSelf() throws {
    var group = Group()
    _ = try group.join(application(instance: "one"), freshID: "a", wakeup: nil, now: start)
    _ = try group.join(application(instance: "one"), freshID: "b", wakeup: nil, now: start)
    #expect(group.members.map { $0.id } == ["b"])
    #expect(throws: ErrorCode.fencedInstanceID) {
      try group.heartbeat("a", "one", generation: 2, now: start)
    }
    try group.leave("", "one", now: start)
    #expect(group.phase == .empty)
  }

  @Test func anInstanceComesBackUnnoticed() throws {
    var group = Group()
    _ = try group.join(application(instance: "one"), freshID: "a", wakeup: nil, now: start)
    _ = try group.join(application(instance: "two"), freshID: "b", wakeup: nil, now: start)
    _ = try group.join(application("a", instance: "one"), freshID: "", wakeup: nil, now: start)
    try assign(&group, ["a", "b"])
    // The leader keeps its assignment. The response does not name it as leader, so that it does not
    // assign again.
    let again = try group.join(
      application(instance: "one"), freshID: "c", wakeup: nil, now: start)
    #expect(again == "c" && group.phase == .stable && group.generation == 2)
    #expect(group.leaderID == "c" && group["c"]?.saidLeader == "a")
    #expect(try group.assignment(of: "c", generation: 2, now: start) == Array("a".utf8))
    #expect(throws: ErrorCode.fencedInstanceID) {
      try group.heartbeat("a", "one", generation: 2, now: start)
    }
    // A member that does not support the strategy causes a rebalance.
    _ = try? group.join(
      application(instance: "two", strategies: ["sticky"]), freshID: "d", wakeup: nil, now: start)
    #expect(group.members.map { $0.id } == ["c", "b"])
    _ = try group.join(
      application(instance: "two", strategies: ["range", "x"]), freshID: "d", wakeup: nil,
      now: start)
    #expect(group.members.map { $0.id } == ["c", "d"])
    #expect(group.phase == .stable)
  }

  @Test func aMemberThatMissedTheAnswerGetsItAgain() throws {
    var group = try stableGroup()
    _ = try group.join(application("b"), freshID: "", wakeup: nil, now: start)
    #expect(group.phase == .stable)
    #expect(group["b"]?.isJoining == false)
    #expect(try group.assignment(of: "b", generation: 2, now: start) == Array("b".utf8))
  }

  @Test func endsWhoSyncsInAnotherGeneration() throws {
    var group = try stableGroup()
    #expect(throws: ErrorCode.illegalGeneration) {
      try group.sync("b", nil, generation: 1, assignments: [:], wakeup: nil, now: start)
    }
    #expect(throws: ErrorCode.unknownMemberID) {
      try group.sync("z", nil, generation: 2, assignments: [:], wakeup: nil, now: start)
    }
  }
}
