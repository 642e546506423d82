/// A path to a single place in a message's objects and lists: `$.a.b[0]['c']`.
struct FieldPath: Sendable, Equatable {
  enum Step: Sendable, Equatable {
    case key(String)
    case index(Int)
  }

  var steps: [Step]

  init(keys: [String]) { steps = keys.map { .key($0) } }

  /// - Returns: `nil` for a path to several places, or one that computes something.
  init?(jsonPath text: String) {
    var rest = Substring(text)
    guard rest.popFirst() == "$" else { return nil }
    var steps: [Step] = []
    while let first = rest.popFirst() {
      switch first {
      case ".":
        let name = rest.prefix { $0.isLetter || $0.isNumber || "_-$@:".contains($0) }
        rest = rest.dropFirst(name.count)
        // `.length()` and similar are functions.
        guard !name.isEmpty, rest.first != "(" else { return nil }
        steps.append(.key(String(name)))
      case "[":
        guard let end = rest.firstIndex(of: "]") else { return nil }
        let inner = rest[..<end]
        rest = rest[rest.index(after: end)...]
        if let quote = inner.first, quote == "'" || quote == "\"" {
          let name = inner.dropFirst().dropLast()
          guard inner.count > 2, inner.last == quote, !name.contains(quote), !name.contains("\\"),
            !name.contains(",")
          else { return nil }
          steps.append(.key(String(name)))
        } else {
          guard inner.allSatisfy({ $0.isASCII && $0.isNumber }), let index = Int(inner) else {
            return nil
          }
          steps.append(.index(index))
        }
      default: return nil
      }
    }
    self.steps = steps
  }

  /// The value at the path; null when there is none.
  func value(in root: FieldValue) -> FieldValue {
    var value = root
    for step in steps {
      switch (step, value) {
      case (.key(let key), .object(let members)):
        value = members.first { $0.key == key }?.value ?? .null
      case (.index(let index), .list(let elements)) where index < elements.count:
        value = elements[index]
      default: return .null
      }
    }
    return value
  }
}

/// Fields extracted from nested objects: the `flattenSpec` of an input format.
struct FlattenSpec: Sendable, Equatable {
  /// Whether rows also have the message's own fields.
  var discoversFields = true
  var fields: [(name: String, path: FieldPath)] = []

  static func == (one: FlattenSpec, other: FlattenSpec) -> Bool {
    one.discoversFields == other.discoversFields
      && one.fields.elementsEqual(other.fields) { $0.name == $1.name && $0.path == $1.path }
  }

  var isPlain: Bool { discoversFields && fields.isEmpty }

  /// The members of the row that the message becomes.
  func flattened(_ members: [FieldValue.Member]) -> [FieldValue.Member] {
    guard !isPlain else { return members }
    var result = discoversFields ? members : []
    let root = FieldValue.object(members)
    for field in fields {
      result.removeAll { $0.key == field.name }
      result.append(FieldValue.Member(key: field.name, value: field.path.value(in: root)))
    }
    return result
  }
}
