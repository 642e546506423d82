import Glibc
import Plumbing

/// A program that shows what does not fit on the screen: `PAGER`, else less, which leaves at once when all fits.
@safe final class Pager {
  private let stream: UnsafeMutablePointer<FILE>

  /// - Returns: `nil` when there is none.
  init?() {
    // A terminal that can't move its cursor gets the rows as they come.
    let terminal = unsafe getenv("TERM").map { unsafe String(cString: $0) } ?? ""
    guard !terminal.isEmpty, terminal != "dumb" else { return nil }
    let command = unsafe getenv("PAGER").map { unsafe String(cString: $0) } ?? "less"
    guard !command.isEmpty, command != "cat" else { return nil }
    if command == "less" {
      let folders = ["/usr/bin/less", "/bin/less", "/usr/local/bin/less"]
      guard folders.contains(where: { unsafe access($0, X_OK) == 0 }) else { return nil }
    }
    // Leave when all fits, show colours, keep the screen.
    unsafe setenv("LESS", "FRX", 0)
    guard let stream = unsafe popen(command, "we") else { return nil }
    unsafe self.stream = stream
  }

  /// Where its input goes.
  var descriptor: Int32 { unsafe fileno(stream) }

  /// Waits until the reader is done with it.
  func close() { unsafe pclose(stream) }
}
