import TestSupport
import Testing

@testable import DruidSQL
@testable import EmbeddedDruid

/// SQLite accepts whatever the planner accepts. Every function over columns of every type, nested,
/// grouped, and in windows, is answered or refused with Druid's message, never with SQLite's.
@Suite struct EveryFunctionTests {
  private struct Generator {
    var random: SeededGenerator
    static let names = Function.all.filter(\.isScalar).flatMap { [$0.name] + $0.aliases }
    static let aggregates = Function.all.filter(\.isAggregate).map(\.name)
    static let windows = Function.all.filter(\.isWindow).map(\.name)
    static let leaves = [
      "name", "note", "tags", "id", "n", "x", "__time", "name", "x", "n", "NULL", "2", "-1", "0.5",
      "1e3", "'a'", "'%Y'", "''", "'P1D'", "'yyyy'", "TRUE", "ARRAY['a','b']", "ARRAY[1,2]",
      "TIMESTAMP '2026-01-01 00:00:00'", "DATE '2026-01-01'", "'2026-01-01/P1D'", "'{\"a\":1}'",
    ]

    mutating func pick(_ list: [String]) -> String { random.pick(list) }

    mutating func call(_ name: String, _ depth: Int) -> String {
      let signature = Function.named(name)?.signature
      let most = signature.map { $0.operands.count + ($0.isVariadic ? 1 : 0) } ?? 2
      let least = min(signature?.required ?? 1, most)
      let arguments = (0..<(least + random.below(most - least + 1))).map { index in
        argument(signature?.operand(at: index), depth - 1)
      }
      return "\(name)(\(arguments.joined(separator: ", ")))"
    }

    /// Mostly an argument of the requested kind, so that many calls are accepted.
    mutating func argument(_ kind: FunctionSignature.Operand?, _ depth: Int) -> String {
      if depth > 0, random.below(4) == 0 { return expression(depth) }
      if random.below(8) == 0 { return pick(Self.leaves) }
      switch kind {
      case .number, .strictNumber:
        return pick(["n", "x", "id", "2", "0.5", "CHAR_LENGTH(name)", "n + x"])
      case .integer: return pick(["n", "id", "2", "0", "-3", "CHAR_LENGTH(note)"])
      case .string, .optionalString:
        return pick(["name", "note", "'a'", "UPPER(name)", "name || note"])
      case .time, .optionalTime:
        return pick(["__time", "TIME_FLOOR(__time, 'PT1H')", "TIMESTAMP '2026-01-01'"])
      case .boolean: return pick(["n > 1", "TRUE", "name IS NULL"])
      case .arrayOrText: return pick(["tags", "name", "ARRAY['a', 'b']", "MV_TO_ARRAY(tags)"])
      case .printable: return pick(["name", "n", "x", "tags"])
      case .address: return pick(["name", "'10.1.2.3'", "3232235521"])
      case .array: return pick(["ARRAY['a', 'b']", "ARRAY[1, 2]", "MV_TO_ARRAY(tags)"])
      case .constantText, .optionalText, .pattern:
        return pick(["'a'", "'P1D'", "'hour'", "'HOUR'", "'UTC'", "'yyyy-MM'", "','"])
      case .constantInteger: return pick(["0", "1", "2"])
      case .multiple: return "tags"
      case .any, .scalar, nil:
        return pick(
          [
            "name", "n", "x", "__time", "tags", "'a'", "1", "PARSE_JSON(note)",
            "JSON_OBJECT('k':name)",
          ])
      }
    }

    mutating func expression(_ depth: Int) -> String {
      guard depth > 0 else { return pick(Self.leaves) }
      switch random.below(14) {
      case 0:
        return
          "(\(expression(depth - 1)) \(pick(["+", "-", "*", "/", "%", "||"])) \(expression(depth - 1)))"
      case 1:
        return
          "CASE WHEN \(condition(depth - 1)) THEN \(expression(depth - 1)) ELSE \(expression(depth - 1)) END"
      case 2:
        return
          "CAST(\(expression(depth - 1)) AS \(pick(["VARCHAR", "BIGINT", "DOUBLE", "FLOAT", "INTEGER", "BOOLEAN", "TIMESTAMP", "DATE", "DECIMAL"])))"
      case 3: return condition(depth - 1)
      default: return call(pick(Self.names), depth)
      }
    }

    mutating func condition(_ depth: Int) -> String {
      let (left, right) = (expression(depth), expression(depth))
      switch random.below(7) {
      case 0: return "(\(left) IS NULL)"
      case 1: return "(\(left) IN (\(right), \(expression(depth))))"
      case 2: return "(\(left) BETWEEN \(right) AND \(expression(depth)))"
      case 3: return "(\(left) LIKE '%a_')"
      case 4: return "(NOT \(left) IS NOT DISTINCT FROM \(right))"
      default: return "(\(left) \(pick(["=", "<>", "<", ">="])) \(right))"
      }
    }

    mutating func aggregate(_ depth: Int) -> String {
      let name = pick(Self.aggregates)
      let inner = argument(random.below(2) == 0 ? .number : .any, depth)
      let second =
        [
          "STRING_AGG": ", ','", "EARLIEST_BY": ", __time", "LATEST_BY": ", __time",
          "APPROX_QUANTILE_DS": ", 0.5", "ARRAY_AGG": ", 1000",
        ][name] ?? ""
      let distinct = random.below(5) == 0 ? "DISTINCT " : ""
      let filter = random.below(4) == 0 ? " FILTER (WHERE \(condition(1)))" : ""
      return "\(name)(\(distinct)\(inner)\(second))\(filter)"
    }

    mutating func statement(_ name: String) -> String {
      switch random.below(8) {
      case 0: return "SELECT \(expression(1)) AS k, \(aggregate(1)) AS v FROM edge GROUP BY 1"
      case 1:
        return "SELECT \(aggregate(2)) AS v, \(aggregate(1)) AS w FROM edge WHERE \(condition(2))"
      case 2:
        let function = pick(Self.windows + ["SUM", "COUNT", "MIN", "MAX", "AVG"])
        let arguments =
          ["ROW_NUMBER", "RANK", "DENSE_RANK", "PERCENT_RANK", "CUME_DIST"].contains(function)
          ? "" : function == "NTILE" ? "3" : argument(.number, 1)
        return
          "SELECT id, \(function)(\(arguments)) OVER (PARTITION BY \(argument(.any, 1)) ORDER BY \(argument(.any, 0))) AS w FROM edge"
      case 3: return "SELECT id FROM edge WHERE \(condition(2)) ORDER BY __time LIMIT 3"
      case 4: return "SELECT \(call(name, 1)) AS v, COUNT(*) AS n FROM edge GROUP BY 1 ORDER BY 1"
      case 5: return "SELECT \(call(name, 1)) AS v"
      default: return "SELECT \(call(name, 2)) AS v FROM edge"
      }
    }
  }

  @Test func nothingIsLeftToSQLite() throws {
    var answered: Set<String> = []
    try Fuzzing.run("statements", atLeast: 4) { random in
      var generator = Generator(random: random)
      for name in Generator.names {
        let sql = generator.statement(name)
        let answer = try HTTPServerTests.ask(sql)
        #expect(
          !answer.body.contains("can't be carried out here"),
          "seed \(Fuzzing.seed): \(sql)\n\(answer.body)")
        if answer.status == 200, sql.contains("\(name)(") { answered.insert(name) }
      }
      random = generator.random
    }

    // Checks the generator: many functions were answered for columns.
    #expect(answered.count > Generator.names.count / 3, "\(answered.count), seed \(Fuzzing.seed)")
  }
}
