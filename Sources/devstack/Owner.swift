import Glibc
import Plumbing

/// The process with which devstack ends: the shell that evaluates the output of
/// `devstack --owner $$ &`. (Unsafe inside.)
struct Owner {
  private let id: Int
  /// The process's start time in clock ticks since boot, which identifies it when its number is
  /// reused.
  private let started: Substring

  /// - Throws: ``UsageFailure`` when there is no such process.
  init(_ id: Int) throws(UsageFailure) {
    guard let status = Self.status(of: id) else {
      throw UsageFailure("option '--owner': there is no process \(id)")
    }
    self.id = id
    started = status.started
  }

  /// Whether the process has ended. A zombie has ended, too.
  var isGone: Bool {
    guard let now = Self.status(of: id) else { return true }
    return now.started != started || now.state == "Z" || now.state == "X"
  }

  private static func status(of id: Int) -> (state: Substring, started: Substring)? {
    guard let text = try? SmallFile.readText("/proc/\(id)/stat"),
      // The command's name is in parentheses and can contain any character.
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 19 ? (fields[0], fields[19]) : nil
  }
}
