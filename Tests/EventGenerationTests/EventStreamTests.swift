import Testing

@testable import EventGeneration

/// All lines of a part, as one text.
func lines(_ model: Model, _ part: EventStream.Part) -> [Substring] {
  var stream = EventStream(model, part)
  var block = LineBlock()
  var bytes: [UInt8] = []
  while true {
    let pause = stream.fill(&block, through: .distantFuture)
    unsafe block.bytes.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    block.removeAll()
    if pause == .ended { break }
  }
  return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
}

@Suite struct EventStreamTests {
  @Test func aSliceEqualsTheSliceOfALongerRun() {
    for seed: UInt64 in 1...20 {
      var settings = Model.Settings()
      settings.seed = seed
      settings.rate = 3
      let model = Model(settings)
      let long = lines(model, EventStream.Part(start: 1_767_225_600, end: 1_767_225_600 + 2400))
      let short = lines(
        model, EventStream.Part(start: 1_767_225_600 + 1200, end: 1_767_225_600 + 2400))
      #expect(!short.isEmpty)
      #expect(long.suffix(short.count).elementsEqual(short), "seed \(seed)")
    }
  }
}
