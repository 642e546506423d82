import Plumbing
import TestSupport
import Testing

@testable import EventGeneration

/// Blocks in memory, with their maximum number.
private final class MemoryStore: BlockStore {
  private(set) var blocks: [Int: [UInt8]] = [:]

  func write(_ bytes: RawSpan, at number: Int) throws(SystemFailure) {
    blocks[number] = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
  }

  func read(into bytes: UnsafeMutableRawBufferPointer, at number: Int) throws(SystemFailure) {
    guard let block = blocks[number] else { throw SystemFailure("reading", code: 5) }
    unsafe bytes.copyBytes(from: block)
  }
}

@Suite struct LateLinesTests {
  private func line(_ number: Int, at second: Int64, delay: Int64) -> Line {
    var event = Event(
      state: UInt64(number), user: 0, product: 0, origin: 0, step: 0, secondsLeft: 0, typeCode: 0,
      quantity: 1)
    event.user = UInt32(number)
    var line = Line(event, time: second, position: 0)
    line.delay = delay
    return line
  }

  /// Whatever exceeds memory, lines come back in their second and in the order in which they were
  /// added.
  @Test(arguments: [Int64(-3000), 0, 1_767_600_000])
  func linesComeBackInOrder(start: Int64) throws {
    var generator = SeededGenerator(seed: 7)
    let store = MemoryStore()
    var late = LateLines(store, patience: 1000)
    var expected: [Int64: [UInt32]] = [:]
    var number = 0
    func check(_ lines: [Line], _ second: Int64) {
      #expect(lines.map(\.event.user) == expected.removeValue(forKey: second) ?? [])
    }
    for second in start..<start + 3000 {
      if try late.hasLines(in: second) {
        check(try late.take(second), second)
      } else {
        #expect(expected[second] == nil)
      }
      for _ in 0..<generator.below(60) {
        let longest = generator.below(4) == 0 ? 9000 : 20
        let late1 = line(number, at: second, delay: Int64(1 + generator.below(longest)))
        expected[late1.due, default: []].append(late1.event.user)
        try late.add(late1, due: late1.due)
        number += 1
      }
    }
    #expect(store.blocks.count > 10)
    for second in expected.keys.sorted() { check(try late.takeNext() ?? [], second) }
    #expect(try late.takeNext() == nil)
    // Blocks are reused: there are fewer blocks than lines that passed through them.
    #expect(store.blocks.count < number / 256)
  }

  @Test func aRunIsTheSameWithAndWithoutAStore() {
    var dirt = Dirt()
    dirt.late = 0.9
    dirt.lateness = 600_000
    let model = shop(rate: 250)
    let part = EventStream.Part(start: monday, end: monday + 1200)
    let store = MemoryStore()
    let spilled = run(model, part, dirt: dirt, store: store)
    let kept = run(model, part, dirt: dirt)
    #expect(!store.blocks.isEmpty)
    #expect(spilled.bytes == kept.bytes)
    #expect(spilled.labels == kept.labels)
  }
}
