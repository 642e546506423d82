import CRdkafka
import Foundation
import TestSupport
import Testing

@testable import EmbeddedKafka

/// Batches with a correct checksum and invalid records are refused when they arrive, so that no
/// consumer gets them.
@Suite struct BrokenBatchTests {
  private let broker: Broker
  private let client: RawClient

  init() throws {
    (broker, client) = try RawClient.withBroker()
    _ = try #require(client.ask(.metadata(["t"])))
  }

  private func refused(_ batch: TestBatch, with code: Int, _ what: String) throws {
    #expect(try #require(client.produce(batch, to: "t")) == (code, -1), "\(what)")
    #expect(broker.endOffsets(topic: "t") == [0, 0, 0, 0])
  }

  @Test(arguments: 1...4)
  func recordsThatDoNotDecompress(codec: Int) throws {
    var batch = TestBatch(["a", "b"])
    batch.attributes = codec
    let whole = batch.recordBytes
    for replacement in [whole, [], [UInt8](repeating: 0xA5, count: 500), Array(0...255)] {
      batch.replacement = replacement
      try refused(batch, with: 87, "\(replacement.count) bytes")
    }
    #expect(client.produce(TestBatch(["a"]), to: "t")?.failure == 0)
  }

  @Test(arguments: ["gzip", "snappy", "lz4", "zstd"])
  func damageIsFuzzed(codec: String) throws {
    let producer = try RealClient(
      RD_KAFKA_PRODUCER, port: broker.port, ["compression.type": codec, "linger.ms": "10000"])
    try producer.produce(times: (1...300).map { Int64($0) * 1000 }, to: "t")
    var records = try #require(client.fetch(.fetch("t", from: 0, maxBytes: 1 << 20))).records[...]
    // The first batch may have so few records that the client does not compress it.
    var found: (batch: [UInt8], header: BatchHeader)?
    while found == nil, records.count > BatchHeader.size {
      let length = records.dropFirst(8).prefix(4).reduce(0) { $0 << 8 | Int($1) }
      let batch = Array(records.prefix(12 + length))
      let header = try BatchHeader(of: unsafe batch.span.bytes, produceVersion: 7)
      if header.codec != 0 { found = (batch, header) }
      records = records.dropFirst(12 + length)
    }
    let (stored, header) = try #require(found)
    try header.check(recordsOf: unsafe stored.span.bytes, RecordCheck.Rules())
    var passed = 0
    Fuzzing.run("batch in \(codec)", share: 0.25) { generator in
      var damaged = stored
      let place = BatchHeader.size + generator.below(header.size - BatchHeader.size)
      damaged[place] ^= UInt8(1 << generator.below(8))
      do throws(ErrorCode) {
        try header.check(recordsOf: unsafe damaged.span.bytes, RecordCheck.Rules())
        passed += 1
      } catch {
        #expect(error == .invalidRecord || error == .invalidTimestamp)
      }
    }
    _ = passed
  }

  @Test func recordsThatAreNotWhatTheirHeaderSays() throws {
    let whole = TestBatch(["a", "bc"])
    let bytes = whole.recordBytes
    for end in 1..<bytes.count {
      var torn = whole
      torn.replacement = Array(bytes[..<end])
      try refused(torn, with: 87, "torn at \(end)")
    }
    var trailing = whole
    trailing.replacement = bytes + [0]
    try refused(trailing, with: 87, "a byte too many")
    var few = TestBatch(["aaaaaaaaaaaaaaaaaaaa"])
    few.claimedCount = 2
    few.claimedLastDelta = 1
    try refused(few, with: 87, "fewer records than claimed")
    // The second record claims to be the third.
    var jumping = whole
    jumping.replacement = bytes
    let second = Int(bytes[0]) / 2 + 1
    jumping.replacement?[second + 3] = 4
    try refused(jumping, with: 87, "an offset is left out")
  }

  @Test func aSmallBatchThatIsLargeInside() throws {
    // 100 MB of zeros in about 100 kB.
    let gzip = Process()
    gzip.executableURL = URL(fileURLWithPath: "/bin/sh")
    gzip.arguments = ["-c", "head -c 100000000 /dev/zero | gzip -9"]
    let output = Pipe()
    gzip.standardOutput = output
    try gzip.run()
    let packed = [UInt8](try output.fileHandleForReading.readToEnd() ?? Data())
    gzip.waitUntilExit()
    try #require(packed.count > 50_000)
    var bomb = TestBatch(["a"])
    bomb.attributes = 1
    bomb.replacement = packed
    try refused(bomb, with: 87, "a bomb")
    do throws(Codec.Failure) {
      try Codec.gzip.decompress(unsafe packed.span.bytes, limit: 1 << 20) { _ in true }
      Issue.record("no limit")
    } catch {
      #expect(error == .tooLarge)
    }
  }

  @Test func timesFarAheadAreRefused() throws {
    let now = Int(Date().timeIntervalSince1970 * 1000)
    for (time, code) in [(now + 7_200_000, 32), (now + 1_800_000, 0), (now, 0), (-1, 0), (0, 0)] {
      #expect(client.produce(TestBatch(["a"], time: time), to: "t")?.failure == code, "\(time)")
    }
    // One record is enough. The header's maximum is not trusted.
    var one = TestBatch(records: [(now, "a"), (now + 7_200_000, "b"), (now, "c")])
    one.attributes = 0
    #expect(client.produce(one, to: "t")?.failure == 32)
  }
}
