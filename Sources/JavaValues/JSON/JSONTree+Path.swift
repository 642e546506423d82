/// A path into JSON, such as `$.a.b[0]['c']`.
package struct JSONPath: Hashable, Sendable {
  enum Step: Hashable, Sendable {
    case key(String)
    case index(Int)
  }

  let steps: [Step]

  package init(_ text: String) throws(ValueFailure) {
    var rest = Substring(text)
    guard rest.popFirst() == "$" else {
      throw .invalid("JSONPath [\(text)] is invalid, must start with '$'")
    }
    var steps: [Step] = []
    if rest == "." { rest = "" }
    while let character = rest.popFirst() {
      switch character {
      case ".":
        let key = rest.prefix { $0 != "." && $0 != "[" }
        guard !key.isEmpty else { throw .invalid("JSONPath [\(text)] is invalid, found empty key") }
        rest = rest.dropFirst(key.count)
        steps.append(.key(String(key)))
      case "[":
        guard let step = Self.bracket(&rest) else {
          throw .invalid("JSONPath [\(text)] is invalid, could not parse its brackets")
        }
        steps.append(step)
      default: throw .invalid("JSONPath [\(text)] is invalid, expected '.' or '['")
      }
    }
    self.steps = steps
  }

  private static func bracket(_ rest: inout Substring) -> Step? {
    if let quote = rest.first, quote == "'" || quote == "\"" {
      rest = rest.dropFirst()
      var key = ""
      while let character = rest.popFirst(), character != quote {
        if character == "\\", let next = rest.popFirst() {
          key.append(next)
        } else {
          key.append(character)
        }
      }
      return rest.popFirst() == "]" ? .key(key) : nil
    }
    let digits = rest.prefix { $0 != "]" }
    rest = rest.dropFirst(digits.count)
    guard rest.popFirst() == "]", let index = Int(digits) else { return nil }
    return .index(index)
  }
}

extension JSONTree {
  /// The value at the path; nil when there is none. A negative index counts from the end.
  package subscript(path path: JSONPath) -> JSONTree? {
    var current = self
    for step in path.steps {
      switch (step, current) {
      case (.key(let key), .object(let members)):
        guard let member = members.last(where: { ExactText($0.key) == ExactText(key) }) else {
          return nil
        }
        current = member.value
      case (.index(let index), .array(let elements)):
        let position = index < 0 ? elements.count + index : index
        guard elements.indices.contains(position) else { return nil }
        current = elements[position]
      default: return nil
      }
    }
    return current
  }

  /// JSON_KEYS: the keys of an object, or the indices of an array; nil for anything else.
  package var keys: [String]? {
    if case .array(let elements) = self { return elements.indices.map(String.init) }
    guard case .object(let members) = self else { return nil }
    return members.map(\.key)
  }

  /// JSON_PATHS: the paths of all scalars.
  package var paths: [String] {
    var paths: [String] = []
    collect("$", &paths)
    return paths
  }

  private func collect(_ prefix: String, _ paths: inout [String]) {
    switch self {
    case .object(let members):
      for member in members { member.value.collect(prefix + "." + member.key, &paths) }
    case .array(let elements):
      for (index, element) in elements.enumerated() {
        element.collect(prefix + "[\(index)]", &paths)
      }
    default: paths.append(prefix)
    }
  }
}
