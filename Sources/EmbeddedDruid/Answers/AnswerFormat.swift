/// The five result formats.
enum ResultFormat: String, CaseIterable {
  case object
  case array
  case objectLines
  case arrayLines
  case csv

  /// Parses Druid's name of a format, ignoring case.
  init?(spelling: String) {
    let match = Self.allCases.first { $0.rawValue.lowercased() == spelling.lowercased() }
    guard let match else { return nil }
    self = match
  }

  var isLines: Bool { self == .objectLines || self == .arrayLines }
  var isObject: Bool { self == .object || self == .objectLines }
}

/// How to write an answer.
struct AnswerFormat {
  var format = ResultFormat.object
  var hasHeader = false
  var hasTypes = false
  var hasSQLTypes = false
  /// `sqlStringifyArrays`: arrays as JSON text in a string.
  var stringifiesArrays = true
  var zone = AnswerZone.utc
}
