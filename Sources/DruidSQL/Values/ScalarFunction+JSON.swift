import JavaValues

extension ScalarFunction {
  static let json: [ScalarFunction] = [
    lenient("json_object") { arguments, _ throws(ValueFailure) in
      var members: [JSONTree.Member] = []
      for index in stride(from: 0, to: arguments.count - 1, by: 2) {
        guard let key = arguments[index].text else {
          throw .invalid("Function[json_object] key must be a string")
        }
        members.removeAll { ExactText($0.key) == ExactText(key) }
        members.append(JSONTree.Member(key: key, value: tree(arguments[index + 1])))
      }
      return .text(JSONTree.object(hashed(members)).text)
    },
    strict("json_value") { arguments, context throws(ValueFailure) in
      let path = try context.path(try arguments.text(1))
      guard let found = JSONTree(parsing: try arguments.text(0))?[path: path] else { return .null }
      return scalar(found, try arguments.text(2))
    },
    strict("json_query") { arguments, context throws(ValueFailure) in
      let path = try context.path(try arguments.text(1))
      let found = JSONTree(parsing: try arguments.text(0))?[path: path]
      return found.map { .text($0.text) } ?? .null
    },
    strict("parse_json") { arguments, _ throws(ValueFailure) in
      let text = try arguments.text(0)
      guard let tree = JSONTree(parsing: text) else {
        throw .invalid("Function[parse_json] bad string input [\(text)]")
      }
      return .text(tree.text)
    },
    strict("try_parse_json") { arguments, _ throws(ValueFailure) in
      JSONTree(parsing: try arguments.text(0)).map { .text($0.text) } ?? .null
    },
    strict("to_json_string") { arguments, _ throws(ValueFailure) in
      let text = try arguments.text(0)
      return .text((JSONTree(parsing: text) ?? .string(text)).text)
    },
    strict("json_keys") { arguments, context throws(ValueFailure) in
      let path = try context.path(try arguments.text(1))
      let keys = JSONTree(parsing: try arguments.text(0))?[path: path]?.keys
      return keys.map { .text(JSONTree(texts: $0).text) } ?? .null
    },
    strict("json_paths") { arguments, _ throws(ValueFailure) in
      let tree = JSONTree(parsing: try arguments.text(0))
      return tree.map { .text(JSONTree(texts: $0.paths).text) } ?? .null
    },
  ]

  /// In the order in which Java's HashMap hands its entries out.
  static func hashed(_ members: [JSONTree.Member]) -> [JSONTree.Member] {
    var size: UInt32 = 16
    while members.count > size * 3 / 4 { size *= 2 }
    func bucket(_ key: String) -> UInt32 {
      let hash = key.utf16.reduce(UInt32(0)) { $0 &* 31 &+ UInt32($1) }
      return (hash ^ hash >> 16) & (size - 1)
    }
    let places = members.enumerated().map { (bucket($1.key), $0, $1) }
    return places.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
  }

  /// A value of an object: text behind U+0001 is JSON, other text is text.
  private static func tree(_ value: SQLValue) -> JSONTree {
    if case .text(let text) = value, text.unicodeScalars.first == "\u{1}" {
      return JSONTree(parsing: String(text.unicodeScalars.dropFirst())) ?? .null
    }
    return JSONTree(value)
  }

  /// JSON_VALUE's answer in the type that it returns.
  private static func scalar(_ found: JSONTree, _ type: String) -> SQLValue {
    switch found {
    case .null, .array, .object: return .null
    case .boolean(let value):
      switch type {
      case "BIGINT", "BOOLEAN": return .boolean(value)
      case "DOUBLE": return .real(value ? 1 : 0)
      default: return .text(value ? "true" : "false")
      }
    case .string(let text) where type == "BOOLEAN": return .boolean(text.lowercased() == "true")
    case .integer, .real, .string:
      let value = found.value
      switch type {
      case "BIGINT": return value.integer.map { .integer($0) } ?? .null
      case "DOUBLE": return value.double.map { .double($0) } ?? .null
      case "BOOLEAN": return value.double.map { .boolean($0 > 0) } ?? .null
      default: return value.text.map { .text($0) } ?? .null
      }
    }
  }
}
