import Glibc
import Plumbing

/// The file of labels for anomalies and faults; every label is flushed.
struct LabelFile: ~Copyable {
  private var writer: LineWriter

  /// - Throws: ``SystemFailure`` when the file can't be created.
  init(_ path: String) throws(SystemFailure) {
    let descriptor = try openFile(path, O_WRONLY | O_CREAT | O_TRUNC)
    writer = LineWriter(to: descriptor, named: quoted(path), owns: true)
  }

  mutating func write(_ labels: String) throws(SystemFailure) {
    if labels.isEmpty { return }
    try writer.append(labels)
    try writer.flush()
  }

  consuming func close() throws(SystemFailure) { try writer.close() }
}
