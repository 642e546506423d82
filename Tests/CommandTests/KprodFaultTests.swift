import CRdkafka
import Foundation
import Testing

/// kprod with failing brokers and connections, with the account checked line by line.
@Suite struct KprodFaultTests {
  let workspace: Commands.Workspace

  init() throws { workspace = try Commands.Workspace() }

  /// Undelivered lines are in the file of `--failed`, so all others must be in the topic.
  ///
  /// - Parameter isExact: whether the server never gives false results: no line is duplicated, and
  ///   no failed line is in the topic.
  func checkAccount(
    _ outcome: RunningKprod.Outcome, sent: [String], at brokers: String, isExact: Bool,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let summary = try outcome.summary
    #expect(
      summary.lines == summary.delivered + summary.failed + summary.unknown,
      sourceLocation: sourceLocation)
    let path = workspace.url.appendingPathComponent("failed")
    let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
    let kept = text.split(separator: "\n").map(String.init)
    #expect(kept.count == summary.failed + summary.unknown, sourceLocation: sourceLocation)
    let found = try Topics.everything(in: "t", at: brokers).map(\.text)
    let distinct = Set(found)
    let delivered = Set(sent.prefix(summary.lines)).subtracting(kept)
    #expect(delivered.count == summary.delivered, sourceLocation: sourceLocation)
    #expect(
      delivered.isSubset(of: distinct), "acknowledged lines are missing",
      sourceLocation: sourceLocation)
    #expect(distinct.isSubset(of: Set(sent)), sourceLocation: sourceLocation)
    if isExact {
      #expect(found.count == distinct.count, "lines are doubled", sourceLocation: sourceLocation)
      #expect(
        distinct.count <= summary.delivered + summary.unknown, sourceLocation: sourceLocation)
    }
    #expect(
      outcome.status == (summary.failed + summary.unknown == 0 ? 0 : 1)
        || outcome.status > 128, sourceLocation: sourceLocation)
  }

  func arguments(_ brokers: String, _ more: String...) -> [String] {
    ["-b", brokers, "-t", "t", "--failed", "failed"] + more
  }

  // MARK: - Answers of a broker

  @Test(arguments: [
    "not-leader,x2,on=produce", "not-enough-replicas,x2", "lost-ack,x2", "throttle=200ms,x2",
    "broker-gone=200ms,x1,on=produce",
  ])
  func passingFaultsDoubleNothing(_ fault: String) throws {
    let server = try RunningDevstack(faults: fault)
    let lines = KprodTests.lines(10_000)
    let outcome = try Commands.kprod(
      arguments(server.brokers), input: KprodTests.data(lines), in: workspace)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try outcome.summary.delivered == 10_000)
    try checkAccount(outcome, sent: lines, at: server.brokers, isExact: true)
  }

  /// The answer of a leader whose followers do not confirm in time.
  @Test func requestsThatTimeOutAreTriedAgain() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 8)
    cluster.answerProduce(
      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT)
    let lines = KprodTests.lines(10_000)
    let outcome = try Commands.kprod(
      // The mock cluster checks no sequences, so a batch that an idempotent producer counts as
      // acknowledged may be missing.
      arguments(cluster.brokers, "-X", "enable.idempotence=false"),
      input: KprodTests.data(lines), in: workspace)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try outcome.summary.delivered == 10_000)
    try checkAccount(outcome, sent: lines, at: cluster.brokers, isExact: false)
  }

  @Test func aRefusedBatchFailsAndTheRestGoesOn() throws {
    let server = try RunningDevstack(faults: "policy-violation,x1")
    let lines = KprodTests.lines(60_000)
    let outcome = try Commands.kprod(
      arguments(server.brokers, "-X", "enable.idempotence=false"),
      input: KprodTests.data(lines), in: workspace)
    #expect(outcome.status == 1)
    let summary = try outcome.summary
    #expect(summary.lines == 60_000)
    #expect(summary.failed > 0 && summary.delivered > 0 && summary.unknown == 0)
    #expect(summary.reasons == ["POLICY_VIOLATION": summary.failed])
    #expect(outcome.errors.split(separator: "\n").count <= 5, "reasons are counted, not repeated")
    try checkAccount(outcome, sent: lines, at: server.brokers, isExact: true)
  }

  @Test func aProducerThatIsBeyondRepairIsReplaced() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 2)
    cluster.answerProduce(RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
    let lines = KprodTests.lines(200_000)
    let outcome = try Commands.kprod(
      arguments(cluster.brokers), input: KprodTests.data(lines), in: workspace)
    let summary = try outcome.summary
    #expect(summary.lines == 200_000, "\(outcome.errors)")
    // Unsent messages are sent by another producer; only messages in flight are in doubt.
    #expect(summary.failed == 0)
    #expect(summary.delivered + summary.unknown == 200_000)
    #expect(summary.delivered > 100_000)
  }

  @Test func aProducerWithoutAnIDSaysSo() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 2)
    cluster.answer(
      api: 22,
      Array(repeating: RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, count: 100_000))
    let run = try RunningKprod(arguments(cluster.brokers, "--timeout", "7s"), in: workspace)
    let began = Date()
    try run.write("line\n")
    try eventually("the wait is reported") {
      run.errorsSoFar.contains("the cluster gives no producer id")
    }
    #expect(run.isRunning && Date().timeIntervalSince(began) < 7)
    let outcome = try run.outcome()
    #expect(outcome.status == 75)
    #expect(outcome.errors.contains("is a controller down?"), "\(outcome.errors)")
    #expect(outcome.errors.contains("hint: -X enable.idempotence=false sends without one"))
    #expect(try outcome.summary.failed == 1)
  }

  @Test func aTopicThatIsDeletedEndsTheReading() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 2)
    let run = try RunningKprod(arguments(cluster.brokers), in: workspace)
    try run.write("first\n")
    try eventually("it is there") {
      (try? Topics.everything(in: "t", at: cluster.brokers).count) == 1
    }
    cluster.setTopicError("t", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    cluster.answer(
      api: 0, Array(repeating: RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, count: 100_000))
    run.writeBehind(KprodTests.data(KprodTests.lines(2_000_000)))
    let outcome = try run.outcome()
    #expect(outcome.status == 69, "\(outcome.errors)")
    #expect(outcome.errors.contains("kprod: topic 't' is no longer there"))
    let summary = try outcome.summary
    #expect(summary.lines < 2_000_000, "the rest stays with the feeder")
    #expect(summary.delivered == 1)
    #expect(summary.lines == summary.delivered + summary.failed + summary.unknown)
  }

  // MARK: - Brokers that come and go

  @Test func brokersGoneAndBack() throws {
    let (server, proxy) = try FaultProxy.withDevstack()
    defer { proxy.stop() }
    let lines = KprodTests.lines(300_000)
    let run = try RunningKprod(
      ["-b", "127.0.0.1:\(proxy.port)", "-t", "t", "--failed", "failed"], in: workspace)
    proxy.cutAfterBytes(3_000_000, .toServer)
    run.writeBehind(KprodTests.data(lines))
    try eventually("some of it arrives") { proxy.byteCount(.toServer) >= 3_000_000 }
    proxy.refuse(true)
    proxy.cutAll()
    usleep(1_500_000)
    proxy.refuse(false)
    let outcome = try run.outcome()
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try outcome.summary.delivered == 300_000)
    try checkAccount(outcome, sent: lines, at: server.brokers, isExact: true)
  }

  @Test func acknowledgementsAreLost() throws {
    let (server, proxy) = try FaultProxy.withDevstack()
    defer { proxy.stop() }
    let lines = KprodTests.lines(200_000)
    // The first cuts may come before kprod has found the topic.
    let run = try RunningKprod(
      arguments("127.0.0.1:\(proxy.port)", "--wait", "20s"), in: workspace)
    run.writeBehind(KprodTests.data(lines), closing: true)
    // Cuts after the append and before its answer, repeatedly.
    var cuts = 0
    let deadline = Date().addingTimeInterval(8)
    while cuts < 8, run.isRunning, Date() < deadline {
      let before = proxy.byteCount(.toClient)
      proxy.cutAfterBytes(20, .toClient)
      while proxy.byteCount(.toClient) == before, run.isRunning, Date() < deadline { usleep(1000) }
      cuts += 1
    }
    #expect(cuts > 2)
    let outcome = try run.outcome()
    #expect(outcome.status == 0, "\(outcome.errors)")
    try checkAccount(outcome, sent: lines, at: server.brokers, isExact: true)
  }

  /// Some answers never arrive and others arrive late: no line that is reported as delivered may be
  /// duplicated.
  @Test(arguments: [1, 2] as [UInt64])
  func answersThatAreDroppedDoubleNothing(_ seed: UInt64) throws {
    let (server, proxy) = try FaultProxy.withDevstack()
    defer { proxy.stop() }
    proxy.dropAnswers(percent: 20, delayingUpTo: 300, seed: seed)
    let lines = KprodTests.lines(20_000)
    let run = try RunningKprod(
      arguments(
        "127.0.0.1:\(proxy.port)", "--wait", "20s", "--timeout", "1s", "--max-rate", "8000"),
      in: workspace)
    run.writeBehind(KprodTests.data(lines))
    let outcome = try run.outcome()
    let summary = try outcome.summary
    #expect(summary.lines == summary.delivered + summary.failed + summary.unknown)
    let path = workspace.url.appendingPathComponent("failed")
    let kept = Set(
      ((try? String(contentsOf: path, encoding: .utf8)) ?? "").split(separator: "\n").map(
        String.init))
    var copies: [String: Int] = [:]
    for message in try Topics.everything(in: "t", at: server.brokers) {
      copies[message.text, default: 0] += 1
    }
    // A line whose end was not read when kprod stopped is counted, but written nowhere.
    let whole = summary.lines - (outcome.errors.contains("its end is missing") ? 1 : 0)
    let told = lines.prefix(whole).filter { !kept.contains($0) }
    #expect(told.allSatisfy { copies[$0] == 1 }, "seed \(seed): \(outcome.errors)")
  }

  @Test func aClusterThatStaysAway() throws {
    let (server, proxy) = try FaultProxy.withDevstack()
    defer { proxy.stop() }
    let lines = KprodTests.lines(50_000)
    let run = try RunningKprod(
      arguments("127.0.0.1:\(proxy.port)", "--timeout", "3s"), in: workspace)
    proxy.cutAfterBytes(500_000, .toServer)
    run.writeBehind(KprodTests.data(lines))
    try eventually("some of it arrives") { proxy.byteCount(.toServer) >= 500_000 }
    proxy.refuse(true)
    proxy.cutAll()
    let outcome = try run.outcome()
    #expect(outcome.status == 1, "\(outcome.errors)")
    let summary = try outcome.summary
    #expect(summary.lines == 50_000 && summary.failed > 0)
    try checkAccount(outcome, sent: lines, at: server.brokers, isExact: true)
  }

  @Test func aStalledClusterHoldsTheInputBackAndMemoryFlat() throws {
    let (server, proxy, run) = try FaultProxy.withKprod("--drain", "1s", in: workspace)
    defer { proxy.stop(before: server) }
    proxy.stall(true)
    // 120 MB in long lines, of which only the queue's 32 MB and a pipe may be taken.
    let long = (0..<1200).map { "\($0)-" + String(repeating: "q", count: 100_000) }
    run.writeBehind(KprodTests.data(long), closing: false)
    // Once it stops reading, it has read all that it is going to read.
    var taken = 0
    try eventually("it stops reading") {
      let before = taken
      taken = run.handedOver
      usleep(500_000)
      return taken > 20_000_000 && taken == before
    }
    #expect(run.peakMemory > 10_000_000 && run.peakMemory < 120_000_000, "\(run.peakMemory)")
    run.signal(SIGTERM)
    let outcome = try run.outcome()
    #expect(outcome.status == 1)
    let summary = try outcome.summary
    #expect(summary.lines > 100 && summary.lines < 600, "\(summary)")
    #expect(summary.lines == summary.delivered + summary.failed + summary.unknown)
    #expect(summary.unknown > 0, "what was on its way may have arrived")
    proxy.stall(false)
  }

  // MARK: - Slow pipes and signals

  @Test func aSlowPipeIsNotHeldBack() throws {
    let server = try RunningDevstack()
    let run = try RunningKprod(arguments(server.brokers), in: workspace)
    try run.write("warm-up\n")
    try eventually("the first line is there") {
      (try? Topics.everything(in: "t", at: server.brokers).count) == 1
    }
    var quickest = 20.0
    for number in 1...5 {
      let began = Date()
      try run.write("line \(number)\n")
      try eventually("line \(number) is there") {
        try Topics.everything(in: "t", at: server.brokers).count == number + 1
      }
      quickest = min(quickest, Date().timeIntervalSince(began))
    }
    // Reading the whole topic again takes most of this time; kcat would need two seconds.
    #expect(quickest < 1.5)
    try run.closeInput()
    #expect(try run.outcome().status == 0)
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
  func aSignalOnAnIdlePipe(_ number: Int32) throws {
    let server = try RunningDevstack()
    let run = try RunningKprod(arguments(server.brokers), in: workspace)
    let lines = KprodTests.lines(20)
    try run.write(lines.map { $0 + "\n" }.joined())
    try eventually("all is there") {
      (try? Topics.everything(in: "t", at: server.brokers).count) == 20
    }
    let began = Date()
    run.signal(number)
    let outcome = try run.outcome()
    #expect(Date().timeIntervalSince(began) < 25)
    #expect(outcome.status == 128 + number, "all was done, so the parent sees the signal")
    try checkAccount(outcome, sent: lines, at: server.brokers, isExact: true)
  }

  @Test func aSignalUnderLoad() throws {
    let server = try RunningDevstack()
    let run = try RunningKprod(arguments(server.brokers), in: workspace)
    let lines = KprodTests.lines(1_000_000)
    run.writeBehind(KprodTests.data(lines), closing: false)
    try eventually("it is at work") { run.hasStartedReading }
    run.signal(SIGTERM)
    let outcome = try run.outcome()
    let summary = try outcome.summary
    #expect(summary.unknown == 0)
    // The line that the signal tore is the only one that may fail.
    #expect(summary.failed <= 1 && (summary.failed == 0 || summary.reasons == ["torn": 1]))
    #expect(outcome.status == (summary.failed == 0 ? 128 + SIGTERM : 1))
    let found = Set(try Topics.everything(in: "t", at: server.brokers).map(\.text))
    #expect(found == Set(lines.prefix(summary.delivered)))
  }

  @Test func aTornLineIsNotSentAfterASignal() throws {
    let server = try RunningDevstack()
    let run = try RunningKprod(arguments(server.brokers), in: workspace)
    try run.write("whole\ntorn")
    try eventually("the whole line is there") {
      (try? Topics.everything(in: "t", at: server.brokers).count) == 1
    }
    run.signal(SIGINT)
    let outcome = try run.outcome()
    #expect(outcome.status == 128 + SIGINT)
    #expect(try outcome.summary.reasons == ["torn": 1])
    let kept = try String(
      contentsOf: workspace.url.appendingPathComponent("failed"), encoding: .utf8)
    #expect(kept == "", "a torn line must not be kept for sending again")
    #expect(outcome.errors.contains("a signal cut the last line after 4 bytes"))
    #expect(try Topics.everything(in: "t", at: server.brokers).map(\.text) == ["whole"])
  }

  @Test func theFeederLearnsOfASignalAtOnce() throws {
    let (server, proxy, run) = try FaultProxy.withKprod("--drain", "30s", in: workspace)
    defer { proxy.stop(before: server) }
    proxy.stall(true)
    try run.write("second\n")
    run.signal(SIGTERM)
    try eventually("the signal is taken") { run.hasTakenItsSignals }
    // More than a pipe holds: without closing the reading end, this would block until the drain
    // limit.
    run.writeBehind(Data(repeating: 10, count: 4_000_000))
    try eventually(within: 20, "the writer ends") { run.writingHasEnded }
    #expect(run.isRunning, "it still waits for the acknowledgement")
    proxy.stall(false)
    let outcome = try run.outcome()
    let summary = try outcome.summary
    #expect(outcome.status == 128 + SIGTERM, "\(outcome.errors)")
    #expect(summary.delivered == summary.lines)
  }

  @Test func theSecondSignalGivesUp() throws {
    let (server, proxy, run) = try FaultProxy.withKprod("--drain", "60s", in: workspace)
    defer { proxy.stop(before: server) }
    proxy.stall(true)
    let before = proxy.arrivedCount(.toServer)
    try run.write("second\n")
    try eventually("it is on its way") { proxy.arrivedCount(.toServer) > before }
    run.signal(SIGTERM)
    try eventually("the first signal is taken") { run.hasTakenItsSignals }
    run.signal(SIGTERM)
    let began = Date()
    let outcome = try run.outcome()
    #expect(Date().timeIntervalSince(began) < 25)
    #expect(outcome.status == 1)
    let summary = try outcome.summary
    // The answer for the first line may have been held back as well.
    #expect(summary.unknown >= 1 && summary.delivered + summary.unknown == 2)
    #expect(outcome.errors.contains("\(summary.unknown) of them may be duplicated when sent again"))
    proxy.stall(false)
  }

  @Test func theUpstreamIsKilledInMidLine() throws {
    let server = try RunningDevstack()
    let input = Data("{\"a\":1}\n{\"a\":".utf8)
    let sent = try Commands.kprod(arguments(server.brokers), input: input, in: workspace)
    #expect(sent.status == 0, "a partial last line is sent")
    let refused = try Commands.kprod(
      arguments(server.brokers, "--whole-lines"), input: input, in: workspace)
    #expect(refused.status == 1)
    #expect(try refused.summary.reasons == ["torn": 1])
    let found = try Topics.everything(in: "t", at: server.brokers).map(\.text)
    #expect(found.sorted() == ["{\"a\":", "{\"a\":1}", "{\"a\":1}"])
  }

  // MARK: - The file of --failed

  @Test func theFileIsFullOrCannotBeOpened() throws {
    let cluster = try MockCluster()
    let full = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "--key-field", "k", "--failed", "/dev/full"],
      input: Data("{}\n".utf8), in: workspace)
    #expect(full.status == 74)
    #expect(full.errors.contains("writing '/dev/full': no space left on device"))
    let missing = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "--failed", "no/such/folder"], input: Data("x\n".utf8),
      in: workspace)
    #expect(missing.status == 74)
  }

  @Test func theFileIsNeverItsOwnInput() throws {
    let cluster = try MockCluster()
    let file = workspace.url.appendingPathComponent("failed")
    try Data("{}\n".utf8).write(to: file)
    let run = try RunningKprod(arguments(cluster.brokers), in: workspace, inputFile: file)
    let outcome = try run.outcome()
    #expect(outcome.status == 64)
    #expect(try Data(contentsOf: file) == Data("{}\n".utf8))
  }

  @Test func theFileCanBeFedInAgain() throws {
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 1)
    let first = try Commands.kprod(
      arguments(cluster.brokers, "-K", "="), input: Data("a=1\nbad\nb=2\n".utf8), in: workspace)
    #expect(first.status == 1)
    let again = try Commands.run(
      "mv failed again && sed s/bad/c=3/ again | kprod -b \(cluster.brokers) -t t -K =",
      in: workspace)
    #expect(again.status == 0)
    let found = try Topics.everything(in: "t", at: cluster.brokers)
    #expect(found.map(\.text) == ["1", "2", "3"])
  }
}
