package import Plumbing

/// One statement of a script, and where it stands there.
package struct Statement: Sendable, Equatable {
  /// The file's name, `standard input`, or the option it came from.
  package let source: String
  /// Its number in that source, counted from 1.
  package let number: Int
  /// From its first token to its last, without the `;`.
  package let text: String
  /// Where its first token stands: the line, counted from 1 …
  package let line: Int
  /// … and the UTF-16 units before it on that line, since Druid counts its columns so.
  package let unitsBefore: Int
  /// The text before it on its first line.
  let linePrefix: String

  /// A place in a statement, as Druid names it: counted from 1 in the text that it got, columns in UTF-16 units.
  package struct Place: Sendable, Equatable {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
      self.line = line
      self.column = column
    }
  }

  /// How a message names the statement: `queries.sql: statement 2`.
  package var title: String { "\(source): statement \(number)" }

  /// The place in the user's file: `queries.sql:12:5 (statement 2)`.
  package func title(at place: Place) -> String {
    let (line, _, before) = locate(place)
    return "\(source): line \(line), column \(before.count + 1) (statement \(number))"
  }

  /// The line that a place stands in, and a caret under it; a long line is shown around the caret.
  package func excerpt(at place: Place) -> [String] {
    let (_, text, before) = locate(place)
    var scratch = ByteBlock(capacity: 256)
    let shownBefore = before.count > 60 ? "…" + before.suffix(60) : String(before)
    let width = DisplayText.append(shownBefore.replacingTabs, into: &scratch)
    let behind = text.dropFirst(before.count)
    let shownBehind = behind.count > 60 ? behind.prefix(60) + "…" : behind
    _ = DisplayText.append(String(shownBehind).replacingTabs, into: &scratch)
    return [
      "  " + String(decoding: scratch.array, as: UTF8.self),
      "  " + String(repeating: " ", count: width) + "^",
    ]
  }

  /// The line number in the file, that line's text, and the part of it before the place.
  private func locate(_ place: Place) -> (Int, String, Substring) {
    let whole = linePrefix + text
    let lines = whole.split(separator: "\n", omittingEmptySubsequences: false)
    let index = min(max(0, place.line - 1), lines.count - 1)
    let units = max(0, place.column - 1) + (index == 0 ? unitsBefore : 0)
    var text = lines.indices.contains(index) ? String(lines[index]) : ""
    if text.hasSuffix("\r") { text.removeLast() }
    let end = text.utf16.index(text.startIndex, offsetBy: units, limitedBy: text.endIndex)
    return (line + index, text, text[..<(end ?? text.endIndex)])
  }

  /// The place of a byte of ``text``.
  func place(ofByte offset: Int) -> Place {
    let before = String(decoding: Array(text.utf8.prefix(offset)), as: UTF8.self)
    let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
    return Place(line: lines.count, column: (lines.last?.utf16.count ?? 0) + 1)
  }
}

extension String {
  /// A tab moves a terminal's cursor by what stands before it: a space is as good, and can be counted.
  fileprivate var replacingTabs: String { String(map { $0 == "\t" ? " " : $0 }) }
}

/// A statement that can't be used: Druid refused it, or the script is broken. It knows the place in the user's file.
package struct StatementFailure: ToolFailure, Equatable {
  package let exitStatus: ExitStatus
  package let message: String
  package let hints: [String]
  package let details: [String]

  /// - Parameter place: where it failed, if that is known.
  package init(
    _ statement: Statement, at place: Statement.Place?, _ reason: String,
    exitStatus: ExitStatus = .input, hints: [String] = []
  ) {
    let title = place.map { statement.title(at: $0) } ?? statement.title
    message = "\(title): \(reason)"
    details = place.map { statement.excerpt(at: $0) } ?? []
    self.exitStatus = exitStatus
    self.hints = hints
  }

  /// A script that can't be cut into statements.
  init(source: String, line: Int, column: Int, reason: String) {
    message = "\(source): line \(line), column \(column): \(reason)"
    exitStatus = .input
    hints = []
    details = []
  }
}
