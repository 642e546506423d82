import DruidSQL
import JavaValues
import Plumbing
import TestSupport
import Testing

@testable import EmbeddedDruid

/// Columns from the fields of messages: schema discovery, and topics without a specification.
@Suite struct DiscoveryTests {
  private static func spec(
    dimensions: String, format: String = #"{"type":"json"}"#, metrics: String = "[]",
    rollup: Bool = false, timestamp: String = #"{"column":"t","format":"posix"}"#
  ) throws -> IngestionSpec {
    try IngestionSpec(
      JSONValue(
        parsing: """
          {"type":"kafka","spec":{"dataSchema":{"dataSource":"x","timestampSpec":\(timestamp),
          "dimensionsSpec":\(dimensions),"metricsSpec":\(metrics),
          "granularitySpec":{"rollup":\(rollup)}},"ioConfig":{"topic":"x","inputFormat":\(format)}}}
          """))
  }

  private static func reader(
    dimensions: String = #"{"useSchemaDiscovery":true}"#, metrics: String = "[]",
    rollup: Bool = false
  ) throws -> RowReader {
    RowReader(
      try spec(dimensions: dimensions, metrics: metrics, rollup: rollup),
      storage: try TemporaryStorage(directory: "/tmp"))
  }

  /// The columns by name and type, and the rows.
  private static func table(_ messages: [String], _ reader: inout RowReader) throws -> String {
    let rows = try RowReaderTests.rows(messages, &reader)
    let columns = reader.publish().schema.columns.dropFirst().map {
      "\($0.name):\($0.kind.sqlType.nativeName)"
    }
    return ([columns.joined(separator: " ")] + rows).joined(separator: "\n")
  }

