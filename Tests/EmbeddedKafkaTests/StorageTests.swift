import Foundation
import Glibc
import Synchronization
import Testing

@testable import EmbeddedKafka

@Suite struct StorageTests {
  /// The broker's messages, from any thread.
  private final class Said: Sendable {
    let lines = Mutex<[String]>([])
  }

  private func node(_ file: StorageFile, _ said: Said) throws -> Node {
    let node = Node(port: 1, file: file, firstID: 1) { line in
      said.lines.withLock { $0.append(line) }
    }
    try node.topics.create("t", partitionCount: 2)
    return node
  }

  /// The error code of a Produce response; `nil` when the connection is closed.
  private func produce(_ node: Node, acks: Int = -1) throws -> Int? {
    let request = RequestBytes.produce(TestBatch(["a"]).bytes, to: "t", acks: acks).bytes
    guard let answer = try? node.respond(to: unsafe request.span.bytes, from: -1) else {
      return nil
    }
    var fields = AnswerBytes(answer.fields.bytes)
    _ = (fields.int32(), fields.int32(), fields.int32(), fields.string())
    _ = (fields.int32(), fields.int32())
    return fields.int16()
  }

  @Test func aFullDiskRefusesAndSaysSoOnce() throws {
    let full = unsafe open("/dev/full", O_RDWR)
    try #require(full >= 0)
    let said = Said()
    let node = try node(StorageFile(descriptor: full), said)
    #expect(try produce(node) == 56)
    #expect(try produce(node) == 56)
    let lines = said.lines.withLock { $0 }
    #expect(lines.count == 1)
    #expect(lines.first?.contains("no space left on device") == true)
    #expect(node.topics["t", 0]?.endOffset == 0)
    // A client with an error response has lost nothing. One that requested no response has.
    #expect(!node.lostSomething)
    #expect(try produce(node, acks: 0) == nil)
    #expect(node.lostSomething)
  }

  @Test func goesOnWhereItStoppedWhenThereIsRoomAgain() throws {
    let file = try StorageFile(directory: NSTemporaryDirectory())
    let said = Said()
    let node = try node(file, said)
    #expect(try produce(node) == 0)
    // A read-only file: every write fails, as on a full disk but with another error.
    let path = "/proc/self/fd/\(file.descriptor)"
    let spare = dup(file.descriptor)
    let readOnly = unsafe open(path, O_RDONLY)
    try #require(readOnly >= 0 && dup2(readOnly, file.descriptor) >= 0)
    #expect(try produce(node) == 56)
    try #require(dup2(spare, file.descriptor) >= 0)
    #expect(try produce(node) == 0)
    #expect(node.topics["t", 0]?.endOffset == 2)
    close(spare)
    close(readOnly)
  }

  @Test func recordsThatCannotBeReadBackAreALoss() throws {
    let said = Said()
    let broker = try Broker(port: 0, directory: NSTemporaryDirectory()) { line in
      said.lines.withLock { $0.append(line) }
    }
    let client = try RawClient(port: broker.port)
    _ = client.ask(.metadata(["t"]))
    #expect(client.produce(TestBatch(["a"]), to: "t")?.failure == 0)
    // Truncates the file, as only a broken disk would.
    try #require(ftruncate(broker.storageDescriptor, 0) == 0)
    client.send(RequestBytes.fetch("t", from: 0).frame)
    #expect(client.answer() == nil)
    #expect(broker.lostSomething)
    #expect(
      said.lines.withLock { $0 } == [
        "reading the temporary file: input/output error; acknowledged records are lost"
      ])
  }

  @Test func leavesNoNameBehind() throws {
    let folder = NSTemporaryDirectory() + "/broker-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let broker = try Broker(port: 0, directory: folder) { _ in }
    let client = try RawClient(port: broker.port)
    _ = client.ask(.metadata(["t"]))
    #expect(client.produce(TestBatch(["a"]), to: "t")?.failure == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  @Test func deletingATopicFreesItsRoom() throws {
    let file = try StorageFile(directory: NSTemporaryDirectory())
    let node = try node(file, Said())
    var before = stat()
    var after = stat()
    for _ in 0..<100 { #expect(try produce(node) == 0) }
    unsafe fstat(file.descriptor, &before)
    try node.topics.delete("t")
    unsafe fstat(file.descriptor, &after)
    #expect(before.st_blocks > 0)
    #expect(after.st_blocks < before.st_blocks)
    #expect(try produce(node) == 3)
  }

  @Test func readsAcrossSegmentes() throws {
    let file = try StorageFile(directory: NSTemporaryDirectory())
    let log = PartitionLog(file: file)
    let bytes = TestBatch([String(repeating: "x", count: 1_000_000)]).bytes
    let header = try BatchHeader(of: unsafe bytes.span.bytes, produceVersion: 7)
    for number in 0..<20 {
      #expect(try log.append(header, unsafe bytes.span.bytes) == Int64(number))
    }
    // Eight fit into each segment, and these are contiguous.
    let pieces = try log.select(from: 0, limit: .max, atLeastOne: true)
    #expect(pieces.map { $0.size } == [8, 8, 4].map { $0 * bytes.count })
    for number in 0..<20 {
      let piece = try #require(
        try log.select(from: Int64(number), limit: 1, atLeastOne: true).first)
      let stored = try file.read(count: piece.size, at: piece.position)
      #expect(stored.dropFirst(16) == bytes.dropFirst(16))
      #expect(stored[7] == UInt8(number))
    }
  }
}
