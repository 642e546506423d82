import Glibc
import Plumbing

/// The process whose end ends devstack: the shell that evaluates what `devstack --owner $$ &` prints. (Unsafe inside.)
struct Owner {
  private let id: Int
  /// When the process started, in clock ticks since boot: a later process of the same number is another one.
  private let started: Substring

  /// - Throws: ``UsageFailure`` when there is no such process.
  init(_ id: Int) throws(UsageFailure) {
    guard let status = Self.status(of: id) else {
      throw UsageFailure("option '--owner': there is no process \(id)")
    }
    self.id = id
    started = status.started
  }

  /// Whether the process has ended. One that only waits for its parent to collect its status has ended, too.
  var isGone: Bool {
    guard let now = Self.status(of: id) else { return true }
    return now.started != started || now.state == "Z" || now.state == "X"
  }

  private static func status(of id: Int) -> (state: Substring, started: Substring)? {
    guard let text = try? readSmallFile("/proc/\(id)/stat"),
      // The command's name stands in parentheses and may hold any character.
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 19 ? (fields[0], fields[19]) : nil
  }
}
