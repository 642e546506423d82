import Foundation
import Testing

@testable import EventGeneration

@Suite struct DirtTests {
  private static let part = EventStream.Part(start: monday, end: monday + 1800)

  @Test func cleanLinesStayTheSame() {
    for seed: UInt64 in 1...10 {
      let model = shop(seed: seed)
      let clean = run(model, Self.part).lines
      var dirt = Dirt()
      dirt.late = 0.1
      #expect(run(model, Self.part, dirt: dirt).lines.sorted().elementsEqual(clean.sorted()))
      dirt.duplicate = 0.1
      let doubled = run(model, Self.part, dirt: dirt).lines
      #expect(difference(clean, doubled).isEmpty)
      #expect(Set(doubled).isSubset(of: clean) && Set(clean).isSubset(of: doubled))
      let extra = Double(doubled.count - clean.count) / Double(clean.count)
      #expect(extra > 0.06 && extra < 0.14, "\(extra)")
      dirt.malformed = 0.1
      let broken = run(model, Self.part, dirt: dirt).lines
      #expect(difference(doubled, broken).isEmpty)
      let more = Double(broken.count - doubled.count) / Double(clean.count)
      #expect(more > 0.06 && more < 0.14, "\(more)")
    }
  }

  @Test func aCountCountsCleanEvents() {
    var dirt = Dirt()
    dirt.duplicate = 0.2
    dirt.malformed = 0.2
    dirt.late = 0.2
    let model = shop()
    let part = EventStream.Part(start: monday, count: 2000)
    let clean = run(model, part).lines
    #expect(clean.count == 2000)
    #expect(difference(clean, run(model, part, dirt: dirt).lines).isEmpty)
  }

  @Test func nothingIsLaterThanTheLimit() throws {
    var dirt = Dirt()
    dirt.late = 0.3
    dirt.lateness = 40
    var latest = Int64.min
    var delays: [Int64] = []
    for record in try records(run(shop(rate: 10), Self.part, dirt: dirt).lines) {
      if record.timestamp < latest { delays.append(latest - record.timestamp) }
      latest = max(latest, record.timestamp)
    }
    #expect(delays.count > 2000)
    #expect(delays.allSatisfy { $0 <= 40 })
    #expect(delays.contains { $0 > 25 })
    // Most lines are a little late, few are very late.
    #expect(delays.filter { $0 <= 10 }.count > delays.count * 6 / 10)
  }

  @Test func everyFaultIsRecordedAndIsOne() throws {
    var dirt = Dirt()
    dirt.malformed = 0.1
    let printed = run(shop(rate: 5), Self.part, dirt: dirt)
    let raw = printed.bytes.split(separator: 10)
    var faults: [String: Int] = [:]
    struct Note: Decodable {
      let line: Int
      let kind: String
      let fault: String
    }
    var soiled = Set<Int>()
    for text in printed.labels.split(separator: "\n") {
      let note = try JSONDecoder().decode(Note.self, from: Data(text.utf8))
      faults[note.fault, default: 0] += 1
      soiled.insert(note.line)
      let bytes = Data(raw[note.line - 1])
      let isReadable = (try? JSONDecoder().decode(Record.self, from: bytes)) != nil
      #expect(!isReadable || note.fault == "bad UTF-8", "\(String(decoding: bytes, as: UTF8.self))")
      if note.fault == "bad UTF-8" { #expect(String(validating: bytes, as: UTF8.self) == nil) }
    }
    #expect(faults.count == 5)
    #expect(faults.values.allSatisfy { $0 > 50 })
    for (index, line) in raw.enumerated() where !soiled.contains(index + 1) {
      _ = try JSONDecoder().decode(Record.self, from: Data(line))
    }
  }
}
