import CBroker
import Glibc
import Plumbing
import Synchronization

/// The one temporary file that holds every record. It has no name, so nothing is left behind
/// however the process ends. (Unsafe inside: positional reads and writes.)
///
/// A partition writes into segments of the file that are its own, so that what a consumer reads
/// lies together. A segment takes room on the disk only as it is written.
final class StorageFile: Sendable {
  static let segmentSize = 8 << 20

  let descriptor: Int32
  private let nextSegment = Atomic<Int64>(0)

  /// - Throws: ``SystemFailure`` when `directory` can't hold a file.
  init(directory: String) throws(SystemFailure) {
    descriptor = unsafe cbk_open_unnamed(directory)
    guard descriptor >= 0 else { throw SystemFailure("making a file in \(directory)") }
  }

  /// Takes an open file over.
  init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
  }

  /// The position of a fresh segment.
  func takeSegment() -> Int64 {
    nextSegment.wrappingAdd(Int64(Self.segmentSize), ordering: .relaxed).oldValue
  }

  /// Gives the room of a segment back to the disk.
  func discardSegment(at position: Int64) {
    _ = cbk_punch_hole(descriptor, position, Int64(Self.segmentSize))
  }

  /// Writes `start` and behind it `rest`, whole or (as far as anybody will see) not at all.
  ///
  /// - Throws: ``SystemFailure``: no room left, or a broken disk.
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
      // A short write means that the disk filled up on the way.
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
