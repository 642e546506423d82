import EventGeneration
import Glibc
import Plumbing

/// Reads the events of `--like`.
func readLikeness(_ path: String) throws -> Likeness {
  let name = path == "-" ? "standard input" : quoted(path)
  let descriptor = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw SystemFailure("opening \(name)") }
  defer { if descriptor != STDIN_FILENO { close(descriptor) } }
  var input = LineReader(from: descriptor, named: name)
  var reader = LikenessReader()
  while let line = try input.nextLine() {
    reader.take(unsafe line.withUnsafeBytes { unsafe Array($0) })
  }
  let likeness = try reader.likeness(of: name)
  for note in likeness.notes { Diagnostics.warning("--like: \(note)") }
  return likeness
}
