import TestSupport
import Testing

@testable import JavaValues

@Suite struct RegularExpressionTests {
  @Test(arguments: [
    ("^[B-C]", "Berlin", true), ("^[B-C]", "Agra", false), ("a.c", "xabcx", true),
    ("a.c", "a\nc", false), ("(?s)a.c", "a\nc", true), ("(?i)ABC", "xabc", true),
    ("^abc$", "abc\n", true), ("^abc\\z", "abc\n", false), ("\\bcat\\b", "a cat.", true),
    ("\\bcat\\b", "concat", false), ("\\d{3}-\\d{4}", "call 555-1234", true),
    ("a|b|c", "zzc", true),
    ("(ab)+c", "ababc", true), ("^(a|ab)(c|bcd)$", "abcd", true), ("(a)\\1", "aa", true),
    ("(?<x>a)\\k<x>", "aa", true), ("(?=.*\\d)(?=.*[a-z]).{4,}", "abc1", true),
    ("(?!a)b", "ab", true), ("(?<=a)b", "ab", true), ("(?<!a)b", "ab", false),
    ("(?<=ab|c)d", "abd", true), ("a*+a", "aaa", false), ("a*?b", "aab", true),
    ("(?>a*)ab", "aaab", false), ("[^a-c]", "abc", false), ("[a-z&&[^aeiou]]", "aei", false),
    ("[a-z&&[^aeiou]]", "aeb", true), ("\\p{Lu}", "é", false), ("\\p{L}", "é", true),
    ("\\Qa.b\\E", "a.b", true), ("\\Qa.b\\E", "axb", false), ("\\x41\\u0042", "AB", true),
    ("[\\w.-]+@[\\w-]+\\.\\w+", "me@x-y.org", true), ("(?m)^b$", "a\nb\nc", true), ("", "", true),
    ("(a*)*b", "aaaa", false), ("(?:a?){3}aaa", "aaa", true), ("[]a]", "]", true),
    ("[a-]", "-", true), ("x{0}y", "y", true), ("^.{2}$", "日本", true), ("\\s+$", "a \t", true),
    ("(?i:a)b", "Ab", true), ("(?i:a)b", "AB", false), ("(?x) a b # c", "ab", true),
  ])
  func finds(pattern: String, text: String, expected: Bool) throws {
    #expect(try RegularExpression(pattern).isFound(in: text) == expected)
  }

  @Test(arguments: [
    ("order-123-x", "([0-9]+)", 1, "123"), ("abc", "(x)?b", 0, "b"), ("aXbX", "a(.*)X", 1, "Xb"),
    ("aXbX", "a(.*?)X", 1, ""), ("key=value", "(\\w+)=(\\w+)", 2, "value"),
    ("foobar", "foo(?:bar|baz)", 0, "foobar"), ("abab", "(a)(b)(?:\\1\\2)", 0, "abab"),
  ])
  func extracts(text: String, pattern: String, group: Int, expected: String) throws {
    #expect(try RegularExpression(pattern).extract(group, of: text) == expected)
  }

  @Test func aGroupThatTookNoPartIsNothing() throws {
    #expect(try RegularExpression("(x)?b").extract(1, of: "abc") == nil)
    #expect(try RegularExpression("(x)").extract(0, of: "abc") == nil)
  }

  @Test(arguments: [
    ("a1b22", "[0-9]+", "#", "a#b#"), ("abc", "", "-", "-a-b-c-"), ("ab", "(a)(b)", "$2$1", "ba"),
    ("aaa", "a*", "x", "xx"), ("a.b", "\\.", "\\$", "a$b"), ("xay", "(?<m>a)", "[${m}]", "x[a]y"),
    ("John Smith", "(\\w+) (\\w+)", "$2, $1", "Smith, John"),
  ])
  func replaces(text: String, pattern: String, replacement: String, expected: String) throws {
    #expect(try RegularExpression(pattern).replacing(in: text, with: replacement) == expected)
  }

  @Test(arguments: [
    ("a,b,c", ",", ["a", "b", "c"]), ("abc", "", ["a", "b", "c"]), ("a,,b", ",", ["a", "", "b"]),
    ("", ",", [""]), ("a1b2c", "\\d", ["a", "b", "c"]),
  ])
  func splits(text: String, pattern: String, expected: [String]) throws {
    #expect(try RegularExpression(pattern).split(text) == expected)
  }

  @Test(arguments: [
    "(", ")", "[a", "*a", "a{2,1}", "\\", "(?<n", "[z-a]", "\\k<x>", "(?<1>a)", "{", "(?z)",
  ])
  func refusesWhatJavaRefuses(pattern: String) {
    #expect(throws: ValueFailure.self) { try RegularExpression(pattern) }
  }

  @Test func aHostilePatternEndsInARefusal() throws {
    let text = String(repeating: "a", count: 40)
    #expect(throws: ValueFailure.self) {
      try RegularExpression("^(a+)+$").isFound(in: text + "b")
    }
    #expect(throws: ValueFailure.self) {
      try RegularExpression(String(repeating: "(", count: 5000))
    }
    #expect(throws: ValueFailure.self) { try RegularExpression("((a{1000}){1000}){1000}") }
    let long = String(repeating: "x", count: 200_000)
    #expect(try RegularExpression("(x|y)*z").isFound(in: long.prefix(2000) + "z"))
    #expect(try RegularExpression(".*y").isFound(in: "xxxxx") == false)
  }

  @Test func randomPatternsNeitherTrapNorHang() {
    let pieces = [
      "a", "b", "(", ")", "[", "]", "*", "+", "?", "{2}", "|", "^", "$", "\\d", ".", "\\1", "(?:",
      "(?=", "[^", "-", "\\", "(?<=", "(?>",
    ]
    var random = SeededGenerator(seed: 7)
    for _ in 0..<1500 {
      let pattern = (0...random.below(10)).map { _ in random.pick(pieces) }.joined()
      let text = (0..<random.below(12)).map { _ in random.pick(["a", "b", "1", "\n"]) }.joined()
      _ = try? RegularExpression(pattern).replacing(in: text, with: "x")
    }
  }
}
