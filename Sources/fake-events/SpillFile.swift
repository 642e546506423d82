import EventGeneration
import Glibc
import Plumbing

/// An unnamed temporary file for late lines, created when the first of them leaves memory.
final class SpillFile: BlockStore {
  private let folder: String
  private var descriptor: Int32 = -1

  init(in folder: String) {
    self.folder = folder
  }

  deinit {
    if descriptor >= 0 { Glibc.close(descriptor) }
  }

  func write(_ bytes: RawSpan, at number: Int) throws(SystemFailure) {
    if descriptor < 0 { descriptor = try openUnnamedFile(in: folder) }
    let written = unsafe bytes.withUnsafeBytes { buffer in
      unsafe pwrite(descriptor, buffer.baseAddress, buffer.count, off_t(number * buffer.count))
    }
    guard written == bytes.byteCount else {
      throw SystemFailure(
        "writing late lines to a file in \(folder)", code: written < 0 ? errno : ENOSPC)
    }
  }

  func read(into bytes: UnsafeMutableRawBufferPointer, at number: Int) throws(SystemFailure) {
    let got = unsafe pread(
      descriptor, bytes.baseAddress, bytes.count, off_t(number * bytes.count))
    guard got == bytes.count else {
      throw SystemFailure(
        "reading late lines from a file in \(folder)", code: got < 0 ? errno : EIO)
    }
  }
}
