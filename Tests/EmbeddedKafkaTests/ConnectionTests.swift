import Foundation
import Plumbing
import Testing

@testable import EmbeddedKafka

/// The broker's connections: hostile frames, frames in pieces, and the broker's end.
@Suite struct ConnectionTests {
  private let broker: Broker
  private let client: RawClient

  init() throws {
    (broker, client) = try RawClient.withBroker()
  }

  @Test func aBadFrameEndsItsOwnConnectionAlone() throws {
    _ = try #require(client.ask(.metadata(["t"])))
    var negativeArray = RequestBytes(3, version: 4)
    negativeArray.int32(-5)
    negativeArray.int8(0)
    var longArray = RequestBytes(3, version: 4)
    longArray.int32(1_000_000)
    var longString = RequestBytes(3, version: 4)
    longString.int32(1)
    longString.int16(30_000)
    let frames: [[UInt8]] = [
      [0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0], [0, 0, 0, 7],
      Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), RequestBytes(99, version: 0).frame,
      RequestBytes(0, version: 8).frame, RequestBytes(1, version: 3).frame,
      RequestBytes(3, version: -1).frame, RequestBytes(3, version: 4).frame,
      negativeArray.frame, longArray.frame, longString.frame,
    ]
    for frame in frames {
      let hostile = try RawClient(port: broker.port)
      hostile.send(frame)
      #expect(hostile.isHungUp, "\(frame.prefix(20))")
    }
    // A large request without records: two million empty names.
    var names = RequestBytes(3, version: 4)
    names.int32(2_500_000)
    names.bytes += [UInt8](repeating: 0, count: 5_000_001)
    let greedy = try RawClient(port: broker.port)
    greedy.send(names.frame)
    #expect(greedy.isHungUp)
    let torn = try RawClient(port: broker.port)
    torn.send(Array(RequestBytes.produce(TestBatch(["a"]).bytes, to: "t").frame.dropLast()))
    torn.endSending()
    #expect(torn.isHungUp)
    #expect(broker.endOffsets(topic: "t") == [0, 0, 0, 0])
    #expect(client.produce(TestBatch(["a"]), to: "t")?.failure == 0)
  }

  @Test func takesFramesInPiecesAndSeveralAtOnce() throws {
    _ = try #require(client.ask(.metadata(["t"])))
    let frame = RequestBytes.produce(TestBatch(["a"]).bytes, to: "t").frame
    for byte in frame { client.send([byte]) }
    #expect(client.answer() != nil)
    client.send(frame + frame + frame.prefix(9))
    #expect(client.answer() != nil)
    #expect(client.answer() != nil)
    client.send(Array(frame.dropFirst(9)))
    #expect(client.answer() != nil)
    #expect(broker.endOffsets(topic: "t") == [4, 0, 0, 0])
  }

  @Test func refusesTransactionsForGood() throws {
    var request = RequestBytes(22, version: 1)
    request.string("mine")
    request.int32(1000)
    var answer = try #require(client.ask(request))
    #expect(answer.int32() == 0)
    #expect(answer.int16() == 53)
    var find = RequestBytes(10, version: 1)
    find.string("mine")
    find.int8(1)
    var found = try #require(client.ask(find))
    _ = found.int32()
    #expect(found.int16() == 53)
  }

  @Test func anotherOnTheSamePortSaysWhy() throws {
    do throws(BrokerFailure) {
      _ = try Broker(port: broker.port, directory: NSTemporaryDirectory()) { _ in }
      Issue.record("two brokers on one port")
    } catch {
      #expect(error.exitStatus == .unavailable)
      #expect(error.message.contains("address already in use"))
    }
    do throws(BrokerFailure) {
      _ = try Broker(port: 0, directory: "/nowhere") { _ in }
      Issue.record("a broker in no folder")
    } catch {
      #expect(error.exitStatus == .system)
    }
  }

  @Test func stoppingEndsEveryConnection() throws {
    _ = try #require(client.ask(.metadata(["t"])))
    let waiting = try RawClient(port: broker.port)
    waiting.send(RequestBytes.fetch("t", from: 0, maxWait: 60_000).frame)
    #expect(waiting.isSilent(milliseconds: 20))
    let start = ContinuousClock.now
    broker.stop()
    #expect(ContinuousClock.now - start < .seconds(20))
    // The waiting request is answered or closed. After that there are no more responses.
    _ = waiting.answer()
    #expect(waiting.isHungUp)
    #expect(client.isHungUp)
  }
}
