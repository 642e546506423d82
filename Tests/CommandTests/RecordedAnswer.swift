import Foundation

/// A query, with a real Druid's answer in each result format.
struct RecordedAnswer: Decodable, Sendable {
  struct Reply: Decodable, Sendable {
    var status: Int
    var body: String
  }

  enum Verdict: Equatable {
    /// The same status, columns, types and values; or the same kind of error at the same position.
    case equal
    /// A clear error where Druid returned rows, or an error of another kind or position: a known
    /// gap.
    case refused(String)
    case different(String)
  }

  var name: String
  var flags: [String]
  var sql: String
  var answers: [String: Reply]

  /// The formats, as named in the body of a request.
  static let formats = [
    "object": #""resultFormat":"object""#,
    "array": #""resultFormat":"array""#,
    "objectLines": #""resultFormat":"objectLines""#,
    "arrayLines": #""resultFormat":"arrayLines""#,
    "arrayLinesTyped":
      #""resultFormat":"arrayLines","header":true,"typesHeader":true,"sqlTypesHeader":true"#,
    "csv": #""resultFormat":"csv","header":true"#,
  ]

  func judge(_ actual: Reply, format: String) -> Verdict {
    guard let recorded = answers[format] else { return .different("\(format) was not recorded") }
    let failure = Self.failure(actual)
    if recorded.status != 200 {
      guard let failure else { return .different("\(format): rows for an error") }
      let isSame = actual.status == recorded.status && failure == Self.failure(recorded)
      return isSame ? .equal : .refused("another error: \(actual.body.prefix(160))")
    }
    if actual.status != 200 {
      return failure == nil
        ? .different("\(format): status \(actual.status)") : .refused("\(actual.body.prefix(160))")
    }
    if flags.contains("live") || actual.body == recorded.body { return .equal }
    guard let old = Self.rows(recorded.body, format), let new = Self.rows(actual.body, format)
    else {
      return .different("\(format): wrong end \(actual.body.suffix(20).debugDescription)")
    }
    return compare(old, new, format)
  }

  /// The identity of an error: category and position. Errors of Druid's web server are pages
  /// without either.
  private static func failure(_ reply: Reply) -> [String]? {
    guard reply.status != 200 else { return nil }
    guard
      let error = try? JSONSerialization.jsonObject(with: Data(reply.body.utf8)) as? [String: Any],
      error["errorMessage"] is String, let category = error["category"] as? String
    else { return ["no category"] }
    let context = error["context"] as? [String: Any] ?? [:]
    return [category] + ["line", "column"].map { context[$0] as? String ?? "" }
  }

  /// The rows of a complete answer, beginning with the header rows; `nil` when its end is missing.
  static func rows(_ body: String, _ format: String) -> [String]? {
    switch format {
    case "object", "array":
      let text = body.hasSuffix("\n") ? String(body.dropLast()) : body
      return text.hasPrefix("[") && text.hasSuffix("]")
        ? elements(text.dropFirst().dropLast()) : nil
    default:
      guard body.hasSuffix("\n\n") || body == "\n" else { return nil }
      return body.split(separator: "\n").map(String.init)
    }
  }

  /// The elements of a JSON array, split at the commas between them.
  private static func elements(_ text: Substring) -> [String] {
    var result: [String] = []
    var current = ""
    var depth = 0
    var isString = false
    var isEscaped = false
    for character in text.unicodeScalars {
      if !isString, depth == 0, character == "," {
        result.append(current)
        current = ""
        continue
      }
      current.unicodeScalars.append(character)
      if isEscaped {
        isEscaped = false
      } else if isString {
        isEscaped = character == "\\"
        isString = character != "\""
      } else if character == "\"" {
        isString = true
      } else if character == "[" || character == "{" {
        depth += 1
      } else if character == "]" || character == "}" {
        depth -= 1
      }
    }
    return current.isEmpty ? result : result + [current]
  }
}
