import Testing

@testable import EmbeddedKafka

@Suite struct ProducerSequencesTests {
  /// The verdict on a batch of producer 5. Batches to append are remembered.
  private func judge(
    _ sequences: inout ProducerSequences, epoch: Int = 0, from first: Int, count: Int = 1,
    at offset: Int64 = 0
  ) throws -> Result<ProducerSequences.Verdict, ErrorCode> {
    var batch = TestBatch(Array(repeating: "x", count: count))
    batch.producerID = 5
    batch.producerEpoch = epoch
    batch.baseSequence = first
    let bytes = batch.bytes
    let header = try BatchHeader(of: unsafe bytes.span.bytes, produceVersion: 7)
    do throws(ErrorCode) {
      let verdict = try sequences.judge(header)
      if verdict == .append { sequences.remember(header, baseOffset: offset) }
      return .success(verdict)
    } catch {
      return .failure(error)
    }
  }

  @Test func appendsInOrderAndRefusesGaps() throws {
    var sequences = ProducerSequences()
    #expect(try judge(&sequences, from: 0, count: 3) == .success(.append))
    #expect(try judge(&sequences, from: 3, count: 2) == .success(.append))
    #expect(try judge(&sequences, from: 6) == .failure(.outOfOrderSequenceNumber))
    #expect(try judge(&sequences, from: 5) == .success(.append))
  }

  @Test func acknowledgesTheLastFiveAgainWithTheirOffsets() throws {
    var sequences = ProducerSequences()
    for number in 0..<7 {
      let verdict = try judge(
        &sequences, from: number * 10, count: 10, at: Int64(1000 + number * 10))
      #expect(verdict == .success(.append))
    }
    for number in 2..<7 {
      let offset = Int64(1000 + number * 10)
      #expect(
        try judge(&sequences, from: number * 10, count: 10)
          == .success(.duplicate(baseOffset: offset)))
    }
    #expect(try judge(&sequences, from: 10, count: 10) == .failure(.outOfOrderSequenceNumber))
    // A part of a batch is a different batch.
    #expect(try judge(&sequences, from: 60, count: 5) == .failure(.outOfOrderSequenceNumber))
  }

  @Test func knowsEpochs() throws {
    var sequences = ProducerSequences()
    #expect(try judge(&sequences, epoch: 1, from: 0, count: 4) == .success(.append))
    #expect(try judge(&sequences, epoch: 0, from: 4) == .failure(.invalidProducerEpoch))
    #expect(try judge(&sequences, epoch: 2, from: 4) == .failure(.outOfOrderSequenceNumber))
    #expect(try judge(&sequences, epoch: 2, from: 0) == .success(.append))
    // The same sequence numbers of an earlier epoch belong to other records.
    #expect(try judge(&sequences, epoch: 1, from: 0, count: 4) == .failure(.invalidProducerEpoch))
    #expect(try judge(&sequences, epoch: 2, from: 1) == .success(.append))
  }

  @Test func tellsAnUnknownProducerFromAGap() throws {
    var sequences = ProducerSequences()
    #expect(try judge(&sequences, from: 8) == .failure(.unknownProducerID))
    #expect(try judge(&sequences, from: 0) == .success(.append))
  }

  @Test func goesOnAtZeroAfterTheLargest() throws {
    var sequences = ProducerSequences()
    let largest = Int(Int32.max)
    #expect(try judge(&sequences, from: 0, count: 5) == .success(.append))
    // Two thousand million records would be too many: a batch that ends one before the largest
    // number.
    var batch = TestBatch(["x"])
    batch.producerID = 6
    batch.producerEpoch = 0
    batch.baseSequence = largest - 1
    let bytes = batch.bytes
    let header = try BatchHeader(of: unsafe bytes.span.bytes, produceVersion: 7)
    var other = ProducerSequences()
    other.remember(header, baseOffset: 0)
    batch.records = [(0, "a"), (0, "b"), (0, "c")]
    batch.baseSequence = largest
    let wrapped = batch.bytes
    let next = try BatchHeader(of: unsafe wrapped.span.bytes, produceVersion: 7)
    #expect(next.lastSequence == 1)
    #expect(try other.judge(next) == .append)
  }
}
