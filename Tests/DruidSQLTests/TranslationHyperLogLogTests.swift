import DruidSQL
import Testing

/// Numbers that an independent implementation of the same registers gave, itself held against a real Druid's answers.
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
}
