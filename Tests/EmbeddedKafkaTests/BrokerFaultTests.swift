import CRdkafka
import Foundation
import Plumbing
import Testing

@testable import EmbeddedKafka

/// Requested faults, as a client sees them.
@Suite struct BrokerFaultTests {
  private let faults = Faults()
  private let broker: Broker
  private let client: RawClient

  init() throws {
    broker = try Broker(port: 0, directory: NSTemporaryDirectory(), faults: faults) { _ in }
    client = try RawClient(port: broker.port)
    _ = try #require(client.ask(.metadata(["t"])))
  }

  private func order(_ text: String) throws {
    faults.order(try Fault(text, among: Broker.faultKinds))
  }

  @Test(arguments: [
    ("not-leader", 6), ("not-enough-replicas", 19), ("acl-revoked", 29), ("policy-violation", 44),
  ])
  func aProduceIsRefused(fault: String, code: Int) throws {
    try order(fault + ",x2")
    #expect(try #require(client.produce(TestBatch(["a"]), to: "t")) == (code, -1))
    #expect(try #require(client.produce(TestBatch(["a"]), to: "t")) == (code, -1))
    #expect(broker.endOffsets(topic: "t") == [0, 0, 0, 0])
    #expect(try #require(client.produce(TestBatch(["a"]), to: "t")) == (0, 0))
  }

  @Test(arguments: [("not-leader", 6), ("acl-revoked", 29)])
  func aFetchIsRefused(fault: String, code: Int) throws {
    try order(fault + ",x1,on=fetch")
    #expect(client.produce(TestBatch(["a"]), to: "t")?.failure == 0)
    #expect(client.fetch(.fetch("t", from: 0))?.failure == code)
    #expect(client.fetch(.fetch("t", from: 0))?.failure == 0)
  }

  @Test func theAcknowledgementIsLost() throws {
    try order("lost-ack,x1")
    client.send(RequestBytes.produce(TestBatch(["a"]).bytes, to: "t").frame)
    #expect(client.isHungUp)
    #expect(broker.endOffsets(topic: "t") == [1, 0, 0, 0])
  }

  @Test func aQuotaHoldsTheConnectionBack() throws {
    try order("throttle=300ms,x1")
    let start = ContinuousClock.now
    var answer = try #require(
      client.ask(RequestBytes.produce(TestBatch(["a"]).bytes, to: "t")))
    while answer.rest.count > 4 { _ = answer.int8() }
    #expect(answer.int32() == 300)
    #expect(client.produce(TestBatch(["a"]), to: "t")?.failure == 0)
    #expect(ContinuousClock.now - start >= .milliseconds(300))
  }

  @Test func theBrokerIsGoneForAWhile() throws {
    try order("broker-gone=200ms,x1")
    client.send(RequestBytes.produce(TestBatch(["a"]).bytes, to: "t").frame)
    #expect(client.isHungUp)
    let early = try RawClient(port: broker.port)
    early.send(RequestBytes.metadata(["t"]).frame)
    #expect(early.isHungUp)
    let limit = ContinuousClock.now + .seconds(5)
    var isBack = false
    while !isBack, ContinuousClock.now < limit {
      isBack = try RawClient(port: broker.port).ask(.metadata(["t"])) != nil
    }
    #expect(isBack)
    #expect(broker.endOffsets(topic: "t") == [0, 0, 0, 0])
  }

  @Test func aFetchedBatchIsCorrupt() throws {
    #expect(client.produce(TestBatch(["a"]), to: "t")?.failure == 0)
    try order("corrupt-batch,x1")
    // The fault does not apply to an empty partition, so it waits.
    #expect(client.fetch(.fetch("t", partition: 1, from: 0))?.records == [])
    let bad = try #require(client.fetch(.fetch("t", from: 0))).records
    let good = try #require(client.fetch(.fetch("t", from: 0))).records
    #expect(bad.count == good.count)
    #expect(zip(bad, good).count { $0 != $1 } == 4)
    #expect(throws: ErrorCode.corruptMessage) {
      _ = try BatchHeader(of: unsafe bad.span.bytes, produceVersion: 7)
    }
  }
}
