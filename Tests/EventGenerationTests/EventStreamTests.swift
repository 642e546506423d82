import Testing

@testable import EventGeneration

@Suite struct EventStreamTests {
  private static let hour = EventStream.Part(start: monday, end: monday + 3600)

  @Test func aSliceEqualsTheSliceOfALongerRun() {
    for seed: UInt64 in 1...30 {
      let model = shop(seed: seed)
      let long = run(model, EventStream.Part(start: monday - 700, end: monday + 2000))
      // Unusual cuts: inside a quarter-hour, and a second before and after its change.
      let cut = monday + [0, 899, 900, 901, 1317][Int(seed % 5)]
      let short = run(model, EventStream.Part(start: cut, end: monday + 2000))
      #expect(!short.bytes.isEmpty)
      #expect(long.bytes.suffix(short.bytes.count).elementsEqual(short.bytes), "seed \(seed)")
      let head = run(model, EventStream.Part(start: monday - 700, end: cut))
      #expect(head.bytes.count + short.bytes.count == long.bytes.count, "seed \(seed)")
    }
  }

  @Test func theSliceHoldsWhenThinkingIsShortened() {
    // The rate shortens the pauses, and the profile keeps the number of sessions low.
    let model = shop(rate: 700_000) {
      $0.users = 1000
      $0.profile = Profile([Profile.Point(offset: 0, multiplier: 0.0001)])
    }
    let long = run(model, EventStream.Part(start: monday, end: monday + 60))
    let short = run(model, EventStream.Part(start: monday + 41, end: monday + 60))
    #expect(short.bytes.count > 10_000)
    #expect(long.bytes.suffix(short.bytes.count).elementsEqual(short.bytes))
  }

  @Test func shardsMakeTheWhole() throws {
    let spike = try anomaly("spike@+10m+5m,x=3")
    let bot = try anomaly("bot@+10m+5m,x=2")
    let fraud = try anomaly("fraud@+10m+5m,x=2")
    for seed: UInt64 in 1...10 {
      let count = Int(seed % 4) + 1
      let anomalies = seed % 2 == 0 ? [spike, bot, fraud] : []
      let whole = run(shop(seed: seed), Self.hour, anomalies: anomalies).lines
      var parts: [String] = []
      for index in 0..<count {
        let model = shop(seed: seed) { $0.shard = (index, count) }
        parts += run(model, Self.hour, anomalies: anomalies).lines
      }
      #expect(parts.sorted().elementsEqual(whole.sorted()), "seed \(seed)")
    }
  }

  /// Pacing decides when a line is printed, never which line.
  @Test(arguments: [1, 1 << 20, 1 << 26, 1 << 31, 5 << 32, 977 << 22] as [UInt64])
  func pacedOutputHasTheUnpacedBytes(step: UInt64) throws {
    var dirt = Dirt()
    dirt.late = 0.05
    dirt.duplicate = 0.05
    for seed: UInt64 in 1...4 {
      let model = shop(seed: seed, rate: 20)
      let part = EventStream.Part(start: monday, end: monday + 60, skip: 7, count: 900)
      #expect(
        run(model, part).bytes.elementsEqual(run(model, part, step: step).bytes), "seed \(seed)")
      let anomalies = [try anomaly("spike@+20s+10s"), try anomaly("lag@+5s+5s,d=30s")]
      let soiled = run(model, part, anomalies: anomalies, dirt: dirt)
      let paced = run(model, part, anomalies: anomalies, dirt: dirt, step: step)
      #expect(soiled.bytes.elementsEqual(paced.bytes), "seed \(seed)")
      #expect(soiled.labels == paced.labels, "seed \(seed)")
    }
  }

  /// No line is printed before its time, and all lines of a second are printed when it is over.
  @Test func linesAreSpreadOverTheirSecond() throws {
    let model = shop(rate: 1000) { $0.isFlat = true }
    var stream = EventStream(model, EventStream.Part(start: monday, end: monday + 2))
    var block = LineBlock()
    var counts: [Int] = []
    for tenth: UInt64 in 0...10 {
      let fraction = (tenth << 32) / 10
      let due = Moment(second: monday + Int64(fraction >> 32), fraction: fraction & 0xffff_ffff)
      while try stream.fill(&block, through: due) == .full { block.removeAll() }
      block.removeAll()
      counts.append(stream.lineCount)
    }
    let all = counts[10]
    #expect(counts[0] == 0)
    for tenth in 1...9 { #expect(abs(counts[tenth] - all * tenth / 10) <= 1) }
  }

  @Test func countsAndSpansEndARun() {
    let model = shop()
    #expect(run(model, EventStream.Part(start: monday, end: monday, count: 5)).bytes.isEmpty)
    #expect(run(model, EventStream.Part(start: monday, count: 0)).bytes.isEmpty)
    #expect(run(model, EventStream.Part(start: monday, count: 1)).lines.count == 1)
    #expect(run(model, EventStream.Part(start: monday, count: 5000)).lines.count == 5000)
  }

  @Test(arguments: [-62_167_219_200, -2_208_988_800, -1, 0, 4_102_444_800, 253_402_300_000])
  func anyTimeWillDo(start: Int64) throws {
    let lines = run(shop(rate: 5), EventStream.Part(start: start, count: 200)).lines
    let times = try records(lines).map(\.timestamp)
    #expect(times.count == 200)
    #expect(times.allSatisfy { $0 >= start && $0 < start + 300 })
    #expect(times == times.sorted())
  }

  @Test func oneCustomerAndOneProductAreAShop() throws {
    let model = shop(rate: 1) {
      $0.users = 1
      $0.products = 1
    }
    let found = try records(run(model, EventStream.Part(start: monday, count: 300)).lines)
    #expect(Set(found.map(\.user_id)) == [1])
    #expect(Set(found.map(\.product_id)) == [1])
    #expect(Set(found.map(\.price)).count == 1)
  }

  @Test func manyUsersHaveUpToTenDigits() throws {
    let model = shop { $0.users = 1_000_000_000 }
    let ids = try records(run(model, EventStream.Part(start: monday, count: 2000)).lines)
      .map(\.user_id)
    #expect(ids.allSatisfy { (1...1_000_000_000).contains($0) })
    #expect(ids.contains { $0 > 100_000_000 })
    #expect(ids.contains { $0 < 100_000_000 })
  }
}
