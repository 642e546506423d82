import Foundation
import Testing

/// Backslash commands, titles, the prompt, and other features of an interactive session.
@Suite struct DsqlPromptTests {
  /// Answers the columns that `\d` requests, one row for other queries, and an error for SQL that
  /// contains `nope`.
  static func server() throws -> DsqlStub {
    try DsqlStub(takesOwnQuestions: true) { request, _ in
      if request.sql.contains("nope") && !request.sql.contains("COLUMNS") {
        return DsqlFaultTests.refusal("no")
      }
      if request.sql.contains("INFORMATION_SCHEMA.TABLES") {
        return DsqlFaultTests.rows("table", ["\"ecommerce\""])
      }
      return DsqlFaultTests.rows(
        "a", request.sql.contains("= 'nope'") ? [] : [request.sql.contains("2") ? "2" : "1"])
    }
  }

  @Test func titlesAndCommandsInAScript() throws {
    let stub = try Self.server()
    defer { stub.stop() }
    let script = """
      -- title:  First thing
      SELECT 1;
      \\echo -- between; --
      --TITLE: Second \u{1b}[31m
      /* a comment */ SELECT 2;
      SELECT 'x
      \\echo not a command
      ' AS s;
        \\x on
      SELECT 1;
      \\x
      \\timing
      \\d "my table";
      \\timing off
      \\d
      \\q
      SELECT 'never'
      """
    let workspace = try Commands.Workspace()
    try workspace.write(script, to: "q.sql")
    let outcome = try Commands.run(
      "dsql q.sql", in: workspace, environment: ["DRUID_URL": stub.url])
    #expect(
      outcome.output
        == """
        First thing
        a
        -
        1
        -- between; --

        Second \\x1b[31m
        a
        -
        2

        a
        -
        1

        -[ row 1 ]-
        a | 1

        a
        -
        1

        table
        -
        ecommerce

        """.replacingOccurrences(of: "table\n-\n", with: "table\n---------\n"), "\(outcome.output)")
    #expect(outcome.status == 0)
    #expect(outcome.errors.hasPrefix("time: 0.") && outcome.errors.hasSuffix(" s\n"))
    let asked = stub.requests.map(\.sql)
    #expect(asked.contains("SELECT 'x\n\\echo not a command\n' AS s"))
    #expect(asked.contains { $0.contains("TABLE_NAME = 'my table'") })
    #expect(!asked.contains { $0.contains("never") })
  }

  @Test(
    arguments: [
      ("dsql -e '\\foo'", 65, "-e: line 1: unknown command '\\foo'"),
      ("dsql -e '\\tming'", 65, "did you mean '\\timing'?"),
      ("dsql -e '\\d nope'", 65, "there is no table 'nope'"),
      ("dsql --csv -f json -e 'SELECT 1'", 64, "--csv and --format name different formats"),
      ("dsql -P x -e 'SELECT 1'", 64, "'x' is not NAME=VALUE"),
      ("dsql -P x=int:y -e 'SELECT :x'", 64, "--named-param x: 'y' is not a valid whole number"),
      ("dsql -p 1 -P x=1 -e 'SELECT :x, ?, ?'", 64, "it has 2 '?', and --param gives 1"),
      ("dsql --watch 1s -o x -e 'SELECT 1'", 64, "--watch cannot be combined"),
      ("dsql --follow 1m --append -o 'x%n' -e 'SELECT 1'", 64, "%n in --output is not supported"),
      ("dsql --follow 1m -e '\\x'", 64, "--follow runs one statement, and no commands"),
      ("dsql --types -f markdown -e 'SELECT 1'", 0, ""),
    ]) func refusals(command: String, status: Int32, words: String) throws
  {
    let stub = try Self.server()
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(command, stub)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(words.isEmpty || outcome.errors.contains(words), "\(outcome.errors)")
  }

  @Test func markdown() throws {
    let body =
      "[\"a|b\",\"n_x\"]\n[\"STRING\",\"LONG\"]\n[\"VARCHAR\",\"BIGINT\"]\n"
      + "[\"*x* | <i> _u_ a_b [l] & `c` \\\\\",1]\n[\"one\\ntwo\",null]\n\n"
    let stub = try DsqlAskingTests.answering([.send(DsqlAnswer.whole(body)), .keep])
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      "printf -- '-- title: A_b\\nSELECT 1; SELECT 2' | dsql -f markdown", stub)
    let rows =
      #"""
      | a\|b | n_x |
      | --- | ---: |
      | \*x\* \| \<i> \_u\_ a_b \[l] &amp; \`c\` \\ | 1 |
      | one\\ntwo | NULL |

      """#
    #expect(outcome.output == "### A_b\n\n" + rows + "\n" + rows, "\(outcome.output)")
  }

  /// `:NAME` becomes `?` where SQL allows a parameter, and the columns of errors stay correct.
  @Test func namedParameters() throws {
    let stub = try Self.server()
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      """
      cat > q.sql <<'END'
      SELECT :country, ? FROM t -- :country
      WHERE a = :country AND b > :n AND c = ':n' AND JSON_OBJECT('n':n) = x AND y = :other
      END
      dsql -P country=Japan -P n=int:5 -P unused=1 -p first q.sql > /dev/null
      """, stub)
    let request = try #require(stub.requests.first)
    #expect(
      request.sql == """
        SELECT ?       , ? FROM t -- :country
        WHERE a = ?        AND b > ?  AND c = ':n' AND JSON_OBJECT('n':n) = x AND y = :other
        """)
    let values = (request.fields["parameters"] as? [[String: Any]] ?? []).map {
      "\($0["value"] ?? "")"
    }
    #expect(values == ["Japan", "first", "Japan", "5"])
    #expect(
      outcome.errors
        == "dsql: warning: --named-param unused is not used: no statement has ':unused' "
        + "outside quotes and comments\n")
  }

  @Test func aFileForEachStatement() throws {
    let stub = try Self.server()
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      """
      echo old > out-2.csv
      dsql -k --csv -o 'out-%n.csv' -e 'SELECT 1; SELECT nope; SELECT 2' 2> /dev/null; echo $?
      head out-*
      """, stub)
    #expect(
      outcome.output
        == "1\n==> out-1.csv <==\na\n1\n\n==> out-2.csv <==\nold\n\n==> out-3.csv <==\na\n2\n")
  }

  /// The last complete answer stays visible while a run fails.
  @Test func watching() throws {
    let stub = try DsqlStub { request, number in
      number % 2 == 0 ? DsqlFaultTests.refusal("down") : DsqlFaultTests.rows("a", ["\(number)"])
    }
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      "dsql --csv --no-header --watch 10ms -e 'SELECT 1' | head -n 3; dsql --watch 1s -e nope", stub
    )
    #expect(outcome.output == "1\n\n3\n", "\(outcome.output)")
    #expect(outcome.errors.contains("-e: statement 1: down"), "\(outcome.errors)")
    let screen = try DsqlAskingTests.run(
      "script -qfec \"dsql --watch 10ms -e 'SELECT 1'\" log < /dev/null > /dev/null & "
        + "until grep -q 5 log; do sleep 0.05; done; kill $!; wait; cat log", stub)
    #expect(screen.output.contains("\u{1b}[H\u{1b}[Jevery 0.01 s, last at "), "\(screen.output)")
  }

  @Test func aFailureThatRepeatsIsSaidOnce() throws {
    let stub = try DsqlStub { request, number in
      number % 10 > 1 ? DsqlFaultTests.refusal("down") : DsqlFaultTests.rows("a", ["\(number)"])
    }
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      "dsql --csv --no-header --watch 10ms -e 'SELECT 1' | head -n 5", stub)
    #expect(outcome.output == "1\n\n10\n\n11\n", "\(outcome.output)")
    let words = outcome.errors.split(separator: "\n").filter { $0.hasSuffix("statement 1: down") }
    // Once for the second to the ninth run, and once when it fails again behind the last answer.
    #expect((1...2).contains(words.count), "\(outcome.errors)")
  }

  /// An interactive session: editing, history, errors that do not end it, Ctrl-C that discards a
  /// line.
  @Test func prompt() throws {
    let stub = try Self.server()
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      """
      mkfifo in; export TERM=xterm HOME="$PWD" PAGER=
      env --default-signal=INT script -qfec dsql log < in > /dev/null & exec 3> in
      until grep -q 'dsql> ' log; do sleep 0.05; done
      see() { until [ $(grep -c "$1" log) -ge $2 ]; do sleep 0.05; done; }
      printf 'SELECT\\n' >&3; see '   -> ' 1; printf '1;\\n' >&3; see '^1' 1
      printf 'SELECT half\\n' >&3; see '   -> ' 2; printf '\\003' >&3; see 'dsql> ' 3
      printf 'SELECT nope;\\n' >&3; see 'statement: no' 1
      printf '\\033[A\\n' >&3; see 'statement: no' 2
      printf '\\\\?\\n' >&3; see 'a table.s columns' 1
      printf '\\n \\n\\\\foo\\n' >&3; see 'line 1: unknown command' 1
      printf '\\\\timing\\n' >&3; see 'timing is on' 1
      printf 'SELECT 2;\\n' >&3; see '^2' 1; see '^time: ' 1
      printf '\\\\q\\n' >&3; wait; stat -c %a .dsql_history; grep -c nope .dsql_history
      """, stub)
    #expect(outcome.output == "600\n1\n", "\(outcome.output) \(outcome.errors)")
    #expect(
      stub.requests.map(\.sql) == ["SELECT\n1", "SELECT nope", "SELECT nope", "SELECT 2"],
      "\(stub.requests.map(\.sql))")
  }

  /// A pager that runs during the query would get the Ctrl-C that is meant for the query.
  @Test func thePagerStartsWithTheFirstRow() throws {
    let stub = try Self.server()
    defer { stub.stop() }
    let outcome = try DsqlAskingTests.run(
      """
      mkfifo in; export TERM=xterm HOME="$PWD" PAGER='echo started >> pagers; tee paged'
      env --default-signal=INT script -qfec dsql log < in > /dev/null & exec 3> in
      until grep -q 'dsql> ' log; do sleep 0.05; done
      see() { until [ $(grep -c "$1" log) -ge $2 ]; do sleep 0.05; done; }
      printf 'SELECT nope;\\n' >&3; see 'statement: no' 1
      printf 'SELECT 2;\\n' >&3; see '^2' 1
      printf '\\\\q\\n' >&3; wait; cat pagers paged
      """, stub)
    #expect(outcome.output == "started\na\n-\n2\n", "\(outcome.output) \(outcome.errors)")
  }
}
