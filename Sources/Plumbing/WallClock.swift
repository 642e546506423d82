import Glibc
// It declares timespec.
import SwiftOverlayShims

/// The system's clock. (Unsafe inside: the system's call takes a pointer.)
package enum WallClock {
  /// Seconds since 1970-01-01T00:00:00Z, and the nanoseconds beyond them.
  package static var reading: (second: Int64, nanosecond: Int64) {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return (Int64(time.tv_sec), Int64(time.tv_nsec))
  }
}
