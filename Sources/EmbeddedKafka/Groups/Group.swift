/// A consumer group: members that share partitions among themselves. Pure: the time is an argument.
///
/// A rebalance has two phases. While *joining*, members ask to join. When all known members have
/// done so, or the rebalance timeout is over, a generation begins and its leader assigns the
/// partitions. Until the leader has done so, the group is *syncing*.
struct Group {
  typealias Instant = ContinuousClock.Instant

  enum Phase: Equatable {
    case empty, syncing, stable
    case joining(until: Instant)
  }

  /// An assignment strategy that a member supports, with its metadata for the leader.
  struct Strategy: Equatable {
    let name: String
    let metadata: [UInt8]
  }

  struct Member {
    let id: String
    /// `group.instance.id` of a static member, which keeps its assignment over a restart.
    let instanceID: String?
    let clientID: String
    var sessionTimeout: Duration
    var rebalanceTimeout: Duration
    var strategies: [Strategy]
    /// When the session times out unless the member sends another request.
    var deadline: Instant
    /// Whether it waits for the response to JoinGroup or SyncGroup. It sends no heartbeats
    /// meanwhile.
    var isJoining = false
    var isSyncing = false
    var wakeup: Wakeup?
    var assignment: [UInt8] = []
    /// The leader to name in the response, if not the real one. A leader that restarts as a static
    /// member keeps its assignment and must not assign again.
    var saidLeader: String?

    /// Answers its JoinGroup request.
    fileprivate mutating func endJoining(_ now: Instant) {
      isJoining = false
      saidLeader = nil
      assignment = []
      deadline = now + sessionTimeout
      wakeup?.signal()
    }
  }

  /// A member's JoinGroup request.
  struct Application {
    var clientID = ""
    var memberID: String
    var instanceID: String?
    var sessionTimeout: Duration
    var rebalanceTimeout: Duration
    var protocolType: String
    var strategies: [Strategy]
  }

  static let maximumMemberCount = 1000

  private(set) var phase = Phase.empty
  private(set) var generation: Int32 = 0
  private(set) var protocolType = ""
  private(set) var strategyName = ""
  private(set) var leaderID = ""
  private(set) var members: [Member] = []
  /// The committed offsets, at which new members start.
  var offsets = CommittedOffsets()

  private func index(of id: String) -> Int? {
    members.firstIndex { $0.id == id }
  }

  subscript(id: String) -> Member? {
    index(of: id).map { members[$0] }
  }

  /// The index of the member that a request names, if the request may act for it.
  private func check(_ id: String, _ instanceID: String?) throws(ErrorCode) -> Int {
    if let instanceID, let holder = members.first(where: { $0.instanceID == instanceID }),
      holder.id != id
    {
      throw .fencedInstanceID
    }
    guard let index = index(of: id) else { throw .unknownMemberID }
    return index
  }

  // MARK: Joining

  /// Adds a member, or lets a known one rejoin.
  ///
  /// - Parameter freshID: the id for a member without one.
  /// - Returns: its id. The member waits until it is no longer ``Member/isJoining``.
  mutating func join(
    _ application: Application, freshID: String, wakeup: Wakeup?, now: Instant
  ) throws(ErrorCode) -> String {
    if !members.isEmpty {
      guard application.protocolType == protocolType, common(with: application) else {
        throw .inconsistentGroupProtocol
      }
    }
    let id: String
    if application.memberID.isEmpty {
      if let kept = comeBack(application, freshID: freshID, now: now) { return kept }
      id = try admit(application, freshID: freshID, now: now)
    } else {
      id = application.memberID
      let member = members[try check(id, application.instanceID)]
      // The member repeats its request because it missed the response.
      let isSettled = phase == .syncing || (phase == .stable && id != leaderID)
      if isSettled && member.strategies == application.strategies { return id }
    }
    protocolType = application.protocolType
    update(id) { member in
      member.sessionTimeout = application.sessionTimeout
      member.rebalanceTimeout = application.rebalanceTimeout
      member.strategies = application.strategies
      member.isJoining = true
      member.wakeup = wakeup
    }
    startJoining(now)
    endJoiningIfReady(now)
    return id
  }

  /// Lets a static member take its old place without a rebalance, if the group is stable and the
  /// member still supports the strategy in use.
  private mutating func comeBack(
    _ application: Application, freshID: String, now: Instant
  ) -> String? {
    guard phase == .stable, let instanceID = application.instanceID,
      let index = members.firstIndex(where: { $0.instanceID == instanceID })
    else { return nil }
    let before = members[index]
    let oldLeader = leaderID
    members[index] = Member(
      id: freshID, instanceID: instanceID, clientID: application.clientID,
      sessionTimeout: application.sessionTimeout, rebalanceTimeout: application.rebalanceTimeout,
      strategies: application.strategies, deadline: now + application.sessionTimeout,
      assignment: before.assignment)
    if before.id == leaderID { leaderID = freshID }
    guard choice() == strategyName else {
      members[index] = before
      leaderID = oldLeader
      return nil
    }
    // A process that still uses the old id is fenced.
    before.wakeup?.signal()
    if before.id == oldLeader { members[index].saidLeader = oldLeader }
    return freshID
  }

