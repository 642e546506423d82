/// A command line, read against the options of its command.
package struct Arguments: Sendable {
  /// The operands (what remains without the options), in order; `-` is an operand.
  package private(set) var operands: [String] = []
  private var given: [String: [String]] = [:]
  private let variable: @Sendable (String) -> String?

  /// Reads a command line (without the command's name).
  ///
  /// - Throws: ``UsageFailure`` for an unknown option, a missing or unexpected value, a word that
  ///   is not one of the choices, a second value for an option that takes one, or operands where
  ///   none are allowed.
  init(
    _ words: [String], of command: CommandDescription,
    environment: @escaping @Sendable (String) -> String? = { _ in nil }
  ) throws(UsageFailure) {
    variable = environment
    let flags = command.flags
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--" {
        operands += rest
        break
      }
      if word.hasPrefix("--") {
        try readLong(word.dropFirst(2), from: &rest, of: command)
      } else if word.hasPrefix("-"), word != "-" {
        try readShort(word, from: &rest, of: command)
      } else {
        operands.append(word)
        if command.operandsEndOptions {
          operands += rest
          break
        }
      }
    }
    for flag in flags { try checkChoice(of: flag) }
    // A request for help or for the version is answered even when there are unexpected operands.
    if command.operand == nil, let extra = operands.first, !isSet(.help), !isSet(.version) {
      throw UsageFailure(
        "unexpected argument \(quoted(extra))",
        hints: ["see '\(command.name) --help'"])
    }
  }

  private mutating func readLong(
    _ body: Substring, from rest: inout ArraySlice<String>, of command: CommandDescription
  ) throws(UsageFailure) {
    let pieces = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = pieces.first.map(String.init) ?? ""
    guard let flag = command.flags.first(where: { $0.name == name }) else {
      let hint =
        command.foreignOptions["--" + name]
        ?? didYouMean(name, among: command.flags.map(\.name), prefix: "--")
      throw UsageFailure("unknown option '--\(name)'", hint: hint)
    }
    let attached = pieces.count > 1 ? String(pieces[1]) : nil
    if flag.value == nil {
      guard attached == nil else {
        throw UsageFailure("option '--\(name)' takes no value")
      }
      try record("", for: flag)
    } else if let value = attached ?? rest.popFirst() {
      try record(value, for: flag)
    } else {
      throw UsageFailure("option '--\(name)' needs a value (\(flag.value ?? ""))")
    }
  }

  private mutating func readShort(
    _ word: String, from rest: inout ArraySlice<String>, of command: CommandDescription
  ) throws(UsageFailure) {
    var letters = word.dropFirst()
    while let letter = letters.popFirst() {
      guard let flag = command.flags.first(where: { $0.letter == letter }) else {
        throw UsageFailure(
          "unknown option '-\(letter)'" + (word.count > 2 ? " in '\(word)'" : ""),
          hint: command.foreignOptions["-\(letter)"])
      }
      if flag.value == nil {
        try record("", for: flag)
        continue
      }
      if !letters.isEmpty {
        try record(String(letters), for: flag)
      } else if let value = rest.popFirst() {
        try record(value, for: flag)
      } else {
        throw UsageFailure("option '-\(letter)' needs a value (\(flag.value ?? ""))")
      }
      return
    }
  }

  private mutating func record(_ value: String, for flag: Flag) throws(UsageFailure) {
    if flag.value != nil, !flag.isRepeatable, let earlier = given[flag.name]?.first,
      earlier != value
    {
      throw UsageFailure(
        "option '\(flag.spelling)' is given twice: \(quoted(earlier)) and \(quoted(value))")
    }
    given[flag.name, default: []].append(value)
  }

  private func checkChoice(of flag: Flag) throws(UsageFailure) {
    guard !flag.choices.isEmpty else { return }
    for word in all(flag) where !flag.choices.contains(word) {
      throw UsageFailure(
        "\(origin(of: flag)): \(quoted(word)) is not one of "
          + flag.choices.joined(separator: ", "),
        hint: didYouMean(word, among: flag.choices))
    }
  }

  /// Whether the option was given on the command line.
  package func isSet(_ flag: Flag) -> Bool { given[flag.name] != nil }

  /// The option's value: from the command line, else from its variable (when not empty), else its
  /// default.
  package func text(_ flag: Flag) -> String? {
    given[flag.name]?.last ?? variable(of: flag) ?? flag.fallback
  }

  /// All values of a repeatable option, in order; without any, the value of its variable or its
  /// default.
  package func all(_ flag: Flag) -> [String] {
    given[flag.name] ?? (variable(of: flag) ?? flag.fallback).map { [$0] } ?? []
  }

  /// A variable of the environment; `nil` also when it is empty.
  package func environment(_ name: String) -> String? {
    variable(name).flatMap { $0.isEmpty ? nil : $0 }
  }

  private func variable(of flag: Flag) -> String? { flag.variable.flatMap { environment($0) } }

  /// How a message names the source of a value: the option or its variable.
  package func origin(of flag: Flag) -> String {
    if given[flag.name] == nil, let name = flag.variable, environment(name) != nil { return name }
    return flag.spelling
  }

  /// A whole number within bounds.
  ///
  /// - Throws: ``UsageFailure`` that names the option and the bounds.
  package func integer(_ flag: Flag, in bounds: ClosedRange<Int>) throws(UsageFailure) -> Int? {
    guard let text = text(flag) else { return nil }
    guard let number = Int(text), bounds.contains(number) else {
      throw UsageFailure(
        "\(origin(of: flag)): \(quoted(text)) is not a whole number \(words(for: bounds))")
    }
    return number
  }

  /// A finite decimal number within bounds.
  ///
  /// - Throws: ``UsageFailure`` that names the option and the bounds.
  package func number(
    _ flag: Flag, in bounds: ClosedRange<Double>
  ) throws(UsageFailure) -> Double? {
    guard let text = text(flag) else { return nil }
    guard let number = decimalNumber(text), bounds.contains(number) else {
      throw UsageFailure(
        "\(origin(of: flag)): \(quoted(text)) is not a number from "
          + "\(plainNumber(bounds.lowerBound)) to \(plainNumber(bounds.upperBound))")
    }
    return number
  }

  /// A span of time such as `10s`, `250ms`, `1h30m`, `7d`; a bare number counts seconds.
  ///
  /// - Throws: ``UsageFailure`` that names the option.
  package func duration(_ flag: Flag) throws(UsageFailure) -> Duration? {
    guard let text = text(flag) else { return nil }
    guard let span = Duration(spelling: text) else {
      throw UsageFailure(
        "\(origin(of: flag)): \(quoted(text)) is not a span of time",
        hints: ["write 250ms, 10s, 5m, 1h30m or 7d"])
    }
    return span
  }

  private func words(for bounds: ClosedRange<Int>) -> String {
    bounds.upperBound == Int.max
      ? "from \(bounds.lowerBound) up" : "from \(bounds.lowerBound) to \(bounds.upperBound)"
  }
}

/// A number as people write it: whole numbers without a point.
private func plainNumber(_ number: Double) -> String {
  Int(exactly: number).map(String.init) ?? "\(number)"
}

/// A decimal number as people write it: digits, a point, an exponent. Hexadecimal, "nan" and "inf"
/// are refused.
package func decimalNumber(_ text: String) -> Double? {
  guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let number = Double(text),
    number.isFinite
  else { return nil }
  return number
}
