import DruidSQL
import JavaValues
import Testing

/// Estimates of an independent implementation of the same registers, which was compared with a real
/// Druid.
@Suite struct TranslationHyperLogLogTests {
  @Test(arguments: [(0, 0), (1, 1), (205, 206), (1_499, 1489), (100_000, 99736)])
  func countsIntegers(count: Int, estimate: Int64) {
    var counter = HyperLogLog()
    for value in 0..<count { counter.add(Int64(value)) }
    #expect(counter.count == estimate)
    for value in 0..<count { counter.add(Int64(value)) }
    #expect(counter.count == estimate)
  }

  @Test func countsTexts() {
    var counter = HyperLogLog()
    for value in 0..<1_000 { counter.add("São Paulo, rua \(value)") }
    #expect(counter.count == 987)
  }

  @Test func countsReals() {
    var counter = HyperLogLog()
    for value in 0..<1_000 { counter.add(Double(value) / 7) }
    #expect(counter.count == 996)
  }

  /// The hash of the empty text is all zeros, which no register can store. A real Druid returned 5
  /// for these six.
  @Test func losesTheEmptyTextAmongFew() {
    var counter = HyperLogLog()
    let names = ["plain", "comma, quote\" and 'apostrophe'", "日本語テキスト", "émoji 🙂", "  padded  "]
    for name in names + [""] { counter.add(name) }
    #expect(counter.count == 5)
    var alone = HyperLogLog()
    alone.add("")
    #expect(alone.count == 0)
    var many = HyperLogLog()
    for value in 0..<1_000 { many.add("São Paulo, rua \(value)") }
    many.add("")
    #expect((987...989).contains(many.count))
  }
}
