import Glibc

/// Open files and sockets of this process.
enum Descriptors {
  /// Allows as many as the system lets this process have: every client's connection takes one, and the usual limit of
  /// 1,024 is there for programs that wait with select(2).
  static func raiseLimit() {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = min(limit.rlim_max, 1 << 16)
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
