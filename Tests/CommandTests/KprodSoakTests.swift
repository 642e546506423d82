import CRdkafka
import Foundation
import Glibc
import TestSupport
import Testing

/// Random faults between kprod and a broker that checks sequences, for `SOAK_SECONDS` (10) or for
/// `SOAK_ROUNDS` rounds, with the seed `SOAK_SEED`. No line may be duplicated, missing or
/// unaccounted for, and memory stays flat. In some rounds answers are dropped while every request
/// arrives; in others devstack's faults strike, or a mock cluster injects errors.
@Suite struct KprodSoakTests {
  static func setting(_ name: String) -> UInt64? {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
  }

  @Test func randomFaults() throws {
    let rounds = Self.setting("SOAK_ROUNDS") ?? .max
    let seconds = Self.setting("SOAK_SECONDS") ?? (rounds == .max ? 10 : 36_000)
    let seed = Self.setting("SOAK_SEED") ?? UInt64(Date().timeIntervalSince1970)
    print("soak: seed \(seed), \(seconds) s")
    var random = SeededGenerator(seed: seed)
    let server = try RunningDevstack()
    let deadline = Date().addingTimeInterval(Double(seconds))
    var round = 0
    var total = 0
    var peak = 0
    while Date() < deadline, round < rounds {
      if round % 5 == 4 {
        try Self.playRoundOfErrors(round, &random)
        round += 1
        continue
      }
      let played = try Self.playRound(round, at: server, &random, until: deadline)
      total += played.lines
      peak = max(peak, played.peak)
      round += 1
    }
    print("soak: \(total) lines in \(round) rounds, at most \(peak / 1_000_000) MB")
    #expect(total > 0)
  }

  /// One run of kprod with a faulty connection; returns the number of lines, and the peak memory.
  static func playRound(
    _ round: Int, at server: RunningDevstack, _ random: inout SeededGenerator, until deadline: Date
  ) throws -> (lines: Int, peak: Int) {
    let workspace = try Commands.Workspace()
    let proxy = try FaultProxy.start(upstreamPort: server.port, rewritingAddress: true)
    defer { proxy.stop() }
    if round % 5 == 3 { try order(faults(&random), of: server, in: workspace) }
    defer { if round % 5 == 3 { try? order(nil, of: server, in: workspace) } }
    let dropsAnswers = Int.random(in: 0...2, using: &random) == 0
    if dropsAnswers {
      proxy.dropAnswers(
        percent: .random(in: 2...20, using: &random), delayingUpTo: 40,
        seed: .random(in: 0...(.max), using: &random))
    }
    let count = Int.random(in: 1000...400_000, using: &random)
    let topic = "soak-\(round)"
    let ways: [[String]] = [
      [], ["--key-field", "k"], ["-H", "a=1"], ["--timestamp-field", "t"], ["-z", "lz4"],
      ["-z", "zstd", "--key-field", "k", "-H", "b=2"], ["-p", "1"], ["--timeout", "2s"],
      // No line has the field, so all go to the topic of -t, but over the producers of several topics.
      ["--topic-field", "none"], ["--topic-field", "none", "--key-field", "k", "-z", "lz4"],
    ]
    let way = ways.randomElement(using: &random) ?? []
    let run = try RunningKprod(
      ["-b", "127.0.0.1:\(proxy.port)", "-t", topic, "--wait", "20s", "--failed", "failed"] + way,
      in: workspace)
    run.writeBehind(Data(lines(count).utf8))
    let signalAfter = Int.random(in: 0...3, using: &random) == 0 ? 5 : Int.max
    let start = Date()
    var faults = 0
    var peak = 0
    while run.isRunning {
      faults += 1
      // Towards the end there are no more faults, so that everything can arrive. A dropped answer
      // holds kprod up for the 15 s that a request may take, so these end by the clock.
      if faults < 60 { injectFault(proxy, &random) } else { usleep(20_000) }
      if Date() > start.addingTimeInterval(20) { proxy.passAnswers() }
      peak = max(peak, run.peakMemory)
      if faults == signalAfter { run.signal(SIGTERM) }
      if Date() > deadline.addingTimeInterval(60) { break }
    }
    if round % 5 == 3 { try order(nil, of: server, in: workspace) }
    let outcome = try run.outcome()
    try check(outcome, of: count, topic: topic, at: server, in: workspace, way: way)
    #expect(peak < 110_000_000, "memory grew to \(peak) bytes")
    return (count, peak)
  }

