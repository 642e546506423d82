import Plumbing

/// A server's error answer: Druid's error object in its new and old forms, another JSON object, a
/// page of HTML, or a line of text.
struct ServerError {
  let status: Int
  private let body: [UInt8]
  private let json: JSONValue?

  init(status: Int, body: [UInt8]) {
    self.status = status
    self.body = body
    json = try? JSONValue(parsing: body)
  }

  private func text(_ key: String) -> String? {
    json?[key]?.text.flatMap { $0.isEmpty || $0 == "null" ? nil : $0 }
  }

  /// Whether this is Druid's own error object.
  private var isDruids: Bool { text("error") != nil || text("Access-Check-Result") != nil }

  /// The text for the user: `errorMessage`, and `error` alone only when there is nothing else.
  var words: String {
    if let message = text("errorMessage") { return shortened(message) }
    if let message = text("Access-Check-Result") ?? text("message") { return message }
    if let name = text("error"), name != "druidException" {
      return text("errorClass").map { "\(name) (\($0))" } ?? name
    }
    return title ?? firstLine ?? "no details"
  }

  /// Removes the list of all tokens that the grammar accepts, which is too long to help.
  private func shortened(_ message: String) -> String {
    let ends = [", acceptable options: [", ".\nWas expecting one of:", "\nWas expecting one of:"]
      .compactMap { message.firstRange(of: $0)?.lowerBound }
    let words = message[..<(ends.min() ?? message.endIndex)]
    return words.count > 500 ? words.prefix(500) + "…" : String(words)
  }

  /// The title of an HTML page.
  private var title: String? {
    let page = String(decoding: body.prefix(65536), as: UTF8.self)
    guard let start = page.firstRange(of: "<title>"),
      let end = page[start.upperBound...].firstRange(of: "</title>")
    else { return nil }
    return String(page[start.upperBound..<end.lowerBound]).collapsed
  }

  private var firstLine: String? {
    let text = String(decoding: body.prefix(4096), as: UTF8.self)
    let line = text.split(whereSeparator: \.isNewline).first { !$0.allSatisfy(\.isWhitespace) }
    return line.map { String($0).collapsed }
  }

  /// The position in the statement, and the text that states it: lines and columns in the user's
  /// file differ.
  private var place: (Statement.Place, words: String)? {
    if let context = json?["context"], let line = context["line"]?.text.flatMap({ Int($0) }),
      let column = context["column"]?.text.flatMap({ Int($0) })
    {
      return (.init(line: line, column: column), " (line [\(line)], column [\(column)])")
    }
    // Some errors state it only in their text.
    guard let start = words.firstRange(of: " at line "),
      let middle = words[start.upperBound...].firstRange(of: ", column "),
      let line = Int(words[start.upperBound..<middle.lowerBound]),
      let column = Int(words[middle.upperBound...].prefix { $0.isNumber })
    else { return nil }
    return (.init(line: line, column: column), " at line \(line), column \(column)")
  }

  /// The failure for this answer.
  func failure(url: String) -> DruidFailure {
    var failure = DruidFailure(kind, words)
    failure.status = status
    if let (place, words) = place {
      failure.place = place
      if let range = failure.message.firstRange(of: words) {
        failure.message.removeSubrange(range)
      }
    }
    if words.hasPrefix("Incorrect syntax near the keyword"), failure.place?.column != 1 {
      failure.hints = ["a name that is an SQL keyword, such as one or user, needs double quotes"]
    }
    switch failure.kind {
    case .notDruid:
      failure.message = "\(url) does not answer as Druid does: status \(status), \(words)"
      failure.hints = ["set DRUID_URL or --url to Druid's router or broker"]
    case .serverFailure, .busy, .timedOut, .denied:
      failure.message = "\(url): \(words) (status \(status))"
    default: break
    }
    if failure.kind == .denied, status == 401 {
      failure.hints = ["set DRUID_USER and DRUID_PASSWORD_FILE, or write ~/.netrc"]
    }
    failure.isWorthRetrying =
      status == 429 || status == 503 || text("category") == "CAPACITY_EXCEEDED"
      || text("category") == "SERVICE_UNAVAILABLE" || isConnectionTrouble
    // A proxy answers this for a Druid that is not up.
    failure.isWorthWaitingFor = status == 502
    return failure
  }

  private var kind: DruidFailure.Kind {
    if let category = text("category"), let kind = kind(ofCategory: category) { return kind }
    switch status {
    case 401, 403, 407: return .denied
    case 429, 503: return .busy
    case 504: return isDruids || text("error") == nil ? .timedOut : .serverFailure
    case 400 where isDruids: return .refused
    case 500 where isDruids: return isConnectionTrouble ? .serverFailure : kindOfOldName
    case 500...599: return .serverFailure
    default: return .notDruid
    }
  }

  private func kind(ofCategory category: String) -> DruidFailure.Kind? {
    switch category {
    case "INVALID_INPUT", "NOT_FOUND", "CONFLICT", "UNSUPPORTED":
      return missingTable.map { .unknownTable($0) } ?? .refused
    case "UNAUTHORIZED", "FORBIDDEN": return .denied
    case "CAPACITY_EXCEEDED", "SERVICE_UNAVAILABLE": return .busy
    case "TIMEOUT": return .timedOut
    case "CANCELED": return .cancelled
    case "RUNTIME_FAILURE", "DEFENSIVE", "UNCATEGORIZED":
      return isConnectionTrouble ? .serverFailure : .refused
    default: return nil
    }
  }

  /// Errors of old servers have only a name.
  private var kindOfOldName: DruidFailure.Kind {
    switch text("error") {
    case "Query timeout": .timedOut
    case "Query capacity exceeded": .busy
    case "Query cancelled", "Query interrupted": .cancelled
    default: .refused
    }
  }

  /// The table in "Object 'x' not found".
  private var missingTable: String? {
    guard let message = text("errorMessage"), let start = message.firstRange(of: "Object '"),
      let end = message[start.upperBound...].firstRange(of: "' not found")
    else { return nil }
    return String(message[start.upperBound..<end.lowerBound])
  }

  /// Whether servers lost contact with each other, which is not the statement's fault and often
  /// lasts less than a minute.
  private var isConnectionTrouble: Bool {
    let said =
      (text("errorMessage") ?? "") + " " + (text("errorClass") ?? "") + " "
      + (text("error") ?? "")
    let signs = [
      "Faulty channel", "ChannelException", "SocketException", "Connection reset",
      "Connection refused", "No default server found", "ConnectException", "IOException",
    ]
    return signs.contains { said.firstRange(of: $0) != nil }
  }
}

extension String {
  /// The text as one line: runs of white space become single spaces.
  var collapsed: String {
    String(split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(300))
  }
}

extension StringProtocol {
  /// The first occurrence of `needle`.
  func firstRange(of needle: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(needle) {
        return start..<(index(start, offsetBy: needle.count, limitedBy: endIndex) ?? endIndex)
      }
      start = index(after: start)
    }
    return nil
  }
}
