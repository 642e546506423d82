import CBroker
import CRdkafka
import Foundation
import Glibc
import TestSupport
import Testing

@testable import EmbeddedKafka

/// Hostile requests: the broker answers each or closes its connection, and its stored records stay
/// intact.
@Suite struct FrameFuzzTests {
  /// Valid requests of every kind, to be damaged.
  static let seeds: [RequestBytes] = {
    var seeds: [RequestBytes] = []
    for api in API.allCases {
      for version in api.versions {
        var request = RequestBytes(Int(api.rawValue), version: Int(version))
        request.string("t")
        request.int32(1)
        request.string("t")
        request.int32(0)
        request.bytes += TestBatch(["a"]).bytes
        seeds.append(request)
      }
    }
    for version in 3...7 {
      seeds.append(.produce(TestBatch(["a", "b"]).bytes, to: "t", version: version))
    }
    seeds += [.fetch("t", from: 0), .metadata(["t"]), .metadata(nil)]
    seeds += [joining("g", strategies: 2), joining("", strategies: 0)]
    seeds += administration
    return seeds
  }()

  /// Valid requests of administrative tools.
  private static var administration: [RequestBytes] {
    var partitions = RequestBytes(37, version: 1)
    partitions.int32(1)
    partitions.string("t")
    partitions.int32(2)
    partitions.int32(-1)
    partitions.int32(1000)
    partitions.int8(1)
    var records = RequestBytes(21, version: 1)
    records.int32(1)
    records.string("t")
    records.int32(1)
    records.int32(0)
    records.int64(3)
    records.int32(1000)
    var settings = RequestBytes(44, version: 0)
    settings.int32(1)
    settings.int8(2)
    settings.string("t")
    settings.int32(1)
    settings.string("cleanup.policy")
    settings.int8(2)
    settings.string("compact")
    settings.int8(0)
    var described = RequestBytes(32, version: 3)
    described.int32(1)
    described.int8(2)
    described.string("t")
    described.int32(-1)
    described.int8(1)
    described.int8(1)
    return [partitions, records, settings, described]
  }

  private static func joining(_ group: String, strategies: Int) -> RequestBytes {
    var request = RequestBytes(11, version: 5)
    request.string(group)
    request.int32(10_000)
    request.int32(0)
    request.string("")
    request.string(nil)
    request.string("consumer")
    request.int32(strategies)
    for _ in 0..<strategies {
      request.string("range")
      request.int32(0)
    }
    return request
  }

