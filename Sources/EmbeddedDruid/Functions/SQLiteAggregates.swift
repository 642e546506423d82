import CSQLite
import DruidSQL
import JavaValues

/// The translation's aggregates, as SQLite knows them.
enum SQLiteAggregates {
  /// What SQLite hands back to the callbacks; they are static, so they live as long as the process.
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

  static func register(in handle: OpaquePointer) -> Int32 {
    let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS
    for aggregate in all {
      let status = unsafe sqlite3_create_window_function(
        handle, aggregate.kernel.name, Int32(aggregate.kernel.arity.lowerBound), flags,
        Unmanaged.passUnretained(aggregate).toOpaque(), step, final, value, inverse, nil)
      guard status == SQLITE_OK else { return status }
    }
    return SQLITE_OK
  }

  /// The state that SQLite keeps the address of for a group; made with its first row.
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
    guard makes, let data = unsafe sqlite3_user_data(context) else { return nil }
    let aggregate = unsafe Unmanaged<Aggregate>.fromOpaque(data).takeUnretainedValue()
    let state = aggregate.make()
    unsafe slot.pointee = Unmanaged<AnyObject>.passRetained(state).toOpaque()
    return state
  }

  private static func release(_ context: OpaquePointer?) {
    guard let place = unsafe sqlite3_aggregate_context(context, 0) else { return }
    let slot = unsafe place.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    if let kept = unsafe slot.pointee { unsafe Unmanaged<AnyObject>.fromOpaque(kept).release() }
    unsafe slot.pointee = nil
  }

  private static let step:
    @convention(c) (OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?) -> Void = {
      context, count, arguments in
      do throws(ValueFailure) {
        try unsafe state(context, makes: true)?.add(SQLiteValue.read(arguments, count))
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
      unsafe SQLiteValue.answer(try state?.result() ?? .null, to: context)
    } catch {
      unsafe SQLiteFunctions.fail(context, error)
    }
  }

  private static let final: @convention(c) (OpaquePointer?) -> Void = { context in
    unsafe value(context)
    unsafe release(context)
  }

  /// For a group without rows.
  private static func fresh(_ context: OpaquePointer?) -> (any AggregateState)? {
    guard let data = unsafe sqlite3_user_data(context) else { return nil }
    return unsafe Unmanaged<Aggregate>.fromOpaque(data).takeUnretainedValue().make()
  }
}
