import Glibc
import Plumbing

/// The command that devstack runs. (Unsafe inside.)
struct ChildProcess {
  private let id: pid_t

  /// Starts `words` in this process group, with the default action of every signal.
  ///
  /// - Throws: ``CommandFailure`` when the command does not exist or can't be run. The process
  ///   should then end with its status.
  init(_ words: [String], environment: [String: String]) throws(CommandFailure) {
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var all = sigset_t()
    var none = sigset_t()
    unsafe sigfillset(&all)
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    let argv = CStrings(words)
    let envp = CStrings(environment.map { "\($0.key)=\($0.value)" })
    var child = pid_t()
    let code = unsafe posix_spawnp(
      &child, words[0], nil, &attributes, argv.pointers, envp.pointers)
    guard code == 0 else { throw CommandFailure(command: words[0], code: code) }
    id = child
  }

  /// Waits until the command has ended. Signals that arrive meanwhile are forwarded or dropped.
  ///
  /// - Returns: the command's status, or 128 plus the number of the signal that killed it.
  func wait(forwarding forwarded: [Int32], from signals: SignalQueue) -> Int32 {
    while true {
      var status: Int32 = 0
      if unsafe waitpid(id, &status, WNOHANG) == id {
        let killer = status & 0x7F
        return killer == 0 ? (status >> 8) & 0xFF : 128 + killer
      }
      let number = signals.next()
      if forwarded.contains(number) { kill(id, number) }
    }
  }
}

/// An array of C strings with a null pointer at its end.
@safe
private final class CStrings {
  let pointers: [UnsafeMutablePointer<CChar>?]

  init(_ texts: [String]) {
    unsafe pointers = texts.map { unsafe strdup($0) } + [nil]
  }

  deinit {
    for index in unsafe pointers.indices { unsafe free(pointers[index]) }
  }
}

/// Why a command could not be started.
struct CommandFailure: Error {
  let command: String
  let code: Int32

  /// A shell's status: 127 for a command that does not exist, 126 for one that can't be run.
  var exitStatus: Int32 { code == ENOENT ? 127 : 126 }
  var message: String { "cannot run \(quoted(command)): \(systemErrorText(code))" }
}

/// The environment of the process.
func currentEnvironment() -> [String: String] {
  var result: [String: String] = [:]
  var next = unsafe environ
  // environ ends with a null pointer, and nothing here changes it.
  while let entry = unsafe next.pointee {
    let text = unsafe String(cString: entry)
    if let sign = text.firstIndex(of: "=") {
      result[String(text[..<sign])] = String(text[text.index(after: sign)...])
    }
    unsafe next += 1
  }
  return result
}
