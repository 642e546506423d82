/// The recent batches of a partition's idempotent producers. They identify a batch that is sent
/// again because its acknowledgement was lost, so that it is not appended twice.
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
    /// Newest last, at most five, which is the maximum number of a client's batches in flight.
    var recent: [Appended]
  }

  private var producers: [Int64: Producer] = [:]

  /// What to do with a batch.
  enum Verdict: Equatable {
    case append
    case duplicate(baseOffset: Int64)
  }

  /// - Throws: the error that a broker responds with for a batch out of sequence.
  func judge(_ batch: BatchHeader) throws(ErrorCode) -> Verdict {
    guard batch.producerID >= 0 else { return .append }
    guard let producer = producers[batch.producerID] else {
      // Clients recover from this error, but fail at an out-of-order error.
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

  /// Records a batch with verdict ``Verdict/append`` after it was written.
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
  /// The sequence number of the batch's last record. The largest one is followed by 0.
  var lastSequence: Int32 {
    let sum = Int64(baseSequence) + Int64(lastOffsetDelta)
    return Int32(truncatingIfNeeded: sum % (Int64(Int32.max) + 1))
  }
}
