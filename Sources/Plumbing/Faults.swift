import Synchronization

/// The faults that a server simulates now; any thread may query and change them.
///
/// Without any fault, a query costs one atomic load.
package final class Faults: Sendable {
  private struct Order {
    let fault: Fault
    let begin: ContinuousClock.Instant
    var left: Int
    var struck = 0
    var random: UInt64

    /// Decides whether the next request is affected (SplitMix64): the same seed affects the same
    /// requests.
    mutating func happens() -> Bool {
      guard fault.probability < 1 else { return true }
      random &+= 0x9e37_79b9_7f4a_7c15
      var word = random
      word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
      word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
      word ^= word >> 31
      return Double(word >> 11) * 0x1p-53 < fault.probability
    }
  }

  /// A fault that was ordered, and how often it has applied.
  package struct Status: Sendable, Equatable {
    package let fault: Fault
    package let struck: Int
    /// Whether the fault has applied as often as ordered.
    package let isSpent: Bool
  }

  private let isAny = Atomic(false)
  private let orders = Mutex<[Order]>([])

  package init() {}

  /// - Parameter now: when the fault's `after` begins to count.
  package func order(_ fault: Fault, now: ContinuousClock.Instant = .now) {
    orders.withLock { orders in
      orders.append(
        Order(
          fault: fault, begin: now + fault.delay, left: fault.times ?? .max,
          random: fault.seed))
      isAny.store(true, ordering: .relaxed)
    }
  }

  /// Removes all faults.
  package func clear() {
    orders.withLock { orders in
      orders.removeAll()
      isAny.store(false, ordering: .relaxed)
    }
  }

  package var all: [Status] {
    orders.withLock { orders in
      orders.map { Status(fault: $0.fault, struck: $0.struck, isSpent: $0.left == 0) }
    }
  }

  /// The first fault, in the order of ordering, that applies to a request; it is counted as
  /// applied.
  ///
  /// - Parameters:
  ///   - target: what the request is, such as `produce`.
  ///   - accepts: whether the request can show a fault of this kind; if not, the fault stays for
  ///     the next request.
  package func strike(
    _ target: String, now: ContinuousClock.Instant = .now,
    where accepts: (FaultKind) -> Bool = { _ in true }
  ) -> Fault? {
    guard isAny.load(ordering: .relaxed) else { return nil }
    return orders.withLock { orders in
      for index in orders.indices {
        let fault = orders[index].fault
        guard orders[index].left > 0, orders[index].begin <= now,
          fault.kind.targets.contains(target),
          fault.target.isEmpty || fault.target == target, accepts(fault.kind),
          orders[index].happens()
        else { continue }
        orders[index].left -= 1
        orders[index].struck += 1
        return fault
      }
      return nil
    }
  }
}
