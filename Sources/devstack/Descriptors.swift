import Glibc

/// The process's file descriptors.
enum Descriptors {
  /// Raises the limit to the maximum. Each client's connection uses a descriptor, and the usual
  /// limit of 1,024 only protects programs that use select(2).
  static func raiseLimit() {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = min(limit.rlim_max, 1 << 16)
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
