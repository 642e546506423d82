import DruidSQL
import JavaValues
import Plumbing

/// How to read the time of an event from its message.
struct TimestampSpec: Sendable, Equatable {
  enum Format: Sendable, Equatable {
    case posix
    case millis
    case micro
    case nano
    case iso
    case auto
    case pattern(JodaPattern)
  }

  var column: String
  var format: Format
  /// The time of messages without the column, in milliseconds.
  var missingValue: Int64?

  init(column: String = "timestamp", format: Format = .auto, missingValue: Int64? = nil) {
    self.column = column
    self.format = format
    self.missingValue = missingValue
  }

  init(_ json: JSONValue?) throws(SpecFailure) {
    guard let json, !json.isNull else {
      throw .construct(
        "org.apache.druid.segment.indexing.DataSchema", "timestampSpec should not be null")
    }
    column = json["column"]?.text ?? "timestamp"
    let word = json["format"]?.text ?? "auto"
    switch word.lowercased() {
    case "posix": format = .posix
    case "millis": format = .millis
    case "micro": format = .micro
    case "nano": format = .nano
    case "iso": format = .iso
    case "auto": format = .auto
    default:
      guard let pattern = JodaPattern(ingestion: word) else {
        throw .unsupported("timestampSpec.format", "'\(word)'")
      }
      format = .pattern(pattern)
    }
    missingValue = nil
    switch json["missingValue"] {
    case nil, .null: break
    case .string(let text):
      guard let point = TimePoint(rfc3339: text) else {
        throw .construct(
          "org.apache.druid.data.input.impl.TimestampSpec", "Invalid format: \"\(text)\"")
      }
      missingValue = point.milliseconds
    case .number(let text):
      guard let milliseconds = Int64(text), QueryGranularity.moments.contains(milliseconds) else {
        throw .unsupported("timestampSpec.missingValue", text)
      }
      missingValue = milliseconds
    default: throw .unsupported("timestampSpec.missingValue")
    }
    for member in json.members ?? []
    where !["column", "format", "missingValue"].contains(member.key) {
      throw .unsupported("timestampSpec.\(member.key)")
    }
  }

  /// The time of a JSON number without its fraction. `iso` and `auto` read it as milliseconds, as
  /// in Druid.
  func milliseconds(number: Int64) -> Int64? {
    switch format {
    case .posix:
      let (product, overflow) = number.multipliedReportingOverflow(by: 1000)
      return overflow ? nil : product
    case .millis, .iso, .auto, .pattern: return number
    case .micro: return number / 1000
    case .nano: return number / 1_000_000
    }
  }

  /// The time of a JSON string.
  func milliseconds(text: String) -> Int64? {
    let text = Self.withoutQuotes(text)
    switch format {
    case .posix, .millis, .micro, .nano: return Int64(text).flatMap { milliseconds(number: $0) }
    case .iso: return TimePoint(rfc3339: text)?.milliseconds
    case .pattern(let pattern): return pattern.time(of: text, zone: .utc)
    case .auto:
      if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return Int64(text) }
      return TimePoint(rfc3339: text)?.milliseconds
    }
  }

  private static func withoutQuotes(_ text: String) -> String {
    guard text.count > 1, text.hasPrefix("\""), text.hasSuffix("\"") else { return text }
    return String(text.dropFirst().dropLast())
  }
}

extension JodaPattern {
  /// - Returns: `nil` for an invalid pattern, and for one with the name of a zone, which is not
  ///   supported.
  init?(ingestion text: String) {
    guard let pattern = try? JodaPattern(text), !pattern.namesZone else { return nil }
    self = pattern
  }
}
