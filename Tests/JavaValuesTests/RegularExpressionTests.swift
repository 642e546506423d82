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

/// Patterns whose meaning in Java differs from that in PCRE2.
@Suite struct JavaPatternTests {
  @Test(arguments: [
    ("(?i)k", "\u{212A}", false), ("(?i)é", "É", false), ("(?i)[^a]", "A", false),
    ("(?i)[b-d]", "C", true), ("a.b", "a\u{85}b", false), ("a.b", "a\u{b}b", true),
    ("a$", "a\u{2028}", true), ("a$", "a\r\n", true), ("a\\r$", "a\r\n", false),
    ("a$", "a\n\n", false), ("(?m)^$", "a\n", false), ("(?m)a$", "a\rb", true),
    ("(?m)^b", "a\u{85}b", true), ("\\bé", "é", true), ("[a-c[x-z]]", "y", true),
    ("[^a-c[x-z]]", "y", false), ("[a-z&&[def]&&[^e]]", "e", false), ("[a&&b]", "a", false),
    ("\\uD83D\\uDE42", "🙂", true), ("^.$", "🙂", true), ("\\p{Punct}", "$", true),
    ("\\P{Lower}", "a", false), ("\\p{IsGreek}", "α", true), ("\\cA", "\u{1}", true),
    ("\\0101", "A", true), ("(?x)[a b]", " ", false),
    ("\\2(a)", "aa", false), ("\\Qa*\\E+b", "a**b", true), ("]", "]", true), ("}", "}", true),
    ("[&&a]", "a", true), ("\\R", "\u{85}", true), ("\\h\\v", "\u{a0}\n", true),
    ("(a)(?i:\\Q B\\E)", "a b", true), ("[\\D]", "5", false), ("[\\p{Lu}\\d]", "Ä", true),
    ("[^\\P{L}]", "ß", true), ("(?s).", "\n", true), ("\\x{1F642}", "🙂", true),
  ])
  func finds(pattern: String, text: String, expected: Bool) throws {
    #expect(try RegularExpression(pattern).isFound(in: text) == expected)
  }

  @Test(arguments: [
    "a**", "a+*", "(?:", "[[a]", "\\p{", "\\c", "\\x4", "\\u12", "(?<a>x)(?<a>y)", "a{,2}",
    "(?P<a>b)",
    "(*ACCEPT)", "\\y",
  ])
  func refusesWhatJavaRefuses(pattern: String) {
    #expect {
      _ = try RegularExpression(pattern)
    } throws: { error in
      if case ValueFailure.invalid? = error as? ValueFailure { true } else { false }
    }
  }

  @Test(arguments: [
    "\\X", "\\Gx", "(?u)a", "\\p{InGreek}", "(?<=a+)b", "\\uD83D", "a{70000}", "a{2}{3}",
  ])
  func refusesWhatHasNoCounterpart(pattern: String) {
    #expect {
      _ = try RegularExpression(pattern)
    } throws: { error in
      if case ValueFailure.unsupported? = error as? ValueFailure { true } else { false }
    }
  }
}

@Suite struct LikePatternTests {
  @Test(arguments: [
    ("", "", true), ("", "a", false), ("%", "", true), ("a%", "abc", true), ("%c", "abc", true),
    ("a%c", "ac", true), ("ab%bc", "abc", false), ("%b%b%", "abc", false), ("_", "é", true),
    ("__", "é", false), ("%_é_%", "aéb", true), ("%aab", "aaaab", true), ("a\\%", "a%", true),
    ("a\\%", "ab", false), ("%ab_%", "ababc", true), ("%ana%ana%", "banana", false),
    ("%ana%na", "bananana", true),
  ])
  func matches(pattern: String, text: String, expected: Bool) throws {
    #expect(try LikePattern(pattern, escape: "\\").matches(text) == expected)
  }

  /// Compares all small texts and patterns with the definition.
  @Test func agreesWithItsDefinition() throws {
    func fits(_ pattern: Substring, _ text: Substring) -> Bool {
      guard let first = pattern.first else { return text.isEmpty }
      if first == "%" {
        return fits(pattern.dropFirst(), text) || (!text.isEmpty && fits(pattern, text.dropFirst()))
      }
      guard let next = text.first, first == "_" || first == next else { return false }
      return fits(pattern.dropFirst(), text.dropFirst())
    }
    func words(_ letters: String, _ length: Int) -> [String] {
      length == 0
        ? [""]
        : words(letters, length - 1).flatMap { word in
          word.count == length - 1 ? [word] + letters.map { word + String($0) } : [word]
        }
    }
    let texts = words("ab", 4)
    for pattern in words("ab%_", 4) {
      let like = LikePattern(pattern)
      for text in texts { #expect(try like.matches(text) == fits(pattern[...], text[...])) }
    }
  }
}
