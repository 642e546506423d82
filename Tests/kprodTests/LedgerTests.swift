import Foundation
import Plumbing
import TestSupport
import Testing

@testable import Kafka
@testable import kprod

@Suite struct LedgerTests {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("ledger-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func file(_ name: String) throws -> AppendedFile {
    try AppendedFile(path: folder.appendingPathComponent(name).path, delimiter: [0x0a])
  }

  func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
  }

  /// Reports a message to a ledger, with the token of its line.
  func report(
    _ ledger: Ledger, _ line: String, number: Int, key: String? = nil, value: String,
    _ body: (Message) -> Void
  ) {
    let token = unsafe Array(line.utf8).withUnsafeBytes {
      unsafe ledger.token(for: $0, number: number)
    }
    unsafe Array((key ?? "").utf8).withUnsafeBytes { keyBytes in
      unsafe Array(value.utf8).withUnsafeBytes { valueBytes in
        unsafe body(
          Message(token: token, key: key == nil ? nil : keyBytes, value: valueBytes))
      }
    }
  }

  @Test func everyFateIsCountedAndKept() throws {
    var form = RecordForm()
    form.key = .delimited(by: Array(":".utf8))
    let ledger = Ledger(
      files: Ledger.Files(
        failed: try file("failed"), reasons: try file("reasons"),
        acks: nil),
      form: form, wantsReceipt: false)
    report(ledger, "a:1", number: 1, key: "a", value: "1") {
      ledger.failed($0, for: .messageTooLarge)
    }
    report(ledger, "b:2", number: 2, key: "b", value: "2") { ledger.unknown($0, for: nil) }
    report(ledger, "c:", number: 3, key: "c", value: "") { ledger.unsent($0) }
    let bad = Array("bad".utf8)
    unsafe ledger.fail(.noKey, line: bad.span.bytes, number: 4)
    ledger.failCut(byteCount: 7, number: 5)
    ledger.settled()
    #expect(ledger.tally.failed == 4 && ledger.tally.unknown == 1 && ledger.tally.delivered == 0)
    #expect(try text("failed") == "a:1\nb:2\nc:\nbad\n", "the cut line is kept nowhere")
    let reasons = try text("reasons").split(separator: "\n")
    #expect(reasons.count == 4)
    #expect(
      reasons[0] == #"{"line":1,"fate":"failed","reason":"MSG_SIZE_TOO_LARGE","#
        + #""words":"it is larger than the topic accepts"}"#)
    #expect(reasons[1].contains(#""line":2,"fate":"unknown","reason":"unacknowledged""#))
    #expect(reasons[3] == #"{"line":4,"fate":"failed","reason":"no-key","words":"it has no key"}"#)
    #expect(ledger.tally.cutBytes == 7)
  }

  @Test func anEnvelopeIsKeptAsItWas() throws {
    var form = RecordForm()
    form.isEnvelope = true
    let ledger = Ledger(
      files: Ledger.Files(failed: try file("failed"), reasons: nil, acks: nil),
      form: form, wantsReceipt: false)
    report(ledger, #"{"payload":"x"}"#, number: 1, value: "x") { ledger.unsent($0) }
    ledger.settled()
    #expect(try text("failed") == "{\"payload\":\"x\"}\n")
  }

  @Test func theFirstFailureStays() throws {
    let ledger = Ledger(files: Ledger.Files(), form: RecordForm(), wantsReceipt: false)
    #expect(ledger.failure == nil)
    ledger.end(for: BadLine(number: 3, reason: .noKey))
    ledger.end(for: KafkaFailure.interrupted)
    #expect(ledger.failure as? BadLine == BadLine(number: 3, reason: .noKey))
  }

  @Test func aFullDeviceEndsTheRunAndIsToldOnce() throws {
    let full = try AppendedFile(path: "/dev/full", delimiter: [0x0a])
    let ledger = Ledger(
      files: Ledger.Files(failed: full, reasons: nil, acks: nil), form: RecordForm(),
      wantsReceipt: false)
    let bad = Array("x".utf8)
    unsafe ledger.fail(.noKey, line: bad.span.bytes, number: 1)
    ledger.settled()
    #expect(ledger.failure?.message == "writing '/dev/full': no space left on device")
    #expect(!ledger.keptAll)
    unsafe ledger.fail(.noKey, line: bad.span.bytes, number: 2)
    #expect(ledger.tally.failed == 2, "the count goes on")
  }
}

@Suite struct ReceiptTests {
  @Test func offsetsAndTimesAreTakenTogether() {
    var offsets = DeliveredOffsets()
    offsets.note(partition: 2, firstOffset: 10, count: 5, milliseconds: 2000)
    offsets.note(partition: 0, firstOffset: nil, count: 1, milliseconds: 9000)
    offsets.note(partition: 2, firstOffset: 20, count: 1, milliseconds: 1000)
    offsets.noteTime(3000, in: 2)
    var tally = Tally()
    tally.lines = 7
    tally.delivered = 7
    let receipt = Receipt(
      cluster: nil, started: TimePoint(milliseconds: 0),
      ended: TimePoint(milliseconds: 1500), tally: tally, timeField: "at",
      deliveries: [TopicDelivery(topic: "t", count: 7, offsets: offsets)], hasTopics: false)
    #expect(
      receipt.jsonText
        == #"{"version":1,"tool":"kprod","cluster":null,"topic":"t","#
        + #""started":"1970-01-01T00:00:00.000Z","ended":"1970-01-01T00:00:01.500Z","#
        + #""lines":7,"bytes":0,"delivered":7,"failed":0,"unknown":0,"reasons":{},"#
        + #""times":{"field":"at","first":"1970-01-01T00:00:01.000Z","last":"1970-01-01T00:00:09.000Z"},"#
        + #""partitions":[{"partition":0,"first_offset":null,"last_offset":null,"count":1,"#
        + #""first_time":"1970-01-01T00:00:09.000Z","last_time":"1970-01-01T00:00:09.000Z"},"#
        + #"{"partition":2,"first_offset":10,"last_offset":20,"count":6,"#
        + #""first_time":"1970-01-01T00:00:01.000Z","last_time":"1970-01-01T00:00:03.000Z"}]}"#)
  }
}

@Suite struct SettledMarkTests {
  @Test func theMarkMovesOverWholeRunsInOrder() {
    var mark = SettledMark(offset: 100)
    mark.note(lastLine: 2, end: 120)
    mark.note(lastLine: 3, end: 130)
    mark.note(lastLine: 3, end: 130)
    #expect(mark.offset == 100 && mark.lines == 0)
    mark.settle(3)
    #expect(mark.offset == 100, "lines before it are on their way")
    mark.settle(2)
    mark.settle(1)
    #expect(mark.offset == 130 && mark.lines == 3)
    // A bad line is settled before the run that contains it is complete.
    mark.settle(4)
    #expect(mark.offset == 130)
    mark.note(lastLine: 5, end: 150)
    mark.settle(5)
    #expect(mark.offset == 150 && mark.lines == 5)
  }

  @Test func anyOrderOfAnswersEndsAtTheSameMark() {
    for seed in 1...20 as ClosedRange<UInt64> {
      var random = SeededGenerator(seed: seed)
      var mark = SettledMark(offset: 0)
      var line = 0
      while line < 5000 {
        line += Int.random(in: 1...40, using: &random)
        mark.note(lastLine: line, end: line * 10)
      }
      for number in Array(1...line).shuffled(using: &random) { mark.settle(number) }
      #expect(mark.offset == line * 10 && mark.lines == line, "seed \(seed)")
    }
  }
}
