import Glibc
import Plumbing
import Synchronization

/// Memory for columns, mapped from one unnamed file, so that the kernel can write unused pages to
/// disk.
///
/// Every block is reserved on disk before it is mapped, so a full disk is an error here and not a
/// later SIGBUS.
@safe
final class TemporaryStorage: Sendable {
  private let descriptor: Int32
  private let end = Mutex<off_t>(0)

  init(directory: String) throws(EmbeddedDruidFailure) {
    do throws(SystemFailure) {
      descriptor = try openUnnamedFile(in: directory)
    } catch { throw .storage(reason: error.message) }
  }

  deinit { close(descriptor) }

  /// Reserves and maps a block of at least `bytes` bytes. Throws when the disk is full.
  func block(of bytes: Int) throws(StorageFull) -> StorageBlock {
    let size = (bytes + 4095) & ~4095
    let failure: Int32
    let offset: off_t
    (offset, failure) = end.withLock { end in
      let failure = posix_fallocate(descriptor, end, off_t(size))
      guard failure == 0 else { return (0, failure) }
      defer { end += off_t(size) }
      return (end, 0)
    }
    guard failure == 0 else { throw StorageFull(code: failure) }
    let address = unsafe mmap(
      nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, offset)
    guard let address = unsafe address, unsafe address != MAP_FAILED else {
      throw StorageFull(code: errno)
    }
    return unsafe StorageBlock(storage: self, address: address, size: size)
  }
}

/// The disk is full.
struct StorageFull: Error, Equatable {
  let code: Int32
}

/// A mapped block of the file. It is freed, on disk as well, with its last reference.
///
/// Sendable because the mapping never changes. The owner decides who may write where (see
/// `TableWriter`).
@safe
final class StorageBlock: @unchecked Sendable {
  private let storage: TemporaryStorage
  let address: UnsafeMutableRawPointer
  let size: Int

  fileprivate init(storage: TemporaryStorage, address: UnsafeMutableRawPointer, size: Int) {
    self.storage = storage
    unsafe self.address = address
    self.size = size
  }

  deinit {
    // The file keeps its length, but the blocks on disk are freed.
    unsafe madvise(address, size, MADV_REMOVE)
    unsafe munmap(address, size)
  }
}
