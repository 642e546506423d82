import Glibc

/// A thread that can be joined.
@safe
final class WorkerThread: @unchecked Sendable {
  // Sendable: the body is, and the thread's id is written once, before another thread has the
  // object.
  private let body: @Sendable () -> Void
  private var thread = pthread_t()

  init?(_ body: @escaping @Sendable () -> Void) {
    self.body = body
    let context = unsafe Unmanaged.passRetained(self).toOpaque()
    let status = unsafe pthread_create(&thread, nil, WorkerThread.run, context)
    guard status == 0 else {
      unsafe Unmanaged<WorkerThread>.fromOpaque(context).release()
      return nil
    }
  }

  /// Waits for its end. Call it once.
  func join() { pthread_join(thread, nil) }

  private static let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
    context in
    guard let context = unsafe context else { return nil }
    unsafe Unmanaged<WorkerThread>.fromOpaque(context).takeRetainedValue().body()
    return nil
  }
}

/// A value on which threads wait until a condition holds.
@safe
final class Monitor<Value>: @unchecked Sendable {
  // Sendable: `value` is only read and written with the mutex locked.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var value: Value

  init(_ value: sending Value) {
    self.value = value
    unsafe pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_cond_init(condition, &attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// Reads the value.
  func read<Result>(_ body: (Value) -> Result) -> Result {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return body(value)
  }

  /// Changes the value, and wakes all waiting threads.
  func change<Result>(_ body: (inout Value) -> Result) -> Result {
    unsafe pthread_mutex_lock(mutex)
    defer {
      unsafe pthread_cond_broadcast(condition)
      unsafe pthread_mutex_unlock(mutex)
    }
    return body(&value)
  }

  /// Waits until the condition holds; false after the limit.
  func wait(milliseconds limit: Int64, until holds: (Value) -> Bool) -> Bool {
    var deadline = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
    deadline.tv_sec += Int(limit / 1000)
    deadline.tv_nsec += Int(limit % 1000) * 1_000_000
    if deadline.tv_nsec >= 1_000_000_000 {
      deadline.tv_sec += 1
      deadline.tv_nsec -= 1_000_000_000
    }
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while !holds(value) {
      if unsafe pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT {
        return holds(value)
      }
    }
    return true
  }
}
