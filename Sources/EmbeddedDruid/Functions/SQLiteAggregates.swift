import CSQLite
import DruidSQL
import JavaValues

/// Registers the aggregates of translated queries with SQLite.
enum SQLiteAggregates {
  /// The user data of the callbacks, which the connection owns.
  private final class Bound {
    let aggregate: Aggregate
    let limits: QueryLimits

    init(_ aggregate: Aggregate, _ limits: QueryLimits) {
      self.aggregate = aggregate
      self.limits = limits
    }
  }

  private final class Aggregate: Sendable {
    let kernel: Kernel
    let make: @Sendable () -> any AggregateState

    init(_ kernel: Kernel, _ make: @escaping @Sendable () -> any AggregateState) {
      self.kernel = kernel
      self.make = make
    }
  }

  private static let all: [Aggregate] = Function.kernels.compactMap { kernel in
    guard case .aggregate(let make) = kernel.body else { return nil }
    return Aggregate(kernel, make)
  }

  /// Registers every aggregate. The result must live as long as the connection.
  static func register(
    in handle: OpaquePointer, limits: QueryLimits
  ) -> (aggregates: [AnyObject], status: Int32) {
    let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS
    var aggregates: [AnyObject] = []
    for aggregate in all {
      let bound = Bound(aggregate, limits)
      aggregates.append(bound)
      for count in SQLiteFunctions.counts(aggregate.kernel.arity) {
        let status = unsafe sqlite3_create_window_function(
          handle, aggregate.kernel.name, count, flags,
          Unmanaged.passUnretained(bound).toOpaque(), step, final, value, inverse, nil)
        guard status == SQLITE_OK else { return (aggregates, status) }
      }
    }
    return (aggregates, SQLITE_OK)
  }

  private static func bound(_ context: OpaquePointer?) -> Bound? {
    guard let data = unsafe sqlite3_user_data(context) else { return nil }
    return unsafe Unmanaged<Bound>.fromOpaque(data).takeUnretainedValue()
  }

  /// The state of a group, whose address SQLite keeps. It is made at the group's first row.
  private static func state(_ context: OpaquePointer?, makes: Bool) -> (any AggregateState)? {
    let size = unsafe Int32(MemoryLayout<UnsafeMutableRawPointer?>.size)
    guard let place = unsafe sqlite3_aggregate_context(context, makes ? size : 0) else {
      return nil
    }
    let slot = unsafe place.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    if let kept = unsafe slot.pointee {
      return unsafe Unmanaged<AnyObject>.fromOpaque(kept).takeUnretainedValue()
        as? any AggregateState
    }
    guard makes, let state = unsafe bound(context)?.aggregate.make() else { return nil }
    unsafe slot.pointee = Unmanaged<AnyObject>.passRetained(state).toOpaque()
    return state
  }

  private static func release(_ context: OpaquePointer?) {
    guard let place = unsafe sqlite3_aggregate_context(context, 0) else { return }
    let slot = unsafe place.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    if let kept = unsafe slot.pointee {
      let state = unsafe Unmanaged<AnyObject>.fromOpaque(kept).takeRetainedValue()
      unsafe bound(context)?.limits.release((state as? any AggregateState)?.heldBytes ?? 0)
    }
    unsafe slot.pointee = nil
  }

  private static let step:
    @convention(c) (OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?) -> Void = {
      context, count, arguments in
      do throws(ValueFailure) {
        guard let state = unsafe state(context, makes: true),
          let limits = unsafe bound(context)?.limits
        else { return }
        let values = unsafe SQLiteValue.read(arguments, count)
        try limits.check(64 + SQLiteValue.bytes(values))
        let held = state.heldBytes
        try state.add(values)
        try limits.charge(state.heldBytes - held)
      } catch {
        unsafe SQLiteFunctions.fail(context, error)
      }
    }

  private static let inverse:
    @convention(c) (OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?) -> Void = {
      context, count, arguments in
      do throws(ValueFailure) {
        try unsafe state(context, makes: false)?.remove(SQLiteValue.read(arguments, count))
      } catch {
        unsafe SQLiteFunctions.fail(context, error)
      }
    }

  private static let value: @convention(c) (OpaquePointer?) -> Void = { context in
    do throws(ValueFailure) {
      let state = unsafe state(context, makes: false) ?? fresh(context)
      let value = try state?.result() ?? .null
      if let limits = unsafe bound(context)?.limits {
        try unsafe SQLiteValue.answer(value, limits, to: context)
      }
    } catch {
      unsafe SQLiteFunctions.fail(context, error)
    }
  }

  private static let final: @convention(c) (OpaquePointer?) -> Void = { context in
    unsafe value(context)
    unsafe release(context)
  }

  /// A new state, for a group without rows.
  private static func fresh(_ context: OpaquePointer?) -> (any AggregateState)? {
    unsafe bound(context)?.aggregate.make()
  }
}
