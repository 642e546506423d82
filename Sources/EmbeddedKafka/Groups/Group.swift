/// A consumer group: members that agree on who reads which partitions. Pure: the time is an argument.
///
/// A rebalance goes through two phases. While *joining*, members ask to be in; when all that are
/// known have done so, or the slowest had its time, a generation begins and its leader assigns the
/// partitions out; until it has, the group is *syncing*.
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
    /// The name of a member that keeps its place over a restart.
    let instanceID: String?
    let clientID: String
    var sessionTimeout: Duration
    var rebalanceTimeout: Duration
    var strategies: [Strategy]
    /// When it is taken for dead, unless it is heard of before.
    var deadline: Instant
    /// Whether it waits for an answer, to its joining or to its syncing; then it can't be heard of.
    var isJoining = false
    var isSyncing = false
    var wakeup: Wakeup?
    var assignment: [UInt8] = []
    /// Who it is told leads, when that is not the truth: a leader that came back keeps its assignment and
    /// is not to assign again.
    var saidLeader: String?
  }

  /// What a member asks for.
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
  /// Where the group has read to; a member that comes starts there.
  var offsets = CommittedOffsets()

  private func index(of id: String) -> Int? {
    members.firstIndex { $0.id == id }
  }

  subscript(id: String) -> Member? {
    index(of: id).map { members[$0] }
  }

  /// The member that a request names, if it may speak for it.
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

  /// Takes a member in, or again.
  ///
  /// - Parameter freshID: the id of a member that has none yet.
  /// - Returns: its id. It waits until it is no longer ``Member/isJoining``.
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
      // One that asks again because it missed the answer.
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

  /// Lets a member that has a name have its old place again, without the others noticing: in a stable
  /// group, when it still knows the strategy in use.
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
      // The same member after a restart: a process that still uses the old id is fenced.
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
    // Members that wait for their assignment learn of the rebalance.
    for member in members where member.isSyncing { member.wakeup?.signal() }
  }

  private mutating func endJoiningIfReady(_ now: Instant) {
    guard case .joining(let deadline) = phase else { return }
    if now >= deadline { members.removeAll { !$0.isJoining } }
    guard members.allSatisfy({ $0.isJoining }) else { return }
    generation &+= 1
    guard let first = members.first else {
      phase = .empty
      strategyName = ""
      return
    }
    if self[leaderID] == nil { leaderID = first.id }
    strategyName = choice()
    phase = .syncing
    for index in members.indices {
      members[index].isJoining = false
      members[index].saidLeader = nil
      members[index].assignment = []
      members[index].deadline = now + members[index].sessionTimeout
      members[index].wakeup?.signal()
    }
  }

  /// The strategy that the leader likes best of those that all members know.
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

  /// Takes a member's request for its assignment, and from the leader the assignments of all members.
  ///
  /// It waits until there is an ``assignment(of:generation:now:)``.
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

  // MARK: Coming and going

  /// Hears of a member.
  mutating func heartbeat(
    _ id: String, _ instanceID: String?, generation: Int32, now: Instant
  ) throws(ErrorCode) {
    let index = try check(id, instanceID)
    guard generation == self.generation else { throw .illegalGeneration }
    members[index].deadline = now + members[index].sessionTimeout
    if case .joining = phase { throw .rebalanceInProgress }
  }

  /// Lets a member go; the others share what it had.
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

  /// Lets go of members that were not heard of in time. To be called before anything else is asked.
  mutating func expire(now: Instant) {
    while let dead = members.firstIndex(where: {
      !$0.isJoining && !$0.isSyncing && $0.deadline <= now
    }) {
      remove(at: dead, now)
    }
    endJoiningIfReady(now)
  }

  /// When something happens by itself, if nothing else does before.
  func nextDeadline(now: Instant) -> Instant {
    var next = now + .seconds(60)
    if case .joining(let until) = phase { next = min(next, until) }
    for member in members where !member.isJoining && !member.isSyncing {
      next = min(next, member.deadline)
    }
    return next
  }

  /// Checks that a member may commit. A negative generation means a client that is not a member.
  func checkCommit(_ id: String, _ instanceID: String?, generation: Int32) throws(ErrorCode) {
    if generation < 0 && members.isEmpty { return }
    _ = try check(id, instanceID)
    guard generation == self.generation else { throw .illegalGeneration }
    // While members still join, the old generation may save what it has done.
    if phase == .syncing { throw .rebalanceInProgress }
  }
}
