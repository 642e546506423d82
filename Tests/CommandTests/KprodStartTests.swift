import CRdkafka
import Foundation
import Testing

/// kprod before its first line is sent: no broker, no answer, no topic.
@Suite struct KprodStartTests {
  let workspace: Commands.Workspace

  init() throws { workspace = try Commands.Workspace() }

  private func sendLine(to brokers: String) throws -> RunningKprod.Outcome {
    try Commands.kprod(
      ["-b", brokers, "-t", "t"], input: Data("x\n".utf8), in: workspace)
  }

  @Test func nobodyListens() throws {
    let began = Date()
    let outcome = try sendLine(to: "127.0.0.1:1")
    #expect(Date().timeIntervalSince(began) < 35)
    #expect(outcome.status == 69)
    #expect(outcome.errors.hasPrefix("kprod: cannot reach 127.0.0.1:1: connection refused\n"))
    #expect(try outcome.summary.lines == 0)
  }

  @Test func aNameThatIsNoHost() throws {
    let outcome = try sendLine(to: "no-such-host.invalid:9092")
    #expect(outcome.status == 69)
    #expect(outcome.errors.hasPrefix("kprod: cannot reach no-such-host.invalid:9092: "))
  }

  @Test func somebodyListensAndSaysNothing() throws {
    let (server, proxy) = try FaultProxy.withDevstack()
    defer { proxy.stop(before: server) }
    proxy.stall(true)
    let began = Date()
    let outcome = try sendLine(to: "127.0.0.1:\(proxy.port)")
    #expect(Date().timeIntervalSince(began) < 35)
    #expect(outcome.status == 69)
    #expect(outcome.errors.contains("no answer"))
  }

  @Test func aTopicThatIsNotThere() throws {
    let cluster = try MockCluster()
    cluster.setTopicError("t", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    let began = Date()
    let outcome = try sendLine(to: cluster.brokers)
    #expect(Date().timeIntervalSince(began) < 35)
    #expect(outcome.status == 69)
    #expect(outcome.errors.hasPrefix("kprod: no topic 't' on "), "\(outcome.errors)")
  }

  @Test func aTopicThatIsRefused() throws {
    let cluster = try MockCluster()
    cluster.setTopicError("t", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
    let outcome = try sendLine(to: cluster.brokers)
    #expect(outcome.status == 77)
    #expect(outcome.errors.hasPrefix("kprod: topic 't': no permission"))
  }

  @Test func waitingUntilTheClusterIsThere() throws {
    let (server, proxy) = try FaultProxy.withDevstack()
    defer { proxy.stop(before: server) }
    proxy.refuse(true)
    let run = try RunningKprod(
      ["-b", "127.0.0.1:\(proxy.port)", "-t", "t", "--failed", "failed", "--wait", "30s"],
      in: workspace)
    run.writeBehind(Data("x\n".utf8))
    try eventually("kprod comes again and again") { proxy.connectionCount >= 3 }
    proxy.refuse(false)
    #expect(try run.outcome().status == 0)
  }

  @Test func theWaitIsUsedUp() throws {
    let outcome = try Commands.kprod(
      ["-b", "127.0.0.1:1", "-t", "t", "--wait", "1s"], input: Data("x\n".utf8), in: workspace)
    #expect(outcome.status == 75)
    #expect(outcome.errors.contains("gave up after 1 s: cannot reach 127.0.0.1:1: "))
  }

  @Test func aSignalWhileWaiting() throws {
    let nobody = try FaultProxy.start(upstreamPort: 1)
    defer { nobody.stop() }
    let run = try RunningKprod(
      ["-b", "127.0.0.1:\(nobody.port)", "-t", "t", "--wait", "60s"], in: workspace)
    try eventually("it comes again") { nobody.connectionCount > 1 }
    run.signal(SIGTERM)
    #expect(try run.outcome().status == 1)
  }
}
