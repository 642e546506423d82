import Testing

@testable import Plumbing

private let count = Flag.option("count", "n", value: "N", help: "how many")
private let topic = Flag.option("topic", "t", value: "TOPIC", variable: "TOPIC", help: "where to")
private let header = Flag.option(
  "header", "H", value: "H", isRepeatable: true, help: "a header")
private let format = Flag.option(
  "format", "f", value: "FORMAT", fallback: "table", completion: .choices(["table", "csv"]),
  help: "how rows are written")
private let check = Flag.toggle("check", "c", help: "only look")

private func command(operand: String? = "FILE", operandsEndOptions: Bool = false)
  -> CommandDescription
{
  CommandDescription(
    name: "sample", summary: "Does nothing.", usage: ["[OPTIONS] [FILE]"],
    examples: [("sample -n5", "nothing, five times")],
    flags: [count, topic, header, format, check], operand: operand,
    operandsEndOptions: operandsEndOptions, statuses: [("0", "done")])
}

@Suite struct ArgumentsTests {
  @Test(arguments: [
    ["--count", "5"], ["--count=5"], ["-n5"], ["-n", "5"], ["-cn5"], ["-cqn", "5"],
  ])
  func everySpellingOfAValueIsRead(words: [String]) throws {
    let arguments = try Arguments(words, of: command())
    #expect(try arguments.integer(count, in: 0...10) == 5)
    #expect(arguments.operands.isEmpty)
  }

  @Test func valuesComeFromFlagThenVariableThenDefault() throws {
    let environment = ["TOPIC": "from-variable"]
    let given = try Arguments(["-t", "given"], of: command(), environment: { environment[$0] })
    #expect(given.text(topic) == "given")
    let absent = try Arguments([], of: command(), environment: { environment[$0] })
    #expect(absent.text(topic) == "from-variable")
    #expect(absent.origin(of: topic) == "TOPIC")
    let empty = try Arguments([], of: command(), environment: { $0 == "TOPIC" ? "" : nil })
    #expect(empty.text(topic) == nil)
    #expect(empty.text(format) == "table")
  }

  @Test func operandsStandAnywhereAndBehindDashes() throws {
    let arguments = try Arguments(["a", "-c", "-", "--", "-n", "--x"], of: command())
    #expect(arguments.operands == ["a", "-", "-n", "--x"])
    #expect(arguments.isSet(check))
    #expect(!arguments.isSet(count))
  }

  @Test func aCommandToRunKeepsItsOwnOptions() throws {
    let arguments = try Arguments(
      ["-c", "sh", "-c", "true"], of: command(operandsEndOptions: true))
    #expect(arguments.operands == ["sh", "-c", "true"])
  }

  @Test func repeatableValuesAreKeptInOrder() throws {
    let arguments = try Arguments(["-H", "a=1", "--header=b=2", "-Hc"], of: command())
    #expect(arguments.all(header) == ["a=1", "b=2", "c"])
  }

  @Test(
    arguments: [
      (["--cuont", "3"], "unknown option '--cuont'", "did you mean '--count'?"),
      (["--co"], "unknown option '--co'", nil),
      (["-x"], "unknown option '-x'", nil),
      (["-cx"], "unknown option '-x' in '-cx'", nil),
      (["--count"], "option '--count' needs a value (N)", nil),
      (["-n"], "option '-n' needs a value (N)", nil),
      (["--check=yes"], "option '--check' takes no value", nil),
      (["-n1", "-n2"], "option '--count' is given twice: '1' and '2'", nil),
      (["-f", "cvs"], "--format: 'cvs' is not one of table, csv", "did you mean 'csv'?"),
    ] as [([String], String, String?)])
  func mistakesAreNamed(words: [String], message: String, hint: String?) throws {
    let failure = #expect(throws: UsageFailure.self) { try Arguments(words, of: command()) }
    #expect(failure?.message == message)
    #expect(failure?.hints.first == hint)
  }

  @Test func operandsAreRefusedWhereThereAreNone() {
    let failure = #expect(throws: UsageFailure.self) {
      try Arguments(["stray\u{1b}[2J"], of: command(operand: nil))
    }
    #expect(failure?.message == "unexpected argument 'stray\\x1b[2J'")
  }

  @Test(arguments: ["", "x", "1.5", "11", "-1", "99999999999999999999", "0x5", " 5"])
  func badIntegersAreRefused(text: String) throws {
    let arguments = try Arguments(["--count=" + text], of: command())
    #expect(throws: UsageFailure.self) { try arguments.integer(count, in: 0...10) }
  }

  @Test(arguments: ["nan", "inf", "0x10", "1e999", "", "ten"])
  func badNumbersAreRefused(text: String) throws {
    let arguments = try Arguments(["--count=" + text], of: command())
    #expect(throws: UsageFailure.self) { try arguments.number(count, in: -1e9...1e9) }
  }

  @Test func helpFitsEightyColumnsAndNamesEveryFlag() {
    let help = command().helpText
    for line in help.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    for flag in command().flags {
      #expect(help.contains(flag.spelling))
      #expect(command().manualPage.contains(flag.name))
      #expect(command().bashCompletion.contains(flag.spelling))
      #expect(command().zshCompletion.contains(flag.spelling))
      #expect(command().fishCompletion.contains("-l \(flag.name)"))
    }
  }
}
