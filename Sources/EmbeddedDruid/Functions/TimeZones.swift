import DruidSQL
import Glibc
import Synchronization

/// Zones by name, from the system's files; each is read once.
enum TimeZones {
  private static let known = Mutex<[String: TimeZoneTable]>([:])
  private static let folder = "/usr/share/zoneinfo/"

  /// - Throws: for a name that is no zone's.
  static func find(_ name: String) throws(ValueFailure) -> TimeZoneTable {
    if let zone = known.withLock({ $0[name] }) { return zone }
    let zone = TimeZoneTable.fixed(name) ?? read(name)
    guard let zone else { throw .invalid("The datetime zone id '\(name)' is not recognised") }
    known.withLock { $0[name] = zone }
    return zone
  }

  /// Names have letters, digits and a few signs only, so none leads out of the folder.
  private static func read(_ name: String) -> TimeZoneTable? {
    let isPlain = name.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte & 0xdf)
        || "/_+-".utf8.contains(byte)
    }
    guard isPlain, !name.isEmpty, !name.hasPrefix("/"), name.utf8.count < 100 else { return nil }
    let descriptor = unsafe open(folder + name, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
    }
    guard count > 0 else { return nil }
    return TimeZoneTable(name: name, tzif: Array(bytes.prefix(count)))
  }
}
