import DruidSQL
import JavaValues
import Plumbing
import TestSupport
import Testing

@testable import EmbeddedDruid

@Suite struct ExpressionTests {
  private static let row = InputRow(
    time: 1_767_225_661_000,
    fields: [
      .init(key: "price", value: .double(2.5)), .init(key: "quantity", value: .long(3)),
      .init(key: "name", value: .text("Pen ")), .init(key: "number", value: .text("10")),
      .init(key: "is new", value: .bool(true)), .init(key: "tags", value: .list([.text("a")])),
      .init(
        key: "nested", value: .object([.init(key: "a", value: .list([.long(1), .text("x")]))])),
    ])

  @Test(arguments: [
    ("price * quantity", "7.5"), ("quantity / 2", "1"), ("-quantity + 5 * 2 - 1", "6"),
    ("2 ^ 0.5 ^ 2", "1.189207115002721"), ("number * quantity", "30.0"),
    ("name * quantity", nil), ("name + 'x'", "Pen x"), ("missing + 1", nil),
    ("quantity > 2 && price < 3", "1"), ("quantity > 2 && missing", nil),
    ("quantity < 2 && missing", "0"), ("quantity > 2 || missing", "1"), ("!(quantity == 3)", "0"),
    ("quantity == 3.0", "1"), ("name == 'Pen '", "1"), ("name < 'Q'", "1"), ("!missing", nil),
    ("if(quantity > 2, 'many', 'few')", "many"), ("if(missing, 1, 2)", "2"),
    ("case_searched(quantity == 1, 'one', quantity == 3, 'three', 'more')", "three"),
    ("case_searched(quantity == 1, 'one')", nil), ("nvl(missing, 'none')", "none"),
    ("isnull(missing)", "1"), ("notnull(missing)", "0"), ("concat(name, quantity)", "Pen 3"),
    ("concat(name, missing)", nil), ("upper(trim(name))", "PEN"), ("strlen(name)", "4"),
    ("substring(name, 1, 2)", "en"), ("substring(name, 1, -1)", "en "),
    ("substring(name, 9, 1)", nil),
    ("replace(name, 'en', 'a')", "Pa "), ("strpos(name, 'n')", "2"), ("strpos(name, 'z')", "-1"),
    ("cast(price, 'LONG')", "2"), ("cast('1.9', 'LONG')", "1"), ("cast(quantity, 'STRING')", "3"),
    ("cast(name, 'DOUBLE')", nil), ("abs(-quantity)", "3"), ("floor(price)", "2.0"),
    ("\"is new\" + 1", "2"), ("json_value(nested, '$.a[1]')", "x"),
    ("json_value(nested, '$.a')", nil), ("timestamp_floor(__time, 'PT1H')", "1767225600000"),
    ("timestamp_ceil(__time, 'PT1H')", "1767229200000"),
    ("timestamp_extract(__time, 'SECOND')", "1"), ("timestamp_extract(__time, 'DOW')", "4"),
    ("timestamp_parse('2026-01-01T00:00:01Z')", "1767225601000"),
    ("timestamp_parse('01.02.2026', 'dd.MM.yyyy')", "1769904000000"),
    ("timestamp_parse('x', 'yyyy')", nil), ("null", nil), ("nvl(null, 3)", "3"),
  ])
  func computes(_ sample: (text: String, value: String?)) throws {
    let expression = try #require(Expression(sample.text))
    #expect(try expression.value(of: Self.row).javaText == sample.value)
  }

  @Test(arguments: [
    "", "1 +", "f(1)", "concat(", "nvl(1)", "a b", "'open", "a -> b", "[1,2]",
    "regexp_extract(a, 'x')",
    "timestamp_floor(__time, 'PT7H')", "cast(a, 'COMPLEX')", "timestamp_parse(a, 'q')",
    "json_value(a, '$..b')", "json_value(a, '$.b[*]')", "'\\n'",
    String(repeating: "(", count: 5000), String(repeating: "-", count: 5000),
    String(repeating: "2^", count: 5000) + "2",
  ])
  func refusesTheRest(_ text: String) {
    #expect(Expression(text) == nil)
  }

