/// What a partition remembers of its idempotent producers, so that a batch that is sent again,
/// because its acknowledgement was lost, is recognised and not appended twice.
struct ProducerSequences {
  /// A batch that was appended.
  private struct Appended {
    let firstSequence: Int32
    let lastSequence: Int32
    let baseOffset: Int64
  }

  private struct Producer {
    var epoch: Int16
    var lastSequence: Int32
    /// The newest last, five at most: a client has no more batches under way.
    var recent: [Appended]
  }

  private var producers: [Int64: Producer] = [:]

  /// What is to be done with a batch.
  enum Verdict: Equatable {
    case append
    case duplicate(baseOffset: Int64)
  }

  /// - Throws: the error a broker answers for a batch out of its producer's order.
  func judge(_ batch: BatchHeader) throws(ErrorCode) -> Verdict {
    guard batch.producerID >= 0 else { return .append }
    guard let producer = producers[batch.producerID] else {
      // Clients recover from this; an out-of-order answer would be the end of them.
      guard batch.baseSequence == 0 else { throw .unknownProducerID }
      return .append
    }
    if batch.producerEpoch < producer.epoch { throw .invalidProducerEpoch }
    if batch.producerEpoch > producer.epoch {
      guard batch.baseSequence == 0 else { throw .outOfOrderSequenceNumber }
      return .append
    }
    let last = batch.lastSequence
    for before in producer.recent
    where before.firstSequence == batch.baseSequence && before.lastSequence == last {
      return .duplicate(baseOffset: before.baseOffset)
    }
    let expected = producer.lastSequence == .max ? 0 : producer.lastSequence + 1
    guard batch.baseSequence == expected else { throw .outOfOrderSequenceNumber }
    return .append
  }

  /// Remembers a batch that was judged ``Verdict/append`` and written.
  mutating func remember(_ batch: BatchHeader, baseOffset: Int64) {
    guard batch.producerID >= 0 else { return }
    let appended = Appended(
      firstSequence: batch.baseSequence, lastSequence: batch.lastSequence, baseOffset: baseOffset)
    var producer =
      producers.removeValue(forKey: batch.producerID)
      ?? Producer(epoch: batch.producerEpoch, lastSequence: -1, recent: [])
    if producer.epoch != batch.producerEpoch {
      producer.epoch = batch.producerEpoch
      producer.recent.removeAll()
    }
    if producer.recent.count == 5 { producer.recent.removeFirst() }
    producer.recent.append(appended)
    producer.lastSequence = appended.lastSequence
    producers[batch.producerID] = producer
  }
}

extension BatchHeader {
  /// The sequence of the batch's last record; after the largest comes 0.
  var lastSequence: Int32 {
    let sum = Int64(baseSequence) + Int64(lastOffsetDelta)
    return Int32(truncatingIfNeeded: sum % (Int64(Int32.max) + 1))
  }
}
