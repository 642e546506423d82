import Glibc
import Testing

@testable import Plumbing

/// A pipe whose ends are closed with this value.
private struct Pipe: ~Copyable {
  let reader: Int32
  private(set) var writer: Int32

  init() throws {
    var ends: [Int32] = [0, 0]
    try #require(unsafe pipe(&ends) == 0)
    (reader, writer) = (ends[0], ends[1])
  }

  deinit {
    close(reader)
    if writer >= 0 { close(writer) }
  }

  func write(_ bytes: [UInt8]) throws {
    #expect(unsafe Glibc.write(writer, bytes, bytes.count) == bytes.count)
  }

  mutating func finish() {
    close(writer)
    writer = -1
  }
}

private func lines(of descriptor: Int32, capacity: Int = 64) throws -> [[UInt8]] {
  var reader = LineReader(from: descriptor, named: "a pipe", capacity: capacity)
  var lines: [[UInt8]] = []
  while let line = try reader.nextLine() {
    lines.append(unsafe line.withUnsafeBytes { unsafe Array($0) })
  }
  return lines
}

@Suite struct LineReaderTests {
  @Test(
    arguments: [
      ("", []), ("a", ["a"]), ("a\n", ["a"]), ("\n", [""]), ("\n\n", ["", ""]),
      ("a\n\nb", ["a", "", "b"]),
      ("a\r\nb\n", ["a\r", "b"]), ("a\0b\n", ["a\0b"]),
    ] as [(String, [String])])
  func linesAreLentWithoutTheirNewline(text: String, expected: [String]) throws {
    var pipe = try Pipe()
    try pipe.write(Array(text.utf8))
    pipe.finish()
    #expect(try lines(of: pipe.reader) == expected.map { Array($0.utf8) })
  }

  @Test func choppingTheInputAnywhereChangesNothing() throws {
    let text =
      Array("one\n\nthree and some more\nx\n".utf8) + [UInt8](repeating: 65, count: 200) + [10, 66]
    let whole = text.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
    for cut in 0...text.count {
      for capacity in [1, 7, 64, 4096] {
        var pipe = try Pipe()
        try pipe.write(Array(text[..<cut]))
        var reader = LineReader(from: pipe.reader, named: "a pipe", capacity: capacity)
        var seen: [[UInt8]] = []
        let early = text[..<cut].count { $0 == 10 }
        while seen.count < early, let line = try reader.nextLine() {
          seen.append(unsafe line.withUnsafeBytes { unsafe Array($0) })
        }
        try pipe.write(Array(text[cut...]))
        pipe.finish()
        while let line = try reader.nextLine() {
          seen.append(unsafe line.withUnsafeBytes { unsafe Array($0) })
        }
        #expect(seen == whole, "cut at \(cut), capacity \(capacity)")
        let (isTerminated, number) = (reader.lineIsTerminated, reader.lineNumber)
        #expect(!isTerminated)
        #expect(number == whole.count)
      }
    }
  }

  @Test func aLineOverTheLimitIsNamed() throws {
    var pipe = try Pipe()
    try pipe.write(Array("short\n".utf8) + [UInt8](repeating: 65, count: 1000))
    pipe.finish()
    var reader = LineReader(
      from: pipe.reader, named: "a pipe", capacity: 16, maximumLineLength: 100)
    _ = try reader.nextLine()
    let failure = #expect(throws: LineTooLong.self) { _ = try reader.nextLine() }
    #expect(failure?.message == "line 2: longer than 100 bytes")
  }

  @Test func aDirectoryIsAnError() throws {
    let descriptor = unsafe open("/", O_RDONLY)
    defer { close(descriptor) }
    let failure = #expect(throws: SystemFailure.self) { _ = try lines(of: descriptor) }
    #expect(failure?.message == "reading a pipe: is a directory")
  }
}

@Suite struct LineWriterTests {
  @Test func noWriteEndsInsideALine() throws {
    var ends: [Int32] = [0, 0]
    // A sequenced-packet socket preserves the boundaries of writes.
    try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0)
    defer { for end in ends { close(end) } }
    var writer = LineWriter(to: ends[1], named: "a socket", capacity: 100)
    for number in 0..<50 { try writer.append("line \(number)\n") }
    try writer.close()
    close(ends[1])
    ends[1] = -1
    var text = ""
    var packet = [UInt8](repeating: 0, count: 4096)
    while case let count = unsafe read(ends[0], &packet, packet.count), count > 0 {
      #expect(packet[count - 1] == 10)
      text += String(decoding: packet[..<count], as: UTF8.self)
    }
    #expect(text == (0..<50).map { "line \($0)\n" }.joined())
  }

  @Test func aFullDeviceIsAnError() throws {
    let descriptor = unsafe open("/dev/full", O_WRONLY)
    defer { close(descriptor) }
    var writer = LineWriter(to: descriptor, named: "standard output")
    try writer.append("data\n")
    let failure = #expect(throws: SystemFailure.self) { try writer.flush() }
    #expect(failure?.message == "writing standard output: no space left on device")
    #expect(failure?.exitStatus == .system)
  }
}
