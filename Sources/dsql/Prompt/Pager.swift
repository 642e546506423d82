import Glibc
import Plumbing

/// A program that shows output longer than the screen: `PAGER`, or else less, which exits at once
/// when everything fits.
@safe final class Pager {
  private let stream: UnsafeMutablePointer<FILE>

  /// - Returns: `nil` when there is no pager.
  init?() {
    // On a terminal that can't move its cursor, rows are shown as they come.
    let terminal = environmentVariable("TERM") ?? ""
    guard !terminal.isEmpty, terminal != "dumb" else { return nil }
    let command = environmentVariable("PAGER") ?? "less"
    guard !command.isEmpty, command != "cat" else { return nil }
    if command == "less" {
      let folders = ["/usr/bin/less", "/bin/less", "/usr/local/bin/less"]
      guard folders.contains(where: { unsafe access($0, X_OK) == 0 }) else { return nil }
    }
    // Exit when everything fits, show colours, keep the screen.
    unsafe setenv("LESS", "FRX", 0)
    guard let stream = unsafe popen(command, "we") else { return nil }
    unsafe self.stream = stream
  }

  /// The descriptor of the pager's input.
  var descriptor: Int32 { unsafe fileno(stream) }

  /// Waits until the user leaves the pager.
  func close() { unsafe pclose(stream) }
}
