import Plumbing
import Synchronization

/// One partition: the positions and offsets of its batches in the file, and the readers that wait
/// for more.
final class PartitionLog: Sendable {
  /// A batch in the file.
  private struct Batch {
    let baseOffset: Int64
    let position: Int64
    let size: Int32
    let maxTimestamp: Int64
    /// The largest timestamp of this batch and all batches before it, for binary search.
    var latestTimestamp: Int64
  }

  private struct State {
    var batches: [Batch] = []
    /// Records before this one were deleted.
    var startOffset: Int64 = 0
    var endOffset: Int64 = 0
    var byteCount: Int64 = 0
    var segments: [Int64] = []
    /// Where the next batch goes, and the room left in its segment.
    var position: Int64 = 0
    var room = 0
    var sequences = ProducerSequences()
    var waiting: [ObjectIdentifier: Wakeup] = [:]
    var isDeleted = false
  }

  private let file: StorageFile
  private let state = Mutex(State())

  init(file: StorageFile) {
    self.file = file
  }

  /// One past the offset of the last record.
  var endOffset: Int64 { state.withLock { $0.endOffset } }

  /// The offset of the first record that was not deleted.
  var startOffset: Int64 { state.withLock { $0.startOffset } }

  /// The total size of its batches, as they were sent.
  var byteCount: Int64 { state.withLock { $0.byteCount } }

  /// Why a batch was not appended.
  enum Refusal: Error {
    case answered(ErrorCode)
    case storage(SystemFailure)
  }

  /// Appends a batch, or recognizes a duplicate.
  ///
  /// - Returns: the offset of its first record.
  func append(_ header: BatchHeader, _ bytes: RawSpan) throws(Refusal) -> Int64 {
    let (outcome, woken) = state.withLock { state -> (Result<Int64, Refusal>, [Wakeup]) in
      do throws(Refusal) {
        let offset = try append(header, bytes, to: &state)
        return (.success(offset), Array(state.waiting.values))
      } catch {
        return (.failure(error), [])
      }
    }
    for wakeup in woken { wakeup.signal() }
    return try outcome.get()
  }

  private func append(
    _ header: BatchHeader, _ bytes: RawSpan, to state: inout State
  ) throws(Refusal) -> Int64 {
    if state.isDeleted { throw .answered(.unknownTopicOrPartition) }
    do throws(ErrorCode) {
      if case .duplicate(let offset) = try state.sequences.judge(header) { return offset }
    } catch {
      throw .answered(error)
    }
    if state.room < header.size {
      state.position = file.takeSegment()
      state.room = StorageFile.segmentSize
      state.segments.append(state.position)
    }
    let offset = state.endOffset
    do throws(SystemFailure) {
      try file.write(
        header.rewrittenStart(baseOffset: offset),
        bytes.extracting(BatchHeader.rewrittenSize..<header.size), at: state.position)
    } catch {
      throw .storage(error)
    }
    state.batches.append(
      Batch(
        baseOffset: offset, position: state.position, size: Int32(header.size),
        maxTimestamp: header.maxTimestamp,
        latestTimestamp: max(header.maxTimestamp, state.batches.last?.latestTimestamp ?? .min)))
    state.position += Int64(header.size)
    state.room -= header.size
    state.byteCount += Int64(header.size)
    state.endOffset = offset + Int64(header.lastOffsetDelta) + 1
    state.sequences.remember(header, baseOffset: offset)
    return offset
  }

  /// The ranges of the file that hold whole batches, starting with the batch that contains
  /// `offset`, up to `limit` bytes. With `atLeastOne`, the first batch is returned whatever its
  /// size, so that a consumer makes progress.
  func select(
    from offset: Int64, limit: Int, atLeastOne: Bool
  ) throws(ErrorCode) -> [(position: Int64, size: Int)] {
    let selected = state.withLock { state -> [(position: Int64, size: Int)]? in
      guard offset >= state.startOffset, offset <= state.endOffset else { return nil }
      var pieces: [(position: Int64, size: Int)] = []
      guard offset < state.endOffset else { return pieces }
      var total = 0
      var index = state.batches.firstIndex(sortedBy: { $0.baseOffset > offset }) - 1
      while index < state.batches.count {
        let batch = state.batches[index]
        let size = Int(batch.size)
        guard total + size <= limit || (total == 0 && atLeastOne) else { break }
        if let last = pieces.last, last.position + Int64(last.size) == batch.position {
          pieces[pieces.count - 1].size += size
        } else {
          pieces.append((batch.position, size))
        }
        total += size
        index += 1
      }
      return pieces
    }
    guard let selected else { throw .offsetOutOfRange }
    return selected
  }

