import Plumbing

/// Reads a sample of messages and writes a specification for their columns.
package struct SampleReader {
  private let datasource: AutomaticDatasource
  private var time: (column: String, format: String)?
  private var names: [String] = []
  private var types: [String: DiscoveredType] = [:]
  /// Messages that did not become rows.
  package private(set) var skipped = 0
  /// The reason for the first of them, its number, counted from 1, and whether naming the field
  /// with the time can help.
  package private(set) var firstSkipped: (reason: String, message: Int, isAboutTime: Bool)?
  private var messages = 0

  package init(_ datasource: AutomaticDatasource) { self.datasource = datasource }

  package mutating func read(_ message: RawSpan) {
    messages += 1
    let text = unsafe message.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    guard let objects = FieldValue.objects(of: text), !objects.isEmpty else {
      return skip("not JSON objects")
    }
    for fields in objects {
      if let automatic = datasource.time {
        let found = automatic.find(in: fields)
        if time == nil { time = found }
        guard let found, found.column == time?.column else {
          skip(automatic.reason, isAboutTime: true)
          continue
        }
      }
      for field in fields
      where field.key != time?.column && field.key != "__time" && !field.key.isEmpty {
        if types[field.key] == nil { names.append(field.key) }
        _ = types[field.key, default: DiscoveredType()].admit(field.value)
      }
    }
  }

  private mutating func skip(_ reason: String, isAboutTime: Bool = false) {
    skipped += 1
    if firstSkipped == nil { firstSkipped = (reason, messages, isAboutTime) }
  }

  /// The specification; nil when no message became a row.
  ///
  /// - Parameter servers: `bootstrap.servers` for Druid.
  package func specification(servers: String) -> String? {
    guard messages > skipped, !names.isEmpty else { return nil }
    let dimensions = names.map { name -> JSONValue in
      let type =
        switch types[name]?.storedKind {
        case .long: "long"
        case .double: "double"
        case .json: "json"
        case .array: "auto"
        default: "string"
        }
      return .object(["type": .string(type), "name": .string(name)])
    }
    return datasource.specification(
      column: time?.column ?? "timestamp", format: time?.format ?? "auto", dimensions: dimensions,
      servers: servers
    ).indented(0) + "\n"
  }
}

extension JSONValue {
  /// The JSON text with one member a line, unless a value fits on its line.
  fileprivate func indented(_ depth: Int) -> String {
    let plain = jsonText
    guard plain.count + 2 * depth > 80 else { return plain }
    let space = String(repeating: " ", count: 2 * depth + 2)
    let end = "\n" + String(repeating: " ", count: 2 * depth)
    switch self {
    case .object(let members):
      let lines = members.map {
        space + JSONValue.string($0.key).jsonText + ": " + $0.value.indented(depth + 1)
      }
      return "{\n" + lines.joined(separator: ",\n") + end + "}"
    case .array(let elements):
      return "[\n" + elements.map { space + $0.indented(depth + 1) }.joined(separator: ",\n") + end
        + "]"
    default: return plain
    }
  }
}
