import Plumbing

/// The input formats `csv` and `tsv`. Every message is a small file, with or without a header line.
struct DelimitedText: Sendable, Equatable {
  /// Whether cells are separated by commas and may be quoted (RFC 4180), rather than split at a
  /// delimiter.
  var isQuoted: Bool
  var delimiter: Character
  /// Separates the values of a cell that has several.
  var listDelimiter: Character
  /// The column names; nil when the first line of each message has them.
  var columns: [String]?
  var skippedLines: Int
  /// Whether cells that look like numbers are parsed as numbers.
  var parsesNumbers: Bool

  /// - Throws: ``SpecFailure`` with Druid's message, or for an unsupported setting.
  init(_ json: JSONValue, _ place: String) throws(SpecFailure) {
    isQuoted = json["type"]?.text == "csv"
    for member in json.members ?? [] {
      switch member.key {
      case "type", "columns", "listDelimiter", "findColumnsFromHeader", "skipHeaderRows",
        "tryParseNumbers":
        break
      case "delimiter" where !isQuoted: break
      case "hasHeaderRow": break
      default:
        guard member.value.isNull else { throw .unsupported("\(place).\(member.key)") }
      }
    }
    func character(_ field: String, _ fallback: Character) throws(SpecFailure) -> Character {
      guard let value = json[field], !value.isNull else { return fallback }
      guard let text = value.text, text.count == 1, let character = text.first else {
        throw .unsupported("\(place).\(field)", value.jsonText)
      }
      return character
    }
    delimiter = isQuoted ? "," : try character("delimiter", "\t")
    listDelimiter = try character("listDelimiter", "\u{1}")
    guard delimiter != listDelimiter else {
      throw .construct(
        "org.apache.druid.data.input.impl.\(isQuoted ? "Csv" : "Delimited")InputFormat",
        "Cannot have same delimiter and list delimiter of [\(delimiter)]")
    }
    let names = json["columns"]?.elements ?? []
    let hasHeader =
      json["findColumnsFromHeader"]?.bool ?? json["hasHeaderRow"]?.bool ?? names.isEmpty
    columns = hasHeader ? nil : names.compactMap(\.text)
    guard hasHeader || !names.isEmpty else {
      throw .construct(
        "org.apache.druid.data.input.impl.\(isQuoted ? "Csv" : "Delimited")InputFormat",
        "If columns field is not set, the first row of your data must have your header and "
          + "findColumnsFromHeader must be set to true.")
    }
    skippedLines = Int(clamping: max(0, json["skipHeaderRows"]?.integer ?? 0))
    parsesNumbers = json["tryParseNumbers"]?.bool ?? false
  }

  /// The rows of a message, with column names.
  func rows(_ text: String) -> [[FieldValue.Member]] {
    var lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }[...]
    if isQuoted { lines = Self.joined(lines)[...] }
    lines = lines.dropFirst(skippedLines)
    var names = columns ?? []
    if columns == nil {
      guard let header = lines.popFirst() else { return [] }
      names = cells(header).map { $0 ?? "" }
    }
    return lines.filter { !$0.isEmpty }.map { line in
      zip(names, cells(line)).map { name, cell in
        FieldValue.Member(key: name, value: cell.map(value) ?? .null)
      }
    }
  }

  /// Joins lines that were split inside a quoted cell.
  private static func joined(_ lines: ArraySlice<Substring>) -> [Substring] {
    var whole: [Substring] = []
    var isOpen = false
    for line in lines {
      if isOpen, let last = whole.popLast() {
        whole.append(Substring(last + "\n" + line))
      } else {
        whole.append(line)
      }
      if line.utf8.reduce(0, { $1 == UInt8(ascii: "\"") ? $0 + 1 : $0 }) % 2 == 1 {
        isOpen.toggle()
      }
    }
    return whole
  }

  /// The cells of a line; in the quoted form, nil for an empty cell without quotes.
  private func cells(_ line: Substring) -> [String?] {
    guard isQuoted else {
      return line.split(separator: delimiter, omittingEmptySubsequences: false).map(String.init)
    }
    var cells: [String?] = []
    var cell = ""
    var isOpen = false
    var wasQuoted = false
    var rest = line
    while let character = rest.popFirst() {
      if isOpen {
        if character != "\"" {
          cell.append(character)
        } else if rest.first == "\"" {
          cell.append(rest.removeFirst())
        } else {
          isOpen = false
        }
      } else if character == "\"" {
        isOpen = true
        wasQuoted = true
      } else if character == delimiter {
        cells.append(cell.isEmpty && !wasQuoted ? nil : cell)
        cell = ""
        wasQuoted = false
      } else {
        cell.append(character)
      }
    }
    cells.append(cell.isEmpty && !wasQuoted ? nil : cell)
    return cells
  }

  private func value(_ cell: String) -> FieldValue {
    if cell.contains(listDelimiter) {
      return .list(
        cell.split(separator: listDelimiter, omittingEmptySubsequences: false).map {
          number(String($0)) ?? .text(String($0))
        })
    }
    return number(cell) ?? .text(cell)
  }

  private func number(_ text: String) -> FieldValue? {
    guard parsesNumbers else { return nil }
    if let whole = Int64(text) { return .long(whole) }
    return FieldValue.javaDouble(text).map { .double($0) }
  }
}