  /// Faults for devstack to strike with, as its `--fault` takes them. Each passes by itself.
  static func faults(_ random: inout SeededGenerator) -> [String] {
    let kinds = [
      "not-leader", "not-enough-replicas", "lost-ack", "throttle=150ms", "broker-gone=300ms",
    ]
    return (0..<Int.random(in: 1...3, using: &random)).map { _ in
      let kind = kinds.randomElement(using: &random) ?? kinds[0]
      let count = Int.random(in: 1...8, using: &random)
      let chance = Int.random(in: 1...9, using: &random)
      return
        "\(kind),x\(count),p=0.\(chance),seed=\(Int.random(in: 1...1000, using: &random)),on=produce"
    }
  }

  /// Tells devstack which faults to have; `nil` takes them back.
  static func order(
    _ faults: [String]?, of server: RunningDevstack, in workspace: Commands.Workspace
  ) throws {
    let body = faults.map { "--data-binary '\($0.joined(separator: "\n"))'" } ?? "-X DELETE"
    let outcome = try Commands.run(
      "curl -sSf \(body) \(server.druid)/devstack/faults > /dev/null", in: workspace)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  /// One run of kprod against a mock cluster that injects errors of every kind. The cluster checks
  /// no sequences, so the test checks only what holds anyway: the sum of the account, and that
  /// every line is in the topic, in the file of `--failed`, or, if unknown, possibly in both.
  static func playRoundOfErrors(_ round: Int, _ random: inout SeededGenerator) throws {
    let workspace = try Commands.Workspace()
    let cluster = try MockCluster()
    cluster.createTopic("t", partitions: 3)
    let kinds = [
      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
      RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, RD_KAFKA_RESP_ERR_INVALID_RECORD,
      RD_KAFKA_RESP_ERR_INVALID_MSG, RD_KAFKA_RESP_ERR__TRANSPORT,
      RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
    ]
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      cluster.answerProduce(kinds.randomElement(using: &random) ?? kinds[0])
    }
    let count = Int.random(in: 1000...20_000, using: &random)
    let outcome = try Commands.kprod(
      ["-b", cluster.brokers, "-t", "t", "--failed", "failed", "-X", "enable.idempotence=false"],
      input: Data(lines(count).utf8), in: workspace)
    let summary = try outcome.summary
    let about: Comment = "round \(round): \(summary) \(outcome.errors)"
    #expect(summary.lines == count, about)
    #expect(summary.lines == summary.delivered + summary.failed + summary.unknown, about)
    #expect(outcome.status == (summary.delivered == count ? 0 : 1), about)
    let path = workspace.url.appendingPathComponent("failed")
    let kept = ((try? String(contentsOf: path, encoding: .utf8)) ?? "").split(separator: "\n")
    #expect(kept.count == summary.failed + summary.unknown, about)
    let keptNumbers = Set(kept.compactMap { number(of: $0.utf8) })
    let found = Set(
      try Topics.everything(in: "t", at: cluster.brokers).compactMap { number(of: $0.value ?? []) })
    #expect((0..<count).allSatisfy { found.contains($0) || keptNumbers.contains($0) }, about)
    #expect(found.intersection(keptNumbers).count <= summary.unknown, about)
  }