  private func mutated(_ seed: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var bytes = seed
    for _ in 0..<Int.random(in: 0...6, using: &generator) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &generator)
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 1: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0
      case 2: bytes.removeSubrange(place...)
      case 3: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
      default: bytes += bytes[place...].prefix(40)
      }
    }
    return bytes
  }

  @Test func everyFrameIsAnsweredOrRefused() throws {
    let file = try StorageFile(directory: NSTemporaryDirectory())
    let node = Node(port: 1, file: file, firstID: 1) { _ in }
    try node.topics.create("t", partitionCount: 1)
    // The client has closed the connection, so no request waits.
    var ends: [Int32] = [-1, -1]
    try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    close(ends[1])
    defer { close(ends[0]) }
    var answered = 0
    var refused = 0
    Fuzzing.run("frames") { generator in
      for _ in 0..<200 {
        guard let seed = Self.seeds.randomElement(using: &generator) else { continue }
        let frame = mutated(seed.bytes, &generator)
        do throws(MalformedFrame) {
          let answer = try node.respond(to: unsafe frame.span.bytes, from: ends[0])
          if let answer { try check(answer) }
          answered += 1
        } catch {
          refused += 1
        }
      }
    }
    #expect(answered > 100 && refused > 100)
    // Its records are still intact.
    try checkLogs(node)
  }

  private func check(_ answer: Response) throws(MalformedFrame) {
    let total = answer.pieces.reduce(answer.fields.bytes.count) { $0 + $1.size }
    let length = answer.fields.bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    #expect(length == total - 4)
  }

  private func checkLogs(_ node: Node) throws {
    for topic in node.topics.all {
      for log in topic.partitions {
        var offset = log.startOffset
        while offset < log.endOffset {
          let piece = try #require(
            try log.select(from: offset, limit: 1, atLeastOne: true).first)
          let bytes = try node.file.read(count: piece.size, at: piece.position)
          let header = try BatchHeader(of: unsafe bytes.span.bytes, produceVersion: 7)
          let base = unsafe bytes.span.bytes.bigEndian(0, as: Int64.self)
          // The first batch may have records before the start offset.
          #expect(base == offset || (base < offset && offset == log.startOffset))
          offset = base + Int64(header.lastOffsetDelta) + 1
        }
      }
    }
  }

  /// A search for a timestamp in a damaged compressed batch always ends.
  @Test(arguments: ["gzip", "snappy", "lz4", "zstd"])
  func damagedBatchesAreUnpackedOrNot(codec: String) throws {
    let broker = try Broker(port: 0, directory: NSTemporaryDirectory()) { _ in }
    let client = try RealClient(
      RD_KAFKA_PRODUCER, port: broker.port, ["compression.type": codec, "linger.ms": "100"])
    try client.produce(times: (1...300).map { Int64($0) * 1000 }, to: "t")
    let raw = try RawClient(port: broker.port)
    let stored = try #require(raw.fetch(.fetch("t", from: 299, maxBytes: 1))).records
    try #require(stored.count > BatchHeader.size)
    #expect(StoredBatch(stored).firstRecord(reaching: 300_000, from: 0)?.offset == 299)
    Fuzzing.run(codec, share: 0.25) { generator in
      let damaged =
        Array(stored[..<BatchHeader.size])
        + mutated(Array(stored[BatchHeader.size...]), &generator)
      // A batch that can't be decompressed counts as its first record.
      let found = StoredBatch(damaged).firstRecord(reaching: 300_000, from: 0)
      #expect(found.map { $0.time >= 300_000 || $0.offset < 300 } ?? true, "seed \(Fuzzing.seed)")
    }
  }

  /// Batches whose checksum is right and whose header or records are not: what is acknowledged can be read, all of it.
  @Test func brokenBatchesAreRefusedOrReadable() throws {
    let broker = try Broker(port: 0, directory: NSTemporaryDirectory()) { _ in }
    let raw = try RawClient(port: broker.port)
    var seeds = [TestBatch(["a", "bc", ""]).bytes, TestBatch(["a"], time: 0).bytes]
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
      let client = try RealClient(
        RD_KAFKA_PRODUCER, port: broker.port, ["compression.type": codec, "linger.ms": "100"])
      try client.produce(times: (1...40).map { Int64($0) * 1000 }, to: codec)
      let stored = try #require(raw.fetch(.fetch(codec, from: 0, maxBytes: 1))).records
      seeds.append(stored)
    }
    var ends: [Int32] = [-1, -1]
    try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    close(ends[1])
    defer { close(ends[0]) }
    var records = TopicReader.Records()
    var (kept, refused) = (0, 0)
    try Fuzzing.run("batches") { generator in
      // A topic a round, so that the file's room is given back.
      let log = try #require(try broker.node.topics.create("t", partitionCount: 1)[0])
      defer { _ = try? broker.node.topics.delete("t") }
      let reader = try broker.reader(of: "t")
      for _ in 0..<200 {
        guard let seed = seeds.randomElement(using: &generator) else { continue }
        let batch = Self.broken(seed, &generator)
        let start = log.endOffset
        let version = Int.random(in: 3...7, using: &generator)
        let request = RequestBytes.produce(batch, to: "t", version: version)
        // A request that can't be read at all ends its connection.
        _ = try? broker.node.respond(to: unsafe request.bytes.span.bytes, from: ends[0])
        guard log.endOffset > start else {
          refused += 1
          continue
        }
        kept += 1
        try reader.read(partition: 0, from: start, into: &records)
        #expect(records.unreadable == 0, "seed \(Fuzzing.seed): \(batch)")
        #expect(
          records.all.map(\.offset) == Array(start..<log.endOffset),
          "seed \(Fuzzing.seed): \(batch)")
      }
    }
    #expect(kept > 0 && refused > 100)
  }

  /// Damages fields of the header, the records, or the batch's end, and mostly makes size and checksum right again.
  private static func broken(_ seed: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var bytes = seed
    for _ in 0...Int.random(in: 0...3, using: &generator) {
      let kind = Int.random(in: 0..<8, using: &generator)
      switch kind {
      case 0: bytes[22] = UInt8.random(in: 0...255, using: &generator)  // codec and flags
      case 1:
        // A count, an offset, a time or a producer's number.
        guard let field = [23, 27, 35, 43, 53, 57].randomElement(using: &generator) else { break }
        let value = [-1, 0, 1, 3, 4096, Int32.max, .min].randomElement(using: &generator) ?? 0
        for (index, byte) in bigEndianBytes(UInt32(bitPattern: value)).enumerated() {
          bytes[field + index] = byte
        }
      case 2 where bytes.count > 62:
        bytes.removeLast(Int.random(in: 1...(bytes.count - 61), using: &generator))
      case 3: bytes.append(UInt8.random(in: 0...255, using: &generator))
      case 4 where bytes.count > 61:
        let place = Int.random(in: 61..<bytes.count, using: &generator)
        bytes.insert(contentsOf: bytes[61...place].prefix(20), at: place)
      default:
        guard bytes.count > 61 else { break }
        let place = Int.random(in: 61..<bytes.count, using: &generator)
        bytes[place] =
          Bool.random(using: &generator)
          ? bytes[place] ^ 1 << UInt8.random(in: 0..<8, using: &generator)
          : UInt8.random(in: 0...255, using: &generator)
      }
    }
    let isHonest = Int.random(in: 0..<20, using: &generator) > 0
    let size = UInt32(bytes.count - 12) &+ (isHonest ? 0 : 7)
    let sum = unsafe bytes[21...].withUnsafeBytes {
      unsafe cbk_crc32c_portable($0.baseAddress, $0.count)
    }
    for (index, byte) in bigEndianBytes(size).enumerated() {
      bytes[8 + index] = byte
    }
    for (index, byte) in bigEndianBytes(sum).enumerated() {
      bytes[17 + index] = byte
    }
    return bytes
  }

  @Test func randomBytesOverTheWireHurtNobodyElse() throws {
    var generator = SeededGenerator(seed: 11)
    let broker = try Broker(port: 0, directory: NSTemporaryDirectory()) { _ in }
    let witness = try RawClient(port: broker.port)
    _ = witness.ask(.metadata(["t"]))
    for round in 0..<100 {
      let hostile = try RawClient(port: broker.port)
      var bytes = (0..<Int.random(in: 1...300, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      if round % 2 == 0, let seed = Self.seeds.randomElement(using: &generator) {
        bytes = Array(seed.frame.prefix(bytes.count)) + bytes
      }
      hostile.send(bytes)
      if round % 3 == 0 { hostile.endSending() }
    }
    #expect(witness.produce(TestBatch(["a"]), to: "t")?.failure == 0)
  }
}

private func bigEndianBytes(_ number: UInt32) -> [UInt8] {
  [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
}
