import Glibc
import Plumbing

/// The offset of local time from UTC, from the system's time zone database.
struct TimeZoneOffsets {
  private let isUTC: Bool
  private var hour: Int64 = .min
  private var offset = 0.0

  /// - Throws: ``UsageFailure`` when there is no such zone.
  init(_ name: String) throws(UsageFailure) {
    isUTC = name == "UTC"
    if isUTC { return }
    let isPath = name.split(separator: "/", omittingEmptySubsequences: false)
      .contains { $0.isEmpty || $0 == ".." || $0 == "." }
    guard !isPath, (try? SmallFile.requireReadable("/usr/share/zoneinfo/" + name)) != nil else {
      throw UsageFailure(
        "--time-zone: there is no zone \(quoted(name))",
        hints: ["write a name as in /usr/share/zoneinfo: Europe/Berlin, America/New_York"])
    }
    // Nothing else in this process uses local time.
    unsafe setenv("TZ", name, 1)
    tzset()
  }

  /// The seconds by which local time is ahead of UTC at a moment. It is looked up once per quarter
  /// of an hour.
  mutating func seconds(at milliseconds: Int64) -> Double {
    if isUTC { return 0 }
    let moment = milliseconds.floorDivided(by: 1000)
    // Clocks have only ever changed at a quarter of an hour.
    let quarter = moment.floorDivided(by: 900)
    if quarter != hour {
      var time = time_t(moment)
      var local = unsafe tm()
      if unsafe localtime_r(&time, &local) != nil { offset = Double(unsafe local.tm_gmtoff) }
      hour = quarter
    }
    return offset
  }
}
