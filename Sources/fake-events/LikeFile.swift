import EventGeneration
import Glibc
import Plumbing

/// Reads the events of `--like`.
func readLikeness(_ path: String) throws -> Likeness {
  let file = try InputFile(path)
  defer { file.close() }
  var input = LineReader(from: file.descriptor, named: file.name)
  var reader = LikenessReader()
  while let line = try input.nextLine() {
    reader.take(unsafe line.withUnsafeBytes { unsafe Array($0) })
  }
  let likeness = try reader.likeness(of: file.name)
  for note in likeness.notes { Diagnostics.warning("--like: \(note)") }
  return likeness
}
