import Synchronization

/// All consumer groups, and the threads that wait for them.
final class GroupCoordinator: Sendable {
  static let maximumGroupCount = 10_000
  /// A real broker's bounds for the session timeout.
  private static let sessionTimeouts: ClosedRange<Duration> = .seconds(6) ... .seconds(1800)

  private let groups = Mutex<[String: Group]>([:])
  private let nextMember: Atomic<Int64>

  /// - Parameter firstMember: the first number of member ids. It differs in each run, so that a
  ///   member of an earlier broker on this port is not mistaken for one of this broker.
  init(firstMember: Int64) {
    nextMember = Atomic(firstMember)
  }

  /// Calls `body` with a group, after expiring timed-out members.
  private func with<Result>(
    _ id: String, orMake mayMake: Bool = false,
    _ body: (inout Group, ContinuousClock.Instant) throws(ErrorCode) -> Result
  ) throws(ErrorCode) -> Result {
    let outcome = groups.withLock { groups -> Swift.Result<Result, ErrorCode> in
      guard groups[id] != nil || mayMake else { return .failure(.unknownMemberID) }
      guard groups[id] != nil || groups.count < Self.maximumGroupCount else {
        return .failure(.groupMaxSizeReached)
      }
      let now = ContinuousClock.now
      groups[id, default: Group()].expire(now: now)
      do throws(ErrorCode) {
        return .success(try body(&groups[id, default: Group()], now))
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }

  /// The response to a member when a generation begins.
  struct Generation {
    let number: Int32
    let strategy: String
    let leaderID: String
    let memberID: String
    /// All members, for the leader, which assigns partitions to them; empty for other members.
    let members: [(id: String, instanceID: String?, metadata: [UInt8])]
  }

  /// Joins a group, and waits until its next generation begins.
  func join(
    _ id: String, _ application: Group.Application, wakeup: Wakeup
  ) throws(ErrorCode) -> Generation {
    guard !id.isEmpty else { throw .invalidGroupID }
    guard Self.sessionTimeouts.contains(application.sessionTimeout) else {
      throw .invalidSessionTimeout
    }
    guard !application.strategies.isEmpty else { throw .inconsistentGroupProtocol }
    let number = nextMember.wrappingAdd(1, ordering: .relaxed).oldValue
    let memberID = try with(id, orMake: true) { group, now throws(ErrorCode) in
      try group.join(
        application, freshID: "\(application.clientID.prefix(100))-\(number)", wakeup: wakeup,
        now: now)
    }
    while true {
      let (generation, deadline) = try with(id) { group, now throws(ErrorCode) in
        (try Self.generation(of: memberID, in: group), group.nextDeadline(now: now))
      }
      if let generation { return generation }
      if wakeup.wait(until: deadline) == .hungUp {
        // The client never got its id, so it will join as a new member.
        try with(id) { group, now throws(ErrorCode) in
          if application.memberID.isEmpty { try group.leave(memberID, nil, now: now) }
        }
        throw .unknownMemberID
      }
    }
  }

  /// The generation that the member has joined; `nil` while it waits.
  private static func generation(
    of memberID: String, in group: Group
  ) throws(ErrorCode) -> Generation? {
    guard let member = group[memberID] else { throw .unknownMemberID }
    guard !member.isJoining else { return nil }
    let leaderID = member.saidLeader ?? group.leaderID
    let listed = memberID == leaderID ? group.members : []
    return Generation(
      number: group.generation, strategy: group.strategyName, leaderID: leaderID,
      memberID: memberID,
      members: listed.map { member in
        let strategy = member.strategies.first { $0.name == group.strategyName }
        return (member.id, member.instanceID, strategy?.metadata ?? [])
      })
  }

  /// The sender of a request: its group, generation and member id.
  struct Speaker {
    let group: String
    let generation: Int32
    let memberID: String
    var instanceID: String?
  }

  /// Takes the leader's assignments, and waits for this member's assignment.
  func sync(
    _ speaker: Speaker, assignments: [String: [UInt8]], wakeup: Wakeup
  ) throws(ErrorCode) -> [UInt8] {
    try with(speaker.group) { group, now throws(ErrorCode) in
      try group.sync(
        speaker.memberID, speaker.instanceID, generation: speaker.generation,
        assignments: assignments,
        wakeup: wakeup, now: now)
    }
    while true {
      let (assignment, deadline) = try with(speaker.group) { group, now throws(ErrorCode) in
        (
          try group.assignment(of: speaker.memberID, generation: speaker.generation, now: now),
          group.nextDeadline(now: now)
        )
      }
      if let assignment { return assignment }
      if wakeup.wait(until: deadline) == .hungUp {
        try with(speaker.group) { group, now throws(ErrorCode) in
          try group.leave(speaker.memberID, nil, now: now)
        }
        throw .unknownMemberID
      }
    }
  }

  func heartbeat(_ speaker: Speaker) throws(ErrorCode) {
    try with(speaker.group) { group, now throws(ErrorCode) in
      try group.heartbeat(
        speaker.memberID, speaker.instanceID, generation: speaker.generation, now: now)
    }
  }

  func leave(_ id: String, memberID: String, instanceID: String?) throws(ErrorCode) {
    try with(id) { group, now throws(ErrorCode) in
      try group.leave(memberID, instanceID, now: now)
    }
  }

  /// Changes the group's committed offsets, if the sender may commit.
  func commit(
    _ speaker: Speaker, _ change: (inout CommittedOffsets) -> Void
  ) throws(ErrorCode) {
    // A client that is not a member may commit offsets; an empty group is created for them.
    try with(speaker.group, orMake: speaker.generation < 0) { group, _ throws(ErrorCode) in
      try group.checkCommit(
        speaker.memberID, speaker.instanceID, generation: speaker.generation)
      change(&group.offsets)
    }
  }

  /// Every group's id, kind and phase, by id.
  var all: [(id: String, protocolType: String, phase: Group.Phase)] {
    groups.withLock { groups in
      for id in groups.keys { groups[id]?.expire(now: .now) }
      return groups.sorted { $0.key < $1.key }
        .map { ($0.key, $0.value.protocolType, $0.value.phase) }
    }
  }

  /// A snapshot of a group; `nil` when there is no such group.
  func group(_ id: String) -> Group? {
    try? with(id) { group, _ in group }
  }

  /// Deletes a group without members.
  func delete(_ id: String) throws(ErrorCode) {
    let refusal = groups.withLock { groups -> ErrorCode? in
      groups[id]?.expire(now: .now)
      guard let group = groups[id] else { return .groupIDNotFound }
      guard group.members.isEmpty else { return .nonEmptyGroup }
      groups[id] = nil
      return nil
    }
    if let refusal { throw refusal }
  }

  /// Deletes committed offsets of a group without members.
  ///
  /// - Returns: true when the group has members. Nothing is deleted then, because the broker can't
  ///   read from their subscriptions which topics they use.
  func forgetOffsets(
    of id: String, _ change: (inout CommittedOffsets) -> Void
  ) throws(ErrorCode) -> Bool {
    guard group(id) != nil else { throw .groupIDNotFound }
    return try with(id) { group, _ throws(ErrorCode) in
      guard group.members.isEmpty else { return true }
      change(&group.offsets)
      return false
    }
  }

  /// The group's committed offsets; empty when there is no such group.
  func offsets(of id: String) -> CommittedOffsets {
    groups.withLock { $0[id]?.offsets ?? CommittedOffsets() }
  }

  func forget(topic: String) {
    groups.withLock { groups in
      for id in groups.keys { groups[id]?.offsets.forget(topic: topic) }
    }
  }
}