  private mutating func admit(
    _ application: Application, freshID: String, now: Instant
  ) throws(ErrorCode) -> String {
    guard members.count < Self.maximumMemberCount else { throw .groupMaxSizeReached }
    if let instanceID = application.instanceID,
      let before = members.firstIndex(where: { $0.instanceID == instanceID })
    {
      // The member has restarted. A process that still uses the old id is fenced.
      members.remove(at: before).wakeup?.signal()
    }
    members.append(
      Member(
        id: freshID, instanceID: application.instanceID, clientID: application.clientID,
        sessionTimeout: application.sessionTimeout, rebalanceTimeout: application.rebalanceTimeout,
        strategies: application.strategies, deadline: now + application.sessionTimeout))
    return freshID
  }

  private func common(with application: Application) -> Bool {
    application.strategies.contains { strategy in
      members.allSatisfy { member in
        member.id == application.memberID
          || member.strategies.contains { $0.name == strategy.name }
      }
    }
  }

  private mutating func startJoining(_ now: Instant) {
    if case .joining = phase { return }
    let patience = members.map { $0.rebalanceTimeout }.max() ?? .zero
    phase = .joining(until: now + patience)
    // Members that wait for an assignment are told about the rebalance.
    for member in members where member.isSyncing { member.wakeup?.signal() }
  }

  private mutating func endJoiningIfReady(_ now: Instant) {
    guard case .joining(let deadline) = phase else { return }
    if now >= deadline { members.removeAll { !$0.isJoining } }
    if members.allSatisfy(\.isJoining) { startGeneration(now) }
  }

  private mutating func startGeneration(_ now: Instant) {
    generation &+= 1
    phase = members.isEmpty ? .empty : .syncing
    if self[leaderID] == nil { leaderID = members.first?.id ?? "" }
    strategyName = choice()
    for index in members.indices { members[index].endJoining(now) }
  }

  /// The strategy to use: the first of the leader's that all members support.
  private func choice() -> String {
    let liked = self[leaderID]?.strategies ?? []
    let known = liked.first { strategy in
      members.allSatisfy { $0.strategies.contains { $0.name == strategy.name } }
    }
    return known?.name ?? ""
  }

  private mutating func update(_ id: String, _ change: (inout Member) -> Void) {
    if let index = index(of: id) { change(&members[index]) }
  }

  // MARK: Syncing

  /// Handles SyncGroup, which from the leader carries the assignments of all members.
  ///
  /// The member waits until it has an ``assignment(of:generation:now:)``.
  mutating func sync(
    _ id: String, _ instanceID: String?, generation: Int32, assignments: [String: [UInt8]],
    wakeup: Wakeup?, now: Instant
  ) throws(ErrorCode) {
    let index = try check(id, instanceID)
    guard generation == self.generation else { throw .illegalGeneration }
    if case .joining = phase { throw .rebalanceInProgress }
    members[index].isSyncing = true
    members[index].wakeup = wakeup
    guard id == leaderID, phase == .syncing else { return }
    phase = .stable
    for index in members.indices {
      members[index].assignment = assignments[members[index].id] ?? []
      members[index].deadline = now + members[index].sessionTimeout
      if members[index].isSyncing { members[index].wakeup?.signal() }
    }
  }

  /// What the leader assigned to the member; `nil` until it has assigned.
  mutating func assignment(
    of id: String, generation: Int32, now: Instant
  ) throws(ErrorCode) -> [UInt8]? {
    guard let index = index(of: id) else { throw .unknownMemberID }
    if phase == .syncing && generation == self.generation { return nil }
    members[index].isSyncing = false
    members[index].deadline = now + members[index].sessionTimeout
    guard phase == .stable, generation == self.generation else { throw .rebalanceInProgress }
    return members[index].assignment
  }

  // MARK: Heartbeats, leaving, expiry

  /// Extends a member's session.
  mutating func heartbeat(
    _ id: String, _ instanceID: String?, generation: Int32, now: Instant
  ) throws(ErrorCode) {
    let index = try check(id, instanceID)
    guard generation == self.generation else { throw .illegalGeneration }
    members[index].deadline = now + members[index].sessionTimeout
    if case .joining = phase { throw .rebalanceInProgress }
  }

  /// Removes a member; the others take over its partitions.
  mutating func leave(_ id: String, _ instanceID: String?, now: Instant) throws(ErrorCode) {
    var id = id
    if id.isEmpty, let instanceID,
      let holder = members.first(where: { $0.instanceID == instanceID })
    {
      id = holder.id
    }
    remove(at: try check(id, instanceID), now)
  }

  private mutating func remove(at index: Int, _ now: Instant) {
    members.remove(at: index).wakeup?.signal()
    startJoining(now)
    endJoiningIfReady(now)
  }

  /// Removes members whose session has timed out. Call it before any other method.
  mutating func expire(now: Instant) {
    while let dead = members.firstIndex(where: {
      !$0.isJoining && !$0.isSyncing && $0.deadline <= now
    }) {
      remove(at: dead, now)
    }
    endJoiningIfReady(now)
  }

  /// When to check the group again, unless a request changes it before.
  func nextDeadline(now: Instant) -> Instant {
    var next = now + .seconds(60)
    if case .joining(let until) = phase { next = min(next, until) }
    for member in members where !member.isJoining && !member.isSyncing {
      next = min(next, member.deadline)
    }
    return next
  }

  /// Checks that a member may commit. Clients that are not members pass a negative generation.
  func checkCommit(_ id: String, _ instanceID: String?, generation: Int32) throws(ErrorCode) {
    if generation < 0 && members.isEmpty { return }
    _ = try check(id, instanceID)
    guard generation == self.generation else { throw .illegalGeneration }
    // While members join, those of the old generation may still commit.
    if phase == .syncing { throw .rebalanceInProgress }
  }
}
