import CBroker
import Glibc
import Plumbing
import Synchronization

/// The temporary file that holds all records. It has no name, so nothing is left behind however the
/// process ends. (Unsafe inside: positional reads and writes.)
///
/// Each partition writes to its own segments of the file, so that a consumer's reads are
/// contiguous. A segment takes disk space only as it is written.
final class StorageFile: Sendable {
  static let segmentSize = 8 << 20

  let descriptor: Int32
  private let nextSegment = Atomic<Int64>(0)

  /// - Throws: ``SystemFailure`` when `directory` can't hold a file.
  init(directory: String) throws(SystemFailure) {
    descriptor = try openUnnamedFile(in: directory)
  }

  /// Takes ownership of an open file.
  init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
  }

  /// The position of a new segment.
  func takeSegment() -> Int64 {
    nextSegment.wrappingAdd(Int64(Self.segmentSize), ordering: .relaxed).oldValue
  }

  /// Frees the disk space of a segment.
  func discardSegment(at position: Int64) {
    _ = cbk_punch_hole(descriptor, position, Int64(Self.segmentSize))
  }

  /// Writes `start` followed by `rest`. A failed write has no visible effect.
  ///
  /// - Throws: ``SystemFailure`` when the disk is full or broken.
  func write(_ start: [UInt8], _ rest: RawSpan, at position: Int64) throws(SystemFailure) {
    let total = start.count + rest.byteCount
    let written = unsafe start.withUnsafeBytes { first in
      unsafe rest.withUnsafeBytes { second in
        let parts = unsafe [first, second].map { part in
          unsafe iovec(
            iov_base: UnsafeMutableRawPointer(mutating: part.baseAddress), iov_len: part.count)
        }
        var written: Int
        repeat {
          written = unsafe pwritev(descriptor, parts, 2, off_t(position))
        } while written < 0 && errno == EINTR
        return written
      }
    }
    guard written == total else {
      // A short write means that the disk is full.
      throw SystemFailure("writing the temporary file", code: written < 0 ? errno : ENOSPC)
    }
  }

  /// Reads `count` bytes.
  func read(count: Int, at position: Int64) throws(SystemFailure) -> [UInt8] {
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = unsafe pread(
          descriptor, UnsafeMutableRawBufferPointer(buffer).baseAddress?.advanced(by: filled),
          count - filled, off_t(position) + off_t(filled))
        if got < 0 && errno == EINTR { continue }
        if got <= 0 { break }
        filled += got
      }
    }
    guard bytes.count == count else { throw SystemFailure("reading the temporary file") }
    return bytes
  }
}
