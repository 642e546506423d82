import CBroker
import TestSupport
import Testing

@testable import EmbeddedKafka

@Suite struct BatchHeaderTests {
  private func refusal(_ bytes: [UInt8], version: Int16 = 7) -> ErrorCode? {
    do throws(ErrorCode) {
      _ = try BatchHeader(of: unsafe bytes.span.bytes, produceVersion: version)
      return nil
    } catch {
      return error
    }
  }

  @Test func knowsTheChecksum() {
    let digits = Array("123456789".utf8)
    unsafe digits.withUnsafeBytes {
      #expect(unsafe cbk_crc32c($0.baseAddress, $0.count) == 0xE306_9283)
      #expect(unsafe cbk_crc32c_portable($0.baseAddress, $0.count) == 0xE306_9283)
    }
  }

  @Test func instructionAndTablesAgreeOnEveryLength() {
    var generator = SeededGenerator(seed: 1)
    let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &generator) }
    unsafe bytes.withUnsafeBytes { buffer in
      for length in 0...buffer.count {
        let both = unsafe (
          cbk_crc32c(buffer.baseAddress, length), cbk_crc32c_portable(buffer.baseAddress, length)
        )
        #expect(both.0 == both.1)
      }
    }
  }

  @Test func takesAWholeBatch() throws {
    let bytes = TestBatch(["a", "b", "c"]).bytes
    let header = try BatchHeader(of: unsafe bytes.span.bytes, produceVersion: 7)
    #expect(header.size == bytes.count)
    #expect(header.lastOffsetDelta == 2)
    #expect(header.rewrittenStart(baseOffset: 258).prefix(8) == [0, 0, 0, 0, 0, 0, 1, 2])
    #expect(header.rewrittenStart(baseOffset: 258)[8..<12] == bytes[8..<12])
  }

  @Test func refusesEveryTornOne() {
    let bytes = TestBatch(["a", "b", "c"]).bytes
    for length in 0..<bytes.count {
      #expect(refusal(Array(bytes.prefix(length))) == .corruptMessage)
    }
  }

  @Test func refusesEveryFlippedBit() {
    let bytes = TestBatch(["a", "b"]).bytes
    // From the length on. A broker overwrites the bytes before it.
    for index in 8..<bytes.count where !(12..<16).contains(index) {
      for bit in 0..<8 {
        var wrong = bytes
        wrong[index] ^= 1 << UInt8(bit)
        #expect(refusal(wrong) != nil, "byte \(index), bit \(bit)")
      }
    }
  }

  static let wrongs:
    [(name: String, change: @Sendable (inout TestBatch) -> Void, code: ErrorCode)] =
      [
        ("old format", { $0.magic = 1 }, .invalidRecord),
        ("checksum", { $0.checksumDelta = 1 }, .corruptMessage),
        ("no records", { $0.records = [] }, .invalidRecord),
        ("count", { $0.claimedCount = 3 }, .invalidRecord),
        ("negative count", { $0.claimedCount = -1 }, .invalidRecord),
        (
          "count larger than the bytes",
          {
            $0.claimedCount = 1_000_000
            $0.claimedLastDelta = 999_999
          }, .invalidRecord
        ),
        ("codec", { $0.attributes = 5 }, .unsupportedCompressionType),
        ("transactional", { $0.attributes = 0x10 }, .invalidTransactionState),
        ("control", { $0.attributes = 0x20 }, .invalidRecord),
        ("producer without sequence", { $0.producerID = 4 }, .invalidRecord),
        (
          "too large", { $0.records = [(0, String(repeating: "x", count: 1_048_588))] },
          .messageTooLarge
        ),
      ]

  @Test(arguments: wrongs.indices) func refuses(_ index: Int) {
    let wrong = Self.wrongs[index]
    var batch = TestBatch(["a", "b"])
    wrong.change(&batch)
    #expect(refusal(batch.bytes) == wrong.code, "\(wrong.name)")
  }

  @Test func refusesASecondBatchAndOldZstandard() {
    let bytes = TestBatch(["a"]).bytes
    #expect(refusal(bytes + bytes) == .invalidRecord)
    var zstandard = TestBatch(["a"])
    zstandard.attributes = 4
    #expect(refusal(zstandard.bytes, version: 6) == .unsupportedCompressionType)
    #expect(refusal(zstandard.bytes, version: 7) == nil)
  }
}