  @Test func columnsComeWithTheirFields() throws {
    var reader = try Self.reader()
    let table = try Self.table(
      [
        #"{"t":1,"a":1,"b":"x"}"#, #"{"t":2,"c":1.5,"b":"y","a":2}"#,
        #"{"t":3,"o":{"k":[1,{"z":null}],"é":"ü"},"l":[1,2]}"#, #"{"t":4,"n":null,"e":[]}"#,
      ], &reader)
    #expect(
      table == """
        a:LONG b:STRING c:DOUBLE o:COMPLEX<json> l:ARRAY<LONG> n:STRING e:ARRAY<LONG>
        1000 | 1 | x | null | null | null | null | null
        2000 | 2 | y | 1.5 | null | null | null | null
        3000 | null | null | null | {"k":[1,{"z":null}],"é":"ü"} | [1,2] | null | null
        4000 | null | null | null | null | null | null | []
        """)
  }

  /// Two values of one field, and the type and cells of the resulting column.
  @Test(arguments: [
    ("1", "2", "LONG", "1", "2"), ("1", "2.5", "DOUBLE", "1.0", "2.5"),
    ("1", "\"a\"", "STRING", "1", "a"), ("1.5", "\"a\"", "STRING", "1.5", "a"),
    ("true", "false", "LONG", "1", "0"), ("true", "2", "LONG", "1", "2"),
    ("true", "\"a\"", "STRING", "true", "a"), ("1", "null", "LONG", "1", "null"),
    ("null", "1", "LONG", "null", "1"), ("null", "{}", "COMPLEX<json>", "null", "{}"),
    ("1", "[2]", "ARRAY<LONG>", "[1]", "[2]"),
    ("\"a\"", "[2]", "ARRAY<STRING>", "[\"a\"]", "[\"2\"]"),
    ("[1]", "[2.5]", "ARRAY<DOUBLE>", "[1.0]", "[2.5]"),
    ("[1,null]", "[\"a\"]", "ARRAY<STRING>", "[\"1\",null]", "[\"a\"]"),
    ("[1]", "[[2]]", "COMPLEX<json>", "[1]", "[[2]]"),
    ("\"a\"", "{\"b\":1}", "COMPLEX<json>", "\"a\"", "{\"b\":1}"),
    ("true", "{\"b\":1}", "COMPLEX<json>", "true", "{\"b\":1}"),
    ("[]", "[\"a\"]", "ARRAY<STRING>", "[]", "[\"a\"]"),
    ("9007199254740993", "\"a\"", "STRING", "9007199254740993", "a"),
    ("9223372036854775808", "1", "DOUBLE", "9.223372036854776e+18", "1.0"),
  ])
  func typesWiden(_ pair: (one: String, other: String, type: String, first: String, second: String))
    throws
  {
    var reader = try Self.reader()
    let old = try Self.table(["{\"t\":1,\"v\":\(pair.one)}"], &reader)
    let snapshot = reader.publish()
    let table = try Self.table(["{\"t\":2,\"v\":\(pair.other)}"], &reader)
    #expect(table == "v:\(pair.type)\n1000 | \(pair.first)\n2000 | \(pair.second)")
    // A published snapshot keeps its columns.
    #expect(
      try ScanTests.rows("SELECT c1 FROM d0", snapshot, named: "d0", columns: ["c0", "c1"])
        == [[String(old.split(separator: " ")[2])]])
  }

  /// The fast parser and the complete one make the same rows, for any messages in any order.
  @Test func bothWaysAgree() throws {
    let values = ["1", "2.5", "\"a\"", "true", "null", "[1]", "{\"k\":1}", "\"b\\u0041\"", "1e3"]
    try Fuzzing.run("discovery") { random in
      var messages: [String] = []
      for time in 0..<6 {
        var fields = ["\"t\":\(time)"]
        for name in ["a", "b", "c"] where random.below(3) > 0 {
          fields.append("\"\(name)\":\(random.pick(values))")
        }
        messages.append("{\(fields.joined(separator: ","))}")
      }
      for dimensions in [
        #"{"useSchemaDiscovery":true}"#, #"{"dimensions":[]}"#,
        #"{"dimensions":["b",{"type":"auto","name":"a"}],"includeAllDimensions":true}"#,
      ] {
        var fast = try Self.reader(dimensions: dimensions)
        var slow = RowReader(
          try Self.spec(
            dimensions: dimensions,
            format: #"{"type":"json","flattenSpec":{"fields":[{"type":"root","name":"t"}]}}"#),
          storage: try TemporaryStorage(directory: "/tmp"))
        let table = try Self.table(messages, &fast)
        #expect(try Self.table(messages, &slow) == table, "seed \(Fuzzing.seed): \(messages)")
      }
    }
  }

  @Test func manyChunksAreLaidOutAnew() throws {
    var reader = try Self.reader()
    let count = TableSchema.chunkRows + 10
    let messages = (0..<count).map { "{\"t\":\($0),\"a\":\($0)}" } + [#"{"t":0,"a":"x","b":1}"#]
    for message in messages { _ = try Messages.read(Array(message.utf8), with: &reader) }
    let rows = try ScanTests.rows(
      "SELECT count(*), sum(c1), sum(c2), min(length(c1)) FROM d0", reader.publish(), named: "d0",
      columns: ["c0", "c1", "c2"])
    #expect(rows == [["\(count + 1)", "\(Double(count * (count - 1) / 2))", "1", "1"]])
  }

  @Test func withoutTypesAllIsText() throws {
    var reader = try Self.reader(dimensions: #"{"dimensionExclusions":["d"]}"#)
    let table = try Self.table(
      [
        #"{"t":1,"a":1,"n":null,"o":{"x":1},"l":["b","a"],"d":1,"g":[[1]]}"#,
        #"{"t":2,"n":true,"o":2.5,"l":"c"}"#, #"{"t":3,"o":{"x":2}}"#,
      ], &reader)
    #expect(
      table == """
        a:STRING l:STRING n:STRING o:STRING
        1000 | 1 | x["a","b"] | null | null
        2000 | null | c | true | 2.5
        3000 | null | null | null | {x=2}
        """)
  }

  @Test func namedColumnsComeFirst() throws {
    var reader = try Self.reader(
      dimensions:
        #"{"dimensions":[{"type":"long","name":"q"},{"type":"json","name":"j"}],"useSchemaDiscovery":true}"#,
      metrics: #"[{"type":"longSum","name":"total","fieldName":"m"}]"#)
    let table = try Self.table([#"{"t":1,"z":"new","q":"7","m":3,"j":"text"}"#], &reader)
    #expect(
      table
        == "q:LONG j:COMPLEX<json> total:LONG z:STRING\n1000 | 7 | \"text\" | 3 | new")
  }

  @Test func rollupSeesDiscoveredColumns() throws {
    var reader = try Self.reader(
      metrics: #"[{"type":"count","name":"n"},{"type":"longSum","name":"s","fieldName":"m"}]"#,
      rollup: true)
    let table = try Self.table(
      [
        #"{"t":1,"a":1,"m":2}"#, #"{"t":1,"a":1,"m":3}"#, #"{"t":1,"a":"x","m":4}"#,
        #"{"t":1,"a":1,"m":5}"#, #"{"t":1,"a":1,"m":5,"b":true}"#, #"{"t":1,"a":1,"m":6}"#,
      ], &reader)
    #expect(
      table == """
        n:LONG s:LONG a:STRING b:LONG
        1000 | 4 | 16 | 1 | null
        1000 | 1 | 4 | x | null
        1000 | 1 | 5 | 1 | 1
        """)
  }

  @Test func tooManyFieldsAreLeftOut() throws {
    var reader = try Self.reader()
    let fields = (0..<400).map { "\"f\($0)\":\($0)" }.joined(separator: ",")
    for _ in 0..<3 { _ = try Messages.read(Array("{\"t\":1,\(fields)}".utf8), with: &reader) }
    #expect(reader.publish().schema.columns.count == RowReader.columnLimit)
    #expect(reader.leftOut > 0)
    #expect(reader.publish().rowCount == 3)
  }

  // MARK: Topics without a specification

  @Test(arguments: [
    (#"{"ts":"2026-01-01T00:00:00Z"}"#, "1767225600000"),
    (#"{"time":1767225600}"#, "1767225600000"),
    (#"{"@timestamp":1767225600123}"#, "1767225600123"),
    (#"{"__time":"1767225600"}"#, "1767225600000"),
    (#"{"ts":"2026-01-01 00:00:00"}"#, "1767225600000"), (#"{"ts":1767225600.5}"#, "1767225600000"),
    (#"{"ts":1767225600123456}"#, "1767225600123"),
    (#"{"timestamp":"soon","ts":1767225600}"#, "1767225600000"),
  ])
  func theTimeIsFound(_ sample: (message: String, time: String)) throws {
    var reader = RowReader(
      try IngestionSpec(AutomaticDatasource(name: "x", topic: "x")),
      storage: try TemporaryStorage(directory: "/tmp"))
    let rows = try RowReaderTests.rows(["text", "{}", sample.message], &reader)
    #expect(rows.map { $0.split(separator: " ")[0] } == [Substring(sample.time)])
    #expect(reader.spec.automaticTime == nil)
    #expect(try IngestionSpec(reader.spec.json).discovery?.isTyped == true)
  }

  @Test(
    arguments: [
      ("logs", "logs", "logs", nil), ("a=b", "a", "b", nil), ("a=b:at", "a", "b", "at"),
      ("a:message", "a", "a", "message"), ("a=b:x:y", "a", "b", "x:y"), ("", nil, nil, nil),
      ("a=", nil, nil, nil), ("a:", nil, nil, nil), ("a/b", nil, nil, nil), ("=b", nil, nil, nil),
    ] as [(String, String?, String?, String?)])
  func datasourcesAreSpelled(_ sample: (text: String, name: String?, topic: String?, time: String?))
  {
    let found = AutomaticDatasource(spelling: sample.text)
    #expect(found?.name == sample.name)
    #expect(found?.topic == sample.topic)
    #expect(found?.timeColumn == sample.time)
  }

  // MARK: Other input formats

  @Test func readsSeparatedValues() throws {
    func rows(_ format: String, _ message: String, dimensions: String = #"["s","n"]"#) throws
      -> [String]
    {
      var reader = RowReader(
        try Self.spec(dimensions: "{\"dimensions\":\(dimensions)}", format: format),
        storage: try TemporaryStorage(directory: "/tmp"))
      return try RowReaderTests.rows([message], &reader)
    }
    let csv = #"{"type":"csv","columns":["t","s","n"],"listDelimiter":"|"}"#
    #expect(
      try rows(csv, "1,a,2\n2,\"x,\"\"y\"\"\nz\",\n3,,\"\"\r\n4,c|b,1,9\n5") == [
        "1000 | a | 2", "2000 | x,\"y\"\nz | null", "3000 | null | ", "4000 | x[\"b\",\"c\"] | 1",
        "5000 | null | null",
      ])
    #expect(
      try rows(#"{"type":"csv","findColumnsFromHeader":true}"#, "t,n,s\n1,2,a") == [
        "1000 | a | 2"
      ])
    #expect(
      try rows(
        #"{"type":"tsv","columns":["s","t"],"delimiter":";","skipHeaderRows":1,"tryParseNumbers":true}"#,
        "h\n\"q\";1\n7;2", dimensions: "[]") == ["1000 | \"q\"", "2000 | 7"])
    #expect(throws: SpecFailure.self) {
      try rows(#"{"type":"csv","columns":[],"findColumnsFromHeader":false}"#, "")
    }
  }

  @Test func readsKeysAndHeaders() throws {
    let format = #"""
      {"type":"kafka","headerFormat":{"type":"string"},"keyFormat":{"type":"csv","columns":["k"],
       "findColumnsFromHeader":false},"valueFormat":{"type":"json"}}
      """#
    var reader = RowReader(
      try Self.spec(
        dimensions: #"{"useSchemaDiscovery":true}"#, format: format,
        timestamp: #"{"column":"kafka.timestamp","format":"millis"}"#),
      storage: try TemporaryStorage(directory: "/tmp"))
    let beside = RowReader.Beside(
      sent: 5, key: Array("me".utf8),
      headers: [("a", Array("1".utf8)), ("b", nil), ("a", Array("2".utf8))])
    let value = Array(#"{"v":1,"kafka.key":null,"kafka.topic":"own"}"#.utf8)
    let padded = value + [UInt8](repeating: 0, count: 64)
    let outcome = try unsafe padded.withUnsafeBytes { bytes in
      try unsafe reader.read(
        UnsafeRawBufferPointer(rebasing: bytes[..<value.count]), beside: beside)
    }
    #expect(outcome == .rows(1, withError: false))
    #expect(try reader.readNothing(beside) == .rows(1, withError: false))
    #expect(
      try Self.table([], &reader) == """
        v:LONG kafka.key:STRING kafka.topic:STRING kafka.header.a:STRING kafka.header.b:STRING
        5 | 1 | me | own | 2 | null
        5 | null | me | x | 2 | null
        """)
  }

  @Test func headersAreRead() {
    let bytes: [UInt8] =
      [4, 2] + Array("a".utf8) + [4] + Array("xy".utf8) + [2] + Array("b".utf8) + [1]
    let message = MessageBlock.Message(
      offset: 0, sent: 0, key: nil, payload: nil, headers: 0..<bytes.count)
    let headers = message.readHeaders(in: bytes)
    #expect(headers.map(\.name) == ["a", "b"])
    #expect(headers.map(\.value) == [Array("xy".utf8), nil])
    for count in 0..<bytes.count {
      let cut = MessageBlock.Message(offset: 0, sent: 0, key: nil, payload: nil, headers: 0..<count)
      #expect(cut.readHeaders(in: bytes).count < 2 || count == bytes.count)
    }
  }

  // MARK: Metrics

  @Test func metricsWithFiltersAndMoments() throws {
    var reader = try Self.reader(
      dimensions: #"{"dimensions":["s"]}"#,
      metrics: #"""
        [{"type":"filtered","name":"big","filter":{"type":"bound","dimension":"v","lower":"5",
          "ordering":"numeric"},"aggregator":{"type":"count","name":"inner"}},
         {"type":"filtered","filter":{"type":"selector","dimension":"v","value":"9"},
          "aggregator":{"type":"longSum","name":"nines","fieldName":"v"}},
         {"type":"longFirst","name":"first","fieldName":"v"},
         {"type":"stringLast","name":"last","fieldName":"w"}]
        """#, rollup: true)
    let rows = try RowReaderTests.rows(
      [
        #"{"t":1.2,"s":"a","v":3,"w":"x"}"#, #"{"t":1,"s":"a","v":9,"w":"y"}"#,
        #"{"t":1,"s":"a","v":7,"w":"z"}"#,
      ], &reader)
    #expect(rows == ["1000 | a | 2 | 9 | 3 | z"])
    var timed = RowReader(
      try IngestionSpec(
        JSONValue(
          parsing: #"""
            {"type":"kafka","spec":{"dataSchema":{"dataSource":"x",
            "timestampSpec":{"column":"t","format":"millis"},"dimensionsSpec":{"dimensions":["s"]},
            "metricsSpec":[{"type":"doubleFirst","name":"f","fieldName":"v"},
              {"type":"doubleLast","name":"l","fieldName":"v"}],
            "granularitySpec":{"queryGranularity":"SECOND"}},
            "ioConfig":{"topic":"x","inputFormat":{"type":"json"}}}}
            """#)), storage: try TemporaryStorage(directory: "/tmp"))
    #expect(
      try RowReaderTests.rows(
        [#"{"t":500,"v":2}"#, #"{"t":900,"v":3}"#, #"{"t":100,"v":1}"#], &timed)
        == ["0 | null | 1.0 | 3.0"])
  }
}
