import DruidSQL
import JavaValues
import Testing

@testable import EmbeddedDruid

@Suite struct SQLiteFunctionsTests {
  /// A connection has every kernel, with exactly the numbers of arguments that it accepts.
  @Test func everyKernelIsRegistered() throws {
    let connection = try SQLiteConnection()
    func isKnown(_ name: String, _ count: Int) -> Bool {
      let arguments = Array(repeating: "NULL", count: count).joined(separator: ", ")
      return (try? connection.prepare("SELECT \(name)(\(arguments))")) != nil
    }
    for kernel in Function.kernels {
      #expect(isKnown(kernel.name, kernel.arity.lowerBound), "\(kernel.name)")
      #expect(isKnown(kernel.name, kernel.arity.upperBound), "\(kernel.name)")
      if SQLiteFunctions.counts(kernel.arity) != [-1] {
        #expect(!isKnown(kernel.name, kernel.arity.upperBound + 1), "\(kernel.name)")
      }
    }
  }

  static func value(_ expression: String) throws -> String {
    let connection = try SQLiteConnection()
    connection.lock()
    let statement = try connection.prepare("SELECT \(expression)")
    _ = try statement.step()
    switch statement.cell(0) {
    case .null: return "null"
    case .integer(let number): return "\(number)"
    case .double(let number): return "\(number)"
    case .text(let bytes): return unsafe "'" + String(decoding: bytes, as: UTF8.self) + "'"
    case .blob(let bytes): return unsafe "x'" + String(decoding: bytes, as: UTF8.self) + "'"
    }
  }

  @Test(arguments: [
    ("druid_add_long(9223372036854775807, 1)", "-9223372036854775808"),
    ("druid_divide_long(-7, 2)", "-3"), ("druid_add_long(1, NULL)", "null"),
    ("druid_divide_double(1, 0)", "inf"), ("druid_divide_double(0.0, 0.0)", "'NaN'"),
    ("druid_add_double('NaN', 1)", "'NaN'"), ("druid_negate_double(0.0)", "-0.0"),
    ("druid_upper('straße')", "'STRASSE'"),
    ("druid_time_floor(1767225661000, 'PT1M', NULL, 'UTC')", "1767225660000"),
    ("druid_time_floor(-1, 'PT1H', NULL, 'UTC')", "-3600000"),
    ("druid_time_ceil(1767225661000, 'P1D', NULL, 'UTC')", "1767312000000"),
    ("druid_time_ceil(1767225600000, 'P1D', NULL, 'UTC')", "1767225600000"),
    ("druid_time_floor(1767225661000, 'P1D', NULL, 'America/Los_Angeles')", "1767168000000"),
    (
      "(SELECT druid_array_agg(column1, 1024, 1) FROM (VALUES ('b'), (NULL), ('a'), ('b')))",
      "'[null,\"a\",\"b\"]'"
    ),
    (
      "(SELECT druid_earliest(column1, column2, 9) FROM (VALUES ('b', 2), ('a', 1), ('c', 1)))",
      "'a'"
    ),
    (
      "(SELECT druid_latest(column1, column2, 9) FROM (VALUES ('b', 2), ('a', 1), ('c', 2)))", "'c'"
    ),
    ("(SELECT druid_sum_long(column1) FROM (VALUES (NULL)))", "null"),
    ("(SELECT druid_sum_long(1) WHERE 0)", "null"),
    ("(SELECT druid_approx_count_distinct(1, 0) WHERE 0)", "0"),
  ])
  func answersAsDruidDoes(_ pair: (String, String)) throws {
    #expect(try Self.value(pair.0) == pair.1)
  }

  @Test func sumsSlideOverWindows() throws {
    #expect(
      try Self.value(
        "(SELECT group_concat(s) FROM (SELECT druid_sum_long(column1) OVER (ROWS 1 PRECEDING) AS s "
          + "FROM (VALUES (1), (2), (NULL), (4))))") == "'1,3,2,4'")
  }

  @Test func failuresStayWhatTheyAre() throws {
    let failure = #expect(throws: SQLiteFailure.self) {
      try Self.value("druid_divide_long(1, 0)")
    }
    #expect(failure?.cause == .divisionByZero)
    let refused = #expect(throws: SQLiteFailure.self) {
      try Self.value("druid_refuse('no: really')")
    }
    #expect(refused?.cause == .unsupported("no: really"))
    let constant = #expect(throws: SQLiteFailure.self) { try Self.value("druid_constant(9e999)") }
    guard case .invalidConstant? = constant?.cause else {
      Issue.record("\(String(describing: constant))")
      return
    }
    // SQLite's own errors have no cause.
    let other = #expect(throws: SQLiteFailure.self) { try Self.value("abs(-9223372036854775808)") }
    #expect(other != nil && other?.cause == nil)
  }
}