  @Test(arguments: [
    ("tags + 1", false), ("-name", false), ("1 / 0", true), ("name - name", true),
    ("2 ^ 2", false),
  ])
  func tellsWhatItCannotDo(_ sample: (text: String, isDruids: Bool)) throws {
    let expression = try #require(Expression(sample.text))
    do {
      let value = try expression.value(of: Self.row)
      Issue.record("\(value)")
    } catch {
      if case .bad = error { #expect(sample.isDruids) } else { #expect(!sample.isDruids) }
    }
  }

  @Test(arguments: [
    (#"{"type":"selector","dimension":"quantity","value":"3"}"#, true),
    (#"{"type":"selector","dimension":"missing","value":null}"#, true),
    (#"{"type":"selector","dimension":"quantity","value":"3.0"}"#, true),
    (#"{"type":"selector","dimension":"price","value":"2.50"}"#, true),
    (#"{"type":"selector","dimension":"number","value":"10.0"}"#, false),
    (#"{"type":"in","dimension":"quantity","values":["x","3"]}"#, true),
    (#"{"type":"not","field":{"type":"selector","dimension":"quantity","value":"x"}}"#, true),
    (#"{"type":"selector","dimension":"is new","value":"true"}"#, true),
    (#"{"type":"not","field":{"type":"selector","dimension":"missing","value":"x"}}"#, false),
    (#"{"type":"not","field":{"type":"selector","dimension":"name","value":"x"}}"#, true),
    (#"{"type":"in","dimension":"number","values":["9","10"]}"#, true),
    (#"{"type":"bound","dimension":"number","lower":"9","ordering":"numeric"}"#, true),
    (#"{"type":"bound","dimension":"number","lower":"9"}"#, false),
    (
      #"{"type":"bound","dimension":"quantity","upper":"3","upperStrict":true,"ordering":"numeric"}"#,
      false
    ),
    (
      #"{"type":"and","fields":[{"type":"true"},{"type":"expression","expression":"price > 2"}]}"#,
      true
    ),
    (#"{"type":"or","fields":[{"type":"false"},{"type":"null","column":"price"}]}"#, false),
    (
      #"{"type":"equals","column":"name","matchValueType":"STRING","matchValue":"Pen "}"#, true
    ),
  ])
  func filters(_ sample: (json: String, admits: Bool)) throws {
    let filter = try #require(RowFilter(try JSONValue(parsing: sample.json)))
    #expect(try filter.admits(Self.row) == sample.admits)
  }

  @Test(arguments: [
    #"{"type":"regex","dimension":"a","pattern":"x"}"#, #"{"type":"selector","value":"x"}"#,
    #"{"type":"selector","dimension":"a","value":"x","extractionFn":{"type":"upper"}}"#,
    #"{"type":"in","dimension":"a","values":["x",null]}"#, #"{"type":"and","fields":[]}"#, "{}",
    #"{"type":"bound","dimension":"a","lower":"x","ordering":"numeric"}"#,
    #"{"type":"not","field":{"type":"regex"}}"#, #"{"type":"expression","expression":"f(x)"}"#,
  ])
  func refusesOtherFilters(_ json: String) throws {
    #expect(RowFilter(try JSONValue(parsing: json)) == nil)
  }

  @Test(arguments: [
    ("yyyy-MM-dd HH:mm:ss", "2026-01-01 00:00:01", 1_767_225_601_000),
    ("yyyy-MM-dd HH:mm:ss", "2026-1-1 0:0:1", 1_767_225_601_000),
    ("yyyy-MM-dd HH:mm:ss", "2026-01-01T00:00:01", nil),
    ("yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2026-01-01T02:00:01.250+02:00", 1_767_225_601_250),
    ("yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2026-01-01T00:00:01.5Z", 1_767_225_601_500),
    ("yyyyMMddHHmmss", "20260101000001", 1_767_225_601_000),
    ("yyyyMMdd", "2026011", 1_767_225_600_000), ("dd/MM/yyyy", "31/02/2026", nil),
    ("dd/MM/yyyy", "01/01/2026", 1_767_225_600_000), ("dd/MM/yyyy", "01/01/2026x", nil),
    ("yyyy-MM-dd HH", "2026-01-01 24", nil), ("yyyy", "", nil),
    ("yyyy-MM-dd''HH", "2026-01-01'05", 1_767_243_600_000),
    ("yyyy", "292278993", 9_223_371_985_593_600_000), ("yyyy", "292278994", nil),
    ("yyyy-MM-dd", "999999999-01-01", nil), ("HH:mm", "01:02", 3_720_000),
    ("EEE MMM dd HH:mm:ss Z yyyy", "Thu Jan 01 00:00:01 +0000 2026", 1_767_225_601_000),
    ("yyyy-MM-dd'T'HH:mm:ss'Z'", "2026-01-01t00:00:01z", 1_767_225_601_000),
  ])
  func readsMomentsByPattern(_ sample: (pattern: String, text: String, time: Int64?)) throws {
    let pattern = try #require(JodaPattern(ingestion: sample.pattern))
    #expect(pattern.time(of: sample.text, zone: .utc) == sample.time)
  }

  /// A number that is not a valid time for Druid is refused.
  @Test(arguments: [
    "timestamp_floor(-9223372036854775807, 'PT1H')", "timestamp_floor(9223372036854775807, 'P1W')",
    "timestamp_ceil(9223372036854775807, 'P1Y')", "timestamp_extract(9223372036854775807, 'DOW')",
  ])
  func refusesWhatIsNoMoment(_ text: String) throws {
    let expression = try #require(Expression(text))
    #expect(throws: Expression.Failure.self) { try expression.value(of: Self.row) }
  }

  @Test(arguments: ["", "yyyy q", "yyyy z", "yyyy ZZZ"])
  func refusesOtherPatterns(_ pattern: String) {
    #expect(JodaPattern(ingestion: pattern) == nil)
  }

  @Test(arguments: [
    ("$", "{a=[1, x]}"), ("$.a[0]", "1"), ("$['a'][1]", "x"), ("$.a[2]", nil), ("$.b.c", nil),
    ("$.a.b", nil),
  ])
  func followsPaths(_ sample: (path: String, value: String?)) throws {
    let path = try #require(FieldPath(jsonPath: sample.path))
    #expect(path.value(in: Self.row["nested"]).javaText == sample.value)
  }

  /// Any text of an expression, a path or a pattern is parsed or refused, and computes a value or
  /// fails.
  @Test func textsAreFuzzed() {
    let words = [
      "price", "quantity", "name", "tags", "nested", "__time", "null", "1", "2.5", "0", "-", "!",
      "(",
      ")", ",", "+", "*", "/", "%", "^", "<", ">=", "==", "&&", "||", "'x'", "''", "'PT1H'",
      "'LONG'",
      "'yyyy-MM-dd'", "'$.a[0]'", "if(", "nvl(", "cast(", "concat(", "substring(", "strpos(",
      "abs(",
      "timestamp_floor(", "timestamp_parse(", "json_value(", "$", ".", "a", "[", "0", "]", "yyyy",
      "MM",
      "'", " ", "🙂", "9223372036854775807", "timestamp_ceil(", "timestamp_extract(", "'P1W'",
      "'P1M'", "'DOW'",
    ]
    var understood = 0
    Fuzzing.run("texts of a spec") { random in
      let text = (0...random.below(9)).map { _ in random.pick(words) }.joined()
      if let expression = Expression(text) {
        understood += 1
        _ = try? expression.value(of: Self.row)
      }
      _ = FieldPath(jsonPath: "$" + text)?.value(in: Self.row["nested"])
      _ = JodaPattern(ingestion: text)?.time(of: "2026-01-01", zone: .utc)
      _ = JodaPattern(ingestion: "yyyy-MM-dd")?
        .time(of: "\(random.below(1_000_000_000))-01-01", zone: .utc)
    }
    #expect(understood > 10, "seed \(Fuzzing.seed)")
  }
}
