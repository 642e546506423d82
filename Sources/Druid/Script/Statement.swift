package import Plumbing

/// A statement of a script, with its position there.
package struct Statement: Sendable, Equatable {
  /// The file's name, `standard input`, or the option that the statement came from; empty at the
  /// prompt, where each statement stands alone.
  package let source: String
  /// Its number in that source, counted from 1.
  package let number: Int
  /// The text from the first token to the last, without the `;`.
  private(set) var text: String
  /// The heading above its rows, from a script's `-- title: …`.
  package var heading: String?
  /// The position of its first token: the line, counted from 1.
  package var line = 1
  /// The text before the first token on its line; only the end of a very long one.
  var linePrefix = ""
  /// The number of characters before ``linePrefix``.
  var columnsSkipped = 0

  /// Makes a statement of our own, or one of a script.
  package init(
    source: String, number: Int, text: String, line: Int = 1, linePrefix: String = "",
    columnsSkipped: Int = 0
  ) {
    self.source = source
    self.number = number
    self.text = text
    self.line = line
    self.linePrefix = linePrefix
    self.columnsSkipped = columnsSkipped
  }

  /// The statement with `:name` replaced by `?` for each name that has a value, and the names of
  /// its `?` in order, `nil` for a `?` of the original. Spaces pad the replaced names, so no column
  /// moves.
  ///
  /// A colon after a string is not a parameter but separates a JSON key from its value:
  /// `JSON_OBJECT('city':city)`.
  package func takingNames(_ known: Set<String>) -> (statement: Statement, names: [String?]) {
    let tokens = SQLToken.tokens(of: text)
    var bytes = Array(text.utf8)
    var names: [String?] = []
    for (index, token) in tokens.enumerated() {
      if token.kind == .parameter { names.append(nil) }
      guard let name = SQLToken.parameterName(tokens, at: index), known.contains(name) else {
        continue
      }
      let start = token.offset
      bytes[start] = UInt8(ascii: "?")
      for place in start + 1..<start + 1 + name.utf8.count { bytes[place] = 32 }
      names.append(name)
    }
    var statement = self
    statement.text = String(decoding: bytes, as: UTF8.self)
    return (statement, names)
  }

  /// A position in a statement as Druid reports it: counted from 1 in the text that it received,
  /// columns in UTF-16 units.
  package struct Place: Sendable, Equatable {
    let line: Int
    let column: Int

    /// Out-of-range positions are clamped, because a server may report any.
    init(line: Int, column: Int) {
      let range = 1...Int(Int32.max)
      self.line = min(max(line, range.lowerBound), range.upperBound)
      self.column = min(max(column, range.lowerBound), range.upperBound)
    }
  }

  /// The statement's name in messages: `queries.sql: statement 1`, `queries.sql: line 9 (statement
  /// 2)`.
  package var title: String {
    if source.isEmpty { return "statement" }
    return line == 1
      ? "\(source): statement \(number)" : "\(source): line \(line) (statement \(number))"
  }

  /// The position in the user's file: `queries.sql: line 12, column 5 (statement 2)`.
  func title(at place: Place) -> String {
    let found = locate(place)
    if source.isEmpty { return "line \(found.line), column \(found.column)" }
    return "\(source): line \(found.line), column \(found.column) (statement \(number))"
  }

  /// The line of a position, and a caret under it; only the part around the caret of a long line.
  func excerpt(at place: Place) -> [String] {
    let (_, _, text, before) = locate(place)
    var scratch = ByteBlock(capacity: 256)
    let shownBefore = before.count > 60 ? "…" + before.suffix(60) : String(before)
    let width = EscapedText.append(shownBefore.replacingTabs, into: &scratch)
    let behind = text.dropFirst(before.count)
    let shownBehind = behind.count > 60 ? behind.prefix(60) + "…" : behind
    _ = EscapedText.append(String(shownBehind).replacingTabs, into: &scratch)
    return [
      "  " + String(decoding: scratch.array, as: UTF8.self),
      "  " + String(repeating: " ", count: width) + "^",
    ]
  }

  /// The line and column in the file, that line's text, and the part of it before the position.
  private func locate(_ place: Place) -> (line: Int, column: Int, text: String, before: Substring) {
    let lines = (linePrefix + text).linesAsDruidCounts
    let index = min(max(0, place.line - 1), lines.count - 1)
    // Druid counts its columns in UTF-16 units.
    let units = max(0, place.column - 1) + (index == 0 ? linePrefix.utf16.count : 0)
    let text = lines.indices.contains(index) ? String(lines[index]) : ""
    let end = text.utf16.index(text.startIndex, offsetBy: units, limitedBy: text.endIndex)
    let before = text[..<(end ?? text.endIndex)]
    return (line + index, before.count + 1 + (index == 0 ? columnsSkipped : 0), text, before)
  }

  /// The position of a byte of ``text``.
  func place(ofByte offset: Int) -> Place {
    let before = String(decoding: Array(text.utf8.prefix(offset)), as: UTF8.self)
    let lines = before.linesAsDruidCounts
    return Place(line: lines.count, column: (lines.last?.utf16.count ?? 0) + 1)
  }
}

extension String {
  /// The lines of the text, which end at a line feed, a carriage return, or both together.
  fileprivate var linesAsDruidCounts: [Substring] {
    var lines: [Substring] = []
    var start = startIndex
    var place = start
    while place < utf8.endIndex {
      let byte = utf8[place]
      var next = utf8.index(after: place)
      if byte == 10 || byte == 13 {
        lines.append(self[start..<place])
        if byte == 13, next < utf8.endIndex, utf8[next] == 10 { next = utf8.index(after: next) }
        start = next
      }
      place = next
    }
    return lines + [self[start...]]
  }

  /// The text with spaces for tabs, because a tab's width on a terminal depends on the text before
  /// it.
  fileprivate var replacingTabs: String { String(map { $0 == "\t" ? " " : $0 }) }
}

/// A statement that can't be used: Druid refused it, or the script is invalid. It has the position
/// in the user's file.
package struct StatementFailure: ToolFailure, Equatable {
  package let exitStatus: ExitStatus
  package let message: String
  package let hints: [String]
  package let details: [String]
  /// Whether the server does not know a table, which may appear later.
  package let missesTable: Bool

  /// - Parameter place: the position of the error, if known.
  package init(
    _ statement: Statement, at place: Statement.Place?, _ reason: String,
    exitStatus: ExitStatus = .input, hints: [String] = [], missesTable: Bool = false
  ) {
    self.missesTable = missesTable
    let title = place.map { statement.title(at: $0) } ?? statement.title
    message = "\(title): \(reason)"
    details = place.map { statement.excerpt(at: $0) } ?? []
    self.exitStatus = exitStatus
    self.hints = hints
  }
}
