import DruidSQL
import TestSupport
import Testing

/// Damaged statements are planned or refused, with a position inside the text. They never trap and
/// never take long.
@Suite struct PlannerFuzzTests {
  private static let pieces = [
    "(", ")", ",", ".", "'", "\"", "U&'", "\\", "--", "/*", "*/", ";", "?", "::", "<>", "=", "-",
    "||", "[", "]",
    "0", "9223372036854775808", "1e400", "NULL", "CASE", "WHEN", "END", "CAST", "AS", "INTERVAL",
    "'1'", "DAY",
    "OVER", "PARTITION BY", "ROWS BETWEEN", "PRECEDING", "UNION ALL", "SELECT", "FROM", "edge",
    "GROUP BY", "1",
    "GROUPING SETS", "FILTER", "EXISTS", "IN", "BETWEEN", "LIKE", "ESCAPE", "ARRAY[", "TIMESTAMP",
    "é🙂", "\u{0}",
    "TIME_FLOOR", "SUM", "COUNT(*)", "DISTINCT", "NOT", "IS", "LIMIT", "OFFSET", "ORDER BY", "JOIN",
    "ON", "WITH",
  ]

  private static func damaged(_ sql: String, _ generator: inout some RandomNumberGenerator)
    -> String
  {
    var words = sql.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    for _ in 0...Int.random(in: 0...4, using: &generator) {
      let place = Int.random(in: 0..<max(1, words.count), using: &generator)
      let piece = pieces.randomElement(using: &generator) ?? "("
      switch Int.random(in: 0...5, using: &generator) {
      case 0: words.insert(piece, at: min(place, words.count))
      case 1 where !words.isEmpty: words.remove(at: place)
      case 2 where !words.isEmpty: words[place] = piece
      case 3 where !words.isEmpty:
        words.swapAt(place, Int.random(in: 0..<words.count, using: &generator))
      case 4 where !words.isEmpty: words[place] += piece
      default: words.insert(contentsOf: words.suffix(3), at: min(place, words.count))
      }
    }
    var text = words.joined(separator: " ")
    if Int.random(in: 0...9, using: &generator) == 0 {
      text = String(text.prefix(Int.random(in: 0...text.count, using: &generator)))
    }
    return text
  }

  @Test func damagedStatementsAreFuzzed() throws {
    let samples = SyntaxSamples.all
    try #require(samples.count > 50)
    var planned = 0
    var refused = 0
    var slowest = Duration.zero
    Fuzzing.run("statements") { generator in
      let sql = Self.damaged(samples.randomElement(using: &generator) ?? "", &generator)
      let began = ContinuousClock.now
      if let failure = BindingFixture.failure(sql) {
        refused += 1
        #expect(!"\(failure)".isEmpty, "seed \(Fuzzing.seed): \(sql)")
      } else {
        planned += 1
      }
      slowest = max(slowest, ContinuousClock.now - began)
    }
    #expect(refused > 10 && planned > 0, "seed \(Fuzzing.seed)")
    #expect(slowest < .seconds(60), "seed \(Fuzzing.seed)")
  }

  @Test(arguments: ["(", "[", "CASE WHEN ", "NOT ", "- ", "SELECT (", "ARRAY[", "CAST(", "((1) + "])
  func depthIsLimited(_ piece: String) {
    let sql = "SELECT " + String(repeating: piece, count: 20_000)
    #expect(BindingFixture.failure(sql) != nil)
  }
}
