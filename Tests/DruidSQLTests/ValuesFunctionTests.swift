import Foundation
import JavaValues
import TestSupport
import Testing

@testable import DruidSQL

@Suite struct ValuesFunctionTests {
  private let context = ValueContext { name in
    FileManager.default.contents(atPath: "/usr/share/zoneinfo/" + name).map { Array($0) }
  }

  private func call(_ name: String, _ arguments: SQLValue...) throws -> SQLValue {
    let kernel = try #require(Function.kernels.first { $0.name == "druid_" + name })
    return try kernel(arguments, context)
  }

  @Test func strictFunctionsAnswerNullToNull() throws {
    for kernel in Function.kernels {
      guard case .scalar(isStrict: true, _) = kernel.body else { continue }
      let nulls = Array(repeating: SQLValue.null, count: kernel.arity.lowerBound)
      #expect(try kernel(nulls, context) == .null, "\(kernel.name)")
    }
  }

  /// The two Unicode forms of "é" are different texts in Java, and equal in Swift.
  @Test func textsAreTheSameByTheirUnits() throws {
    let (one, two) = (SQLValue.text("\u{e9}"), SQLValue.text("e\u{301}"))
    let array = SQLValue.text("[\"e\u{301}\"]")
    #expect(one != two && Set([one, two]).count == 2 && two.precedes(one))
    let many = SQLValue.blob(Array("[\"\u{e9}\",\"e\u{301}\"]".utf8))
    #expect(try call("mv_overlap", one, array) == .boolean(false))
    #expect(try call("mv_contains", one, array) == .boolean(false))
    #expect(try call("mv_in", one, array) == .boolean(false))
    #expect(try call("mv_filter_only", many, array) == two)
    #expect(try call("mv_filter_none", many, array) == one)
    #expect(try call("mv_offset_of", many, two) == .integer(1))
    #expect(try call("array_contains", array, one) == .boolean(false))
    // A cached value of one form is not used for the other.
    #expect(try call("array_offset", .text("[\"\u{e9}\"]"), .integer(0)) == one)
    #expect(try call("array_offset", array, .integer(0)) == two)
  }

  @Test func noFunctionTrapsOnForeignArguments() {
    let odd: [SQLValue] = [
      .null, .integer(.min), .integer(.max), .real(.infinity), .real(-0.0), .text(""),
      .text("NaN"), .text("[1,null,\"a\"]"), .text("%s%d{"), .blob([0xFF, 0x5B]), .blob([]),
      .text("🙂é"), .integer(0), .text("P1D"), .text("UTC"),
    ]
    var random = SeededGenerator(seed: 42)
    for kernel in Function.kernels {
      let counts = kernel.arity.clamped(to: 0...6)
      for _ in 0..<60 {
        let count = counts.lowerBound + random.below(counts.count)
        _ = try? kernel((0..<count).map { _ in random.pick(odd) }, context)
      }
    }
  }