  static func lines(_ count: Int) -> String {
    var text = ""
    text.reserveCapacity(count * 90)
    for id in 0..<count {
      text +=
        "{\"id\":\(id),\"k\":\"key \(id % 1000)\",\"t\":\(1_767_225_600 + id),\"fill\":\"0123456789abcdef\"}\n"
    }
    return text
  }

  static func injectFault(_ proxy: FaultProxy, _ random: inout SeededGenerator) {
    let pause = UInt32.random(in: 1000...60_000, using: &random)
    switch Int.random(in: 0...7, using: &random) {
    case 0: proxy.cutAll()
    case 1: proxy.cutAfterBytes(.random(in: 1...300_000, using: &random), .toServer)
    case 2: proxy.cutAfterBytes(.random(in: 1...200, using: &random), .toClient)
    case 3:
      proxy.stall(true)
      usleep(pause * 4)
      proxy.stall(false)
    case 4:
      proxy.refuse(true)
      proxy.cutAll()
      usleep(pause * 6)
      proxy.refuse(false)
    case 5: proxy.delay(milliseconds: .random(in: 0...8, using: &random))
    default: proxy.delay(milliseconds: 0)
    }
    usleep(pause)
  }

  static func check(
    _ outcome: RunningKprod.Outcome, of count: Int, topic: String, at server: RunningDevstack,
    in workspace: Commands.Workspace, way: [String]
  ) throws {
    let summary = try outcome.summary
    let about: Comment = "\(topic) \(way): \(summary)"
    #expect(summary.lines == summary.delivered + summary.failed + summary.unknown, about)
    if summary.lines == 0 {
      // A signal came before the cluster was reached, or the time of --wait was too short.
      #expect([1, 75, 143].contains(outcome.status), about)
      return
    }
    #expect(
      outcome.status == (summary.failed + summary.unknown > 0 ? 1 : summary.lines < count ? 143 : 0)
        || outcome.status == 143
        // With this many faults, two seconds without an acknowledgement are possible.
        || (outcome.status == 75 && way.contains("--timeout")), about)
    let path = workspace.url.appendingPathComponent("failed")
    var isKept = [Bool](repeating: false, count: count)
    var torn = 0
    for line in (try? String(contentsOf: path, encoding: .utf8))?.split(separator: "\n") ?? [] {
      if let id = number(of: line.utf8), line.hasSuffix("}") {
        isKept[id] = true
      } else {
        torn += 1
      }
    }
    // A line that a signal cut is written nowhere.
    let cut = (summary.reasons["torn"] ?? 0) - torn
    #expect(cut >= 0, about)
    #expect(isKept.count { $0 } + torn + cut == summary.failed + summary.unknown, about)
    var copies = [Int](repeating: 0, count: count)
    // A signal may come after lines are read and before a topic that they name is found.
    let sent = summary.delivered + summary.unknown > 0
    for message in sent ? try Topics.everything(in: topic, at: server.brokers) : [] {
      if let id = number(of: message.value ?? []), id < count {
        copies[id] += 1
      } else {
        Issue.record("a line that was never sent is in \(topic)")
      }
    }
    #expect(copies.allSatisfy { $0 <= 1 }, "lines are doubled: \(about)")
    let wanted = summary.lines - torn - cut
    #expect((0..<wanted).allSatisfy { copies[$0] == 1 || isKept[$0] }, "missing lines: \(about)")
    #expect(copies.reduce(0, +) <= summary.delivered + summary.unknown, about)
    #expect((wanted..<count).allSatisfy { copies[$0] == 0 }, about)
  }

  /// The number after `{"id":`.
  static func number(of line: some Sequence<UInt8>) -> Int? {
    var value = 0
    var digits = 0
    for byte in line.dropFirst(6) {
      guard (0x30...0x39).contains(byte) else { break }
      value = value * 10 + Int(byte - 0x30)
      digits += 1
    }
    return digits > 0 ? value : nil
  }
}
