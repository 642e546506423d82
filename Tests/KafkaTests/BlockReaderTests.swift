import Glibc
import Plumbing
import TestSupport
import Testing

@Suite struct BlockReaderTests {
  /// A pipe whose writing end a test fills; both ends are closed with this object.
  final class TestPipe {
    let readEnd: Int32
    private(set) var writeEnd: Int32

    init() throws {
      var ends: [Int32] = [-1, -1]
      guard unsafe pipe(&ends) == 0 else { throw SystemFailure("making a pipe") }
      readEnd = ends[0]
      writeEnd = ends[1]
    }

    deinit {
      close(readEnd)
      closeWriting()
    }

    func write(_ bytes: [UInt8]) {
      _ = unsafe Glibc.write(writeEnd, bytes, bytes.count)
    }

    func closeWriting() {
      if writeEnd >= 0 { close(writeEnd) }
      writeEnd = -1
    }
  }

  @Test func bytesComeOutTheSameHoweverTheyAreCut() throws {
    for seed in 1...40 as ClosedRange<UInt64> {
      var random = SeededGenerator(seed: seed)
      let pipe = try TestPipe()
      var reader = BlockReader(from: pipe.readEnd, named: "pipe", capacity: 16)
      var written: [UInt8] = []
      var read: [UInt8] = []
      for _ in 0..<50 {
        let chunk = (0..<Int.random(in: 1...60, using: &random)).map { _ in
          UInt8.random(in: 0...255, using: &random)
        }
        written += chunk
        pipe.write(chunk)
        #expect(try reader.wait() == .data)
        // Bytes that are not consumed stay at the front, and the storage grows when none are
        // consumed.
        let count = Int.random(in: 0...reader.count, using: &random)
        read += unsafe Array(reader.bytes.prefix(count))
        reader.consume(count)
      }
      pipe.closeWriting()
      while try reader.wait() == .data {}
      read += unsafe Array(reader.bytes)
      #expect(read == written, "seed \(seed)")
      #expect(try reader.wait() == .end)
    }
  }

  @Test func itWaitsForTheOtherDescriptorAndNoLongerThanTold() throws {
    let pipe = try TestPipe()
    let other = try TestPipe()
    var reader = BlockReader(from: pipe.readEnd, named: "pipe")
    #expect(try reader.wait(upTo: .milliseconds(5)) == .nothing)
    other.write([1])
    #expect(try reader.wait(alsoFor: other.readEnd) == .nothing)
    pipe.write([7])
    #expect(try reader.wait(alsoFor: other.readEnd) == .data)
    #expect(reader.count == 1)
  }
}
