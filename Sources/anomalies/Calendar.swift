import Plumbing

/// An event as fake-events labels it: an expected event of a calendar, or the truth for grading.
struct Label: Equatable {
  var id: String
  var kind: String
  /// Milliseconds since 1970; the end is exclusive.
  var start: Int64
  var end: Int64
  /// The affected events, as fields and values.
  var filter: [(field: String, value: String)]
  var isExpected: Bool

  static func == (a: Label, b: Label) -> Bool {
    a.id == b.id && a.kind == b.kind && a.start == b.start && a.end == b.end
      && a.isExpected == b.isExpected && a.filter.count == b.filter.count
      && zip(a.filter, b.filter).allSatisfy { $0 == $1 }
  }

  /// Reads labels, one JSON object a line. Of several lines with one id, the last applies.
  ///
  /// - Throws: ``UnusableInput`` for a line that is not a label.
  static func read(_ path: String) throws -> [Label] {
    let bytes = try SmallFile.read(path)
    var labels: [Label] = []
    for (index, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      let text = line.last == 13 ? line.dropLast() : line
      if text.allSatisfy({ $0 == 32 }) { continue }
      guard let object = try? JSONValue(parsing: Array(text)) else {
        throw UnusableInput("\(path): line \(index + 1): not JSON")
      }
      // The same file also has records of single dirty lines.
      if object["line"] != nil, object["start"] == nil { continue }
      guard let label = Label(object, number: index + 1) else {
        throw UnusableInput(
          "\(path): line \(index + 1): not a label",
          hints: [
            "a label has at least a start: {\"start\":..,\"end\":..,\"kind\":..,\"filter\":{}}"
          ])
      }
      if let old = labels.firstIndex(where: { $0.id == label.id }) {
        labels[old] = label
      } else {
        labels.append(label)
      }
    }
    return labels
  }

  private init?(_ object: JSONValue, number: Int) {
    guard let start = object["start"].flatMap(Self.time) else { return nil }
    self.start = start
    end = object["end"].flatMap(Self.time) ?? Int64.max / 2
    id = object["id"].flatMap { $0.text ?? $0.jsonText } ?? "line \(number)"
    kind = object["kind"]?.text ?? "event"
    isExpected = object["expected"]?.bool ?? false
    filter = (object["filter"]?.members ?? []).map {
      (field: $0.key, value: $0.value.text ?? $0.value.jsonText)
    }
  }

  static func time(_ value: JSONValue) -> Int64? {
    switch value {
    case .number(let text), .string(let text):
      var reader = TimeText()
      return Array(text.utf8).withRawSpan { reader.milliseconds($0) }
    default: return nil
    }
  }
}

extension [UInt8] {
  /// Lends the bytes to `body`.
  func withRawSpan<Result>(_ body: (RawSpan) -> Result) -> Result { unsafe body(span.bytes) }
}

/// Expected events.
struct Calendar {
  private(set) var labels: [Label] = []

  init() {}

  init(_ path: String) throws {
    labels = try Label.read(path).sorted {
      $0.start != $1.start ? $0.start < $1.start : $0.id < $1.id
    }
  }

  var isEmpty: Bool { labels.isEmpty }

  /// The events that overlap a bucket.
  func active(from start: Int64, to end: Int64) -> [Label] {
    labels.filter { $0.start < end && $0.end > start }
  }
}