  /// The first batch whose largest timestamp is `time` or later and that has records at or after
  /// `offset`: its position and size, and the offset after it.
  func firstBatch(
    reaching time: Int64, from offset: Int64
  ) -> (position: Int64, size: Int, endOffset: Int64)? {
    state.withLock { state in
      var index = max(
        state.batches.firstIndex(sortedBy: { $0.latestTimestamp >= time }),
        state.batches.firstIndex(sortedBy: { $0.baseOffset > offset }) - 1)
      while index < state.batches.count, state.batches[index].maxTimestamp < time { index += 1 }
      guard index < state.batches.count else { return nil }
      let isLast = index + 1 == state.batches.count
      return (
        state.batches[index].position, Int(state.batches[index].size),
        isLast ? state.endOffset : state.batches[index + 1].baseOffset
      )
    }
  }

  /// The largest timestamp in the batch headers; `nil` when there are no batches.
  var latestTimestamp: Int64? { state.withLock { $0.batches.last?.latestTimestamp } }

  /// Deletes the records before `offset`; -1 deletes all.
  ///
  /// - Returns: the new start offset.
  func deleteRecords(before offset: Int64) throws(ErrorCode) -> Int64 {
    let outcome = state.withLock { state -> (start: Int64, segments: [Int64])? in
      let offset = offset == -1 ? state.endOffset : offset
      guard offset >= 0, offset <= state.endOffset else { return nil }
      guard offset > state.startOffset else { return (state.startOffset, []) }
      state.startOffset = offset
      let kept =
        offset == state.endOffset
        ? state.batches.count : state.batches.firstIndex(sortedBy: { $0.baseOffset > offset }) - 1
      state.byteCount -= state.batches[..<kept].reduce(0) { $0 + Int64($1.size) }
      state.batches.removeSubrange(..<kept)
      var latest = Int64.min
      for index in state.batches.indices {
        latest = max(latest, state.batches[index].maxTimestamp)
        state.batches[index].latestTimestamp = latest
      }
      // Frees segments without remaining batches, except the last one, which is still written to.
      let first = state.batches.first?.position ?? state.position
      let free = state.segments.dropLast().prefix { segment in
        !(segment..<segment + Int64(StorageFile.segmentSize)).contains(first)
      }
      state.segments.removeFirst(free.count)
      return (state.startOffset, Array(free))
    }
    guard let outcome else { throw .offsetOutOfRange }
    for segment in outcome.segments { file.discardSegment(at: segment) }
    return outcome.start
  }

  /// Registers `wakeup`: every append signals it until ``stopWaking(_:)``.
  func wake(_ wakeup: Wakeup) {
    state.withLock { $0.waiting[ObjectIdentifier(wakeup)] = wakeup }
  }

  func stopWaking(_ wakeup: Wakeup) {
    state.withLock { _ = $0.waiting.removeValue(forKey: ObjectIdentifier(wakeup)) }
  }

  /// Frees the partition's disk space, and wakes waiting readers so that they see that it is gone.
  func delete() {
    let (segments, woken) = state.withLock { state in
      defer { state = State(isDeleted: true) }
      return (state.segments, Array(state.waiting.values))
    }
    for segment in segments { file.discardSegment(at: segment) }
    for wakeup in woken { wakeup.signal() }
  }
}

extension RandomAccessCollection where Index == Int {
  /// The first index whose element satisfies `isBehind`, which must hold for all elements after it.
  ///
  /// - Complexity: O(log count).
  func firstIndex(sortedBy isBehind: (Element) -> Bool) -> Int {
    var low = startIndex
    var high = endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
