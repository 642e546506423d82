import Glibc

/// The system's time zone files.
enum TimeZoneFiles {
  private static let folder = "/usr/share/zoneinfo/"
  private static let limit = 1 << 16

  /// The bytes of a zone's file; nil when there is none. The name must not lead out of the folder.
  static func read(_ name: String) -> [UInt8]? {
    let descriptor = unsafe open(folder + name, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = unsafe bytes.withUnsafeMutableBytes { room in
      unsafe Glibc.read(descriptor, room.baseAddress, room.count)
    }
    guard count > 0 else { return nil }
    return Array(bytes.prefix(count))
  }
}
