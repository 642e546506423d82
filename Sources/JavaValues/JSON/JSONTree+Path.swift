/// A path into JSON, such as `$.a.b[0]['c']`.
package struct JSONPath: Hashable, Sendable {
  enum Step: Hashable, Sendable {
    case key(String)
    case index(Int)
  }

  let steps: [Step]

  /// Druid's `NestedPathFinder.parseJsonPath`: an empty path is the root, and what begins a step behind the last one is
  /// passed over.
  ///
  /// - Throws: `invalidConstant`, in Druid's words.
  package init(_ text: String) throws(ValueFailure) {
    let path = Array(text.unicodeScalars)
    var steps: [Step] = []
    guard let root = path.first else {
      self.steps = []
      return
    }
    guard root == "$" else { throw Self.invalid(text, "it must start with '$'") }
    var (part, dot, bracket, quote) = (path.count, -1, -1, -1)
    var index = 1
    while index < path.count {
      let current = path[index]
      if current == ".", bracket < 0, quote < 0 {
        if dot >= 0 { steps.append(.key(try Self.part(text, path[part..<index]))) }
        (dot, part) = (index, index + 1)
      } else if current == "[", bracket < 0, quote < 0 {
        if dot >= 0 {
          if dot == index - 1 {
            throw Self.invalid(
              text,
              "found '[' at invalid position [\(index)], must not follow '.' or must be "
                + "contained with '")
          }
          steps.append(.key(try Self.part(text, path[part..<index])))
        }
        (dot, bracket, part) = (-1, index, index + 1)
      } else if current == "]", bracket >= 0, quote < 0 {
        let digits = try Self.part(text, path[part..<index])
        guard let number = Int32(digits) else {
          throw Self.invalid(
            text,
            "array specifier [\(digits)] should be a number, it was not.  Use ' if this "
              + "value was meant to be a field name")
        }
        steps.append(.index(Int(number)))
        (dot, bracket, part) = (-1, -1, index + 1)
      } else if dot == -1, bracket == -1 {
        throw Self.invalid(text, "path parts must be separated with '.'")
      } else if current == "'", quote < 0, bracket >= 0 {
        guard bracket == index - 1 else {
          throw Self.invalid(text, "' must be immediately after '['")
        }
        (quote, part) = (index, index + 1)
      } else if current == "'", quote >= 0, index + 1 < path.count, path[index + 1] == "]" {
        steps.append(.key(try Self.part(text, path[part..<index])))
        index += 1
        (dot, quote, bracket, part) = (-1, -1, -1, index + 1)
      }
      index += 1
    }
    if part < path.count {
      if quote >= 0 { throw Self.invalid(text, "unterminated '") }
      if bracket >= 0 { throw Self.invalid(text, "unterminated '['") }
      steps.append(.key(Self.string(path[part...])))
    }
    self.steps = steps
  }

  private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  private static func part(
    _ path: String, _ scalars: ArraySlice<Unicode.Scalar>
  ) throws(ValueFailure) -> String {
    guard !scalars.isEmpty else {
      throw .invalidConstant(
        "jq path [\(path)] is invalid, path parts separated by '.' must not be empty")
    }
    return string(scalars)
  }

  private static func invalid(_ path: String, _ words: String) -> ValueFailure {
    .invalidConstant("JSONPath [\(path)] is invalid, \(words)")
  }
}

extension JSONTree {
  /// The value at the path; nil when there is none. A negative index counts from the end.
  package subscript(path path: JSONPath) -> JSONTree? {
    var current = self
    for step in path.steps {
      switch (step, current) {
      case (.key(let key), .object(let members)):
        // Druid takes a key apart at its dots before it looks.
        guard !key.contains("."),
          let member = members.last(where: { ExactText($0.key) == ExactText(key) })
        else { return nil }
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

  /// JSON_PATHS: the paths of everything except objects, in the order of a Java HashSet of lists of steps. A list of plain
  /// values is one of them; one that holds an object or a list is entered.
  package var paths: [String] {
    var found: [[JSONPath.Step]] = []
    var queue: [(steps: [JSONPath.Step], tree: JSONTree)] = [([], self)]
    var next = 0
    while next < queue.count {
      let (steps, tree) = queue[next]
      next += 1
      switch tree {
      case .object(let members):
        for member in members { queue.append((steps + [.key(member.key)], member.value)) }
      case .array(let elements) where elements.contains(where: \.isNested):
        for (index, element) in elements.enumerated() {
          queue.append((steps + [.index(index)], element))
        }
      default: found.append(steps)
      }
    }
    var size: UInt32 = 16
    while found.count > size * 3 / 4 { size *= 2 }
    let places = found.enumerated().map { place, steps -> (UInt32, Int, [JSONPath.Step]) in
      let hash = JSONPath.hash(steps)
      return ((hash ^ hash >> 16) & (size - 1), place, steps)
    }
    return places.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map { JSONPath.text($0.2) }
  }

  private var isNested: Bool {
    switch self {
    case .array, .object: true
    default: false
    }
  }
}

extension JSONPath {
  /// The hash code of Java's list of the steps.
  fileprivate static func hash(_ steps: [Step]) -> UInt32 {
    steps.reduce(1) { sum, step in
      let own: UInt32 =
        switch step {
        case .key(let key): key.utf16.reduce(0) { $0 &* 31 &+ UInt32($1) }
        case .index(let index): UInt32(truncatingIfNeeded: index)
        }
      return sum &* 31 &+ (31 &+ own)
    }
  }

  fileprivate static func text(_ steps: [Step]) -> String {
    steps.reduce("$") { path, step in
      switch step {
      case .index(let index): "\(path)[\(index)]"
      case .key(let key):
        key.contains { ".'[]".contains($0) } ? "\(path)['\(key)']" : "\(path).\(key)"
      }
    }
  }
}

// MARK: - Several documents

extension JSONTree {
  /// JSON_MERGE: objects go into each other, lists are joined, anything else is replaced. nil when one is an object and the
  /// other a list, or either is neither.
  package func merged(with other: JSONTree) -> JSONTree? {
    switch (self, other) {
    case (.object(let members), .object(let others)):
      var result = members
      var places: [ExactText: Int] = [:]
      for (place, member) in members.enumerated() { places[ExactText(member.key)] = place }
      for member in others {
        guard let place = places[ExactText(member.key)] else {
          places[ExactText(member.key)] = result.count
          result.append(member)
          continue
        }
        result[place].value = result[place].value.merged(with: member.value) ?? member.value
      }
      return .object(result)
    case (.array(let elements), .array(let others)): return .array(elements + others)
    default: return nil
    }
  }
}