  @Test(arguments: [
    ("abcdef", Int64(2), Int64(3), "bcd"), ("abc", 2, -1, "bc"),
    ("a🙂b", 4, 1, "b"), ("日本語", 2, 1, "本"), ("abc", 1, 99, "abc"),
  ])
  func substrings(text: String, start: Int64, length: Int64, expected: String) throws {
    #expect(
      try call("substring", .text(text), .integer(start), .integer(length)) == .text(expected))
  }

  @Test func padsAndTrims() throws {
    #expect(try call("lpad", .text("ab"), .integer(5), .text("xy")) == .text("xyxab"))
    #expect(try call("rpad", .text("ab"), .integer(5), .text("xy")) == .text("abxyx"))
    #expect(try call("lpad", .text("abc"), .integer(2), .text("x")) == .text("ab"))
    #expect(try call("lpad", .text("abc"), .integer(-1), .text("x")) == .text(""))
    #expect(try call("rpad", .text("abc"), .integer(0), .text("x")) == .null)
    #expect(try call("btrim", .text("  x "), .text(" ")) == .text("x"))
    #expect(try call("ltrim", .text("xxa"), .text("x")) == .text("a"))
    #expect(try call("rtrim", .text("ayy"), .text("y")) == .text("a"))
    #expect(try call("pad", .text("bcd"), .integer(6)) == .text("bcd   "))
    #expect(try call("repeat", .text("ab"), .integer(3)) == .text("ababab"))
    #expect(try call("repeat", .text("ab"), .integer(0)) == .null)
  }

  @Test func findsText() throws {
    #expect(try call("position", .text("b"), .text("abcb"), .integer(1)) == .integer(2))
    #expect(try call("position", .text("b"), .text("abcb"), .integer(3)) == .integer(4))
    #expect(try call("position", .text("z"), .text("abc"), .integer(1)) == .integer(0))
    #expect(try call("contains_string", .text("abc"), .text("bc")) == .integer(1))
    #expect(try call("icontains_string", .text("ABC"), .text("bc")) == .integer(1))
    #expect(
      try call("replace", .text("banana"), .text("an"), .text("AN")) == .text("bANANa"))
    #expect(try call("reverse", .text("abc🙂")) == .text("🙂cba"))
    #expect(try call("char_length", .text("a🙂")) == .integer(3))
  }

  @Test(arguments: [
    ("abc", "a%", "", true), ("abc", "%c", "", true), ("abc", "_b_", "", true),
    ("abc", "a", "", false), ("", "%", "", true), ("", "_", "", false), ("a%c", "a!%c", "!", true),
    ("abc", "a!%c", "!", false), ("aXbXc", "a%b%c", "", true), ("abcabd", "%abd", "", true),
    ("a\nb", "a%b", "", true), ("日本", "_本", "", true),
  ])
  func likes(text: String, pattern: String, escape: String, expected: Bool) throws {
    #expect(
      try call("like", .text(text), .text(pattern), .text(escape)) == .boolean(expected))
  }

  @Test func aMultiValueIsLikeWhenOneIs() throws {
    let several = SQLValue.multiple(["abc", "xyz"])
    #expect(try call("like", several, .text("x%"), .text("")) == .integer(1))
    #expect(try call("mv_length", several) == .integer(2))
    #expect(try call("mv_any", several, .text("="), .text("abc")) == .integer(1))
    #expect(try call("mv_offset", several, .integer(1)) == .text("xyz"))
    #expect(try call("mv_filter_only", several, .text(#"["abc"]"#)) == .text("abc"))
    #expect(try call("mv_to_string", several, .text("-")) == .text("abc-xyz"))
    #expect(try call("mv_json", .null) == .text("[null]"))
    #expect(try call("mv_to_array", .text("a")) == .text(#"["a"]"#))
    #expect(
      try call("string_to_mv", .text("a, b,c,,"), .text(", ?")) == .multiple(["a", "b", "c"]))
    #expect(try call("mv_concat", several, .text("q")) == .multiple(["abc", "xyz", "q"]))
    #expect(try call("mv_slice", several, .integer(1), .integer(3)) == .multiple(["xyz", nil]))
  }

  @Test(arguments: [
    ("%s-%05d", [SQLValue.text("x"), .integer(42)], "x-00042"),
    ("%.2f", [.real(1.005)], "1.01"), ("%,d", [.integer(-1_234_567)], "-1,234,567"),
    ("%x %X %o", [.integer(255), .integer(255), .integer(8)], "ff FF 10"),
    ("[%5s][%-5s]", [.text("a"), .text("b")], "[    a][b    ]"),
    ("%2$s %1$s", [.text("a"), .text("b")], "b a"),
    ("%+d % d (%(d", [.integer(5), .integer(5), .integer(-5)], "+5  5 ((5)"),
    ("%e", [.real(12345.678)], "1.234568e+04"), ("100%%", [], "100%"), ("%s", [.null], "null"),
    ("%d", [.text("a")], "%d; a"), ("%q", [], "%q"), ("%s %s", [.text("a")], "%s %s; a"),
    ("%08.3f", [.real(-3.14159)], "-003.142"), ("%s", [.real(1e10)], "1.0E10"),
    ("%b", [.integer(0)], "true"),
    ("%.2f", [.integer(1)], "%.2f; 1"), ("%5%|%n", [], "    %|\n"),
    ("%.3s", [.text("abcdef")], "abc"),
  ])
  func formats(format: String, arguments: [SQLValue], expected: String) {
    #expect(JavaFormat.text(format, arguments) == expected)
  }

  @Test func readsNumbersOfABase() throws {
    #expect(try call("parse_long", .text("0xff"), .integer(16)) == .integer(255))
    #expect(try call("parse_long", .text("ff"), .integer(16)) == .integer(255))
    #expect(try call("parse_long", .text("12"), .integer(10)) == .integer(12))
    #expect(try call("parse_long", .text("x"), .integer(10)) == .null)
    #expect(try call("decode_base64_utf8", .text("aGVsbG8=")) == .text("hello"))
  }

  @Test func knowsAddresses() throws {
    #expect(try call("ipv4_parse", .text("192.168.0.1")) == .integer(3_232_235_521))
    #expect(try call("ipv4_stringify", .integer(3_232_235_521)) == .text("192.168.0.1"))
    #expect(try call("ipv4_parse", .text("256.1.1.1")) == .null)
    #expect(try call("ipv4_match", .text("10.1.2.3"), .text("10.0.0.0/8")) == .integer(1))
    #expect(try call("ipv4_match", .text("11.1.2.3"), .text("10.0.0.0/8")) == .integer(0))
    #expect(try call("ipv4_match", .text("x"), .text("10.0.0.0/8")) == .integer(0))
  }

  @Test func handlesArrays() throws {
    #expect(
      try call("array", .integer(1), .real(2), .text("x\"y"), .null)
        == .text(#"[1,2.0,"x\"y",null]"#))
    #expect(try call("array_length", .text("[1,2]")) == .integer(2))
    #expect(try call("array_offset", .text("[1,2]"), .integer(1)) == .integer(2))
    #expect(try call("array_ordinal", .text("[1,2]"), .integer(3)) == .null)
    #expect(try call("array_contains", .text("[1,2,3]"), .text("[1,3]")) == .integer(1))
    #expect(try call("array_contains", .text("[1,2,3]"), .integer(2)) == .integer(1))
    #expect(try call("array_overlap", .text("[1,2,3]"), .text("[9]")) == .integer(0))
    #expect(try call("array_append", .text("[1]"), .null) == .text("[1,null]"))
    #expect(try call("array_concat", .text("[1]"), .text("[2]")) == .text("[1,2]"))
    #expect(try call("array_slice", .text("[1,2,3]"), .integer(1), .integer(2)) == .text("[2]"))
    #expect(try call("array_to_string", .text("[1,\"a\"]"), .text(",")) == .text("1,a"))
    #expect(try call("array_to_string", .text("[null]"), .text(",")) == .null)
    #expect(try call("array_to_string", .text("[null,1]"), .text(",")) == .text("null,1"))
    #expect(try call("array_offset_of", .text("[1,2]"), .integer(2)) == .integer(1))
  }

  @Test func readsJSON() throws {
    let json = SQLValue.text(#"{"a":{"b":[1,"x",true,{"c":null}]},"d e":2.5}"#)
    #expect(
      try call("json_value", json, .text("$.a.b[0]"), .text("VARCHAR"), .text("UTC")) == .text("1"))
    #expect(
      try call("json_value", json, .text("$.a.b[0]"), .text("BIGINT"), .text("UTC")) == .integer(1))
    #expect(
      try call("json_value", json, .text("$['d e']"), .text("DOUBLE"), .text("UTC")) == .real(2.5))
    #expect(try call("json_value", json, .text("$.a"), .text("VARCHAR"), .text("UTC")) == .null)
    #expect(try call("json_query", json, .text("$.a.b[3]")) == .text(#"{"c":null}"#))
    #expect(try call("json_keys", json, .text("$")) == .text(#"["a","d e"]"#))
    #expect(try call("try_parse_json", .text("{")) == .null)
    #expect(throws: ValueFailure.self) { try call("parse_json", .text("{")) }
    #expect(throws: ValueFailure.self) {
      try call("json_value", json, .text("a"), .text("VARCHAR"), .text("UTC"))
    }
    #expect(
      try call("json_object", .text("a"), .integer(1), .text("b"), .text("\"x\""))
        == .text(#"{"a":1,"b":"x"}"#))
    let deep = String(repeating: "[", count: 100_000)
    #expect(JSONTree(parsing: deep) == nil)
  }

  @Test func reachesTheTimesInZones() throws {
    let time = SQLValue.integer(1_767_229_323_000)
    let zone = SQLValue.text("America/Los_Angeles")
    guard (try? context.zone("America/Los_Angeles")) != nil else { return }
    #expect(
      try call("time_floor", time, .text("P1D"), .null, zone) == .integer(1_767_168_000_000))
    #expect(try call("time_extract", time, .text("HOUR"), zone) == .integer(17))
    #expect(
      try call("time_format", time, .null, zone, .integer(1))
        == .text("2025-12-31T17:02:03.000-08:00"))
    #expect(try call("time_to_text", time, .text("UTC")) == .text("2026-01-01 01:02:03"))
    #expect(
      try call("in_interval", time, .text("2026-01-01T00:00:00Z/P1D"), .text("UTC")) == .integer(1))
    // Druid treats an unknown zone as UTC.
    #expect(try context.zone("../../etc/passwd").name == "UTC")
    #expect(try context.zone("Nowhere/Land").name == "UTC")
  }

  @Test func keepsWhatIsNoNumber() throws {
    #expect(try call("ln", .integer(-1)) == .text("NaN"))
    #expect(try call("add_double", .text("NaN"), .integer(1)) == .text("NaN"))
    #expect(try call("divide_double", .real(1), .integer(0)) == .real(.infinity))
    #expect(throws: ValueFailure.divisionByZero) {
      try call("divide_long", .integer(1), .integer(0))
    }
    #expect(try call("multiply_long", .integer(.max), .integer(2)) == .integer(-2))
  }
}
