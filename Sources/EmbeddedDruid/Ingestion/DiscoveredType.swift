import JavaValues

/// The type of a column that is told by its values, as Druid's schema discovery has it: it widens as values come.
struct DiscoveredType: Equatable {
  /// Nil as long as every value was null.
  private(set) var kind: ColumnKind?
  /// Whether all values so far were booleans, which a column of numbers holds as 1 and 0.
  private(set) var isBoolean = false

  /// How the column is kept: one that only holds null is a column of texts.
  var storedKind: ColumnKind { kind ?? .string }

  /// Takes a value's type in; true when the column's own type has changed.
  mutating func admit(_ value: FieldValue) -> Bool {
    guard let other = Self.kind(of: value) else { return false }
    let old = kind
    if case .bool = value {
      isBoolean = kind == nil || isBoolean
    } else {
      isBoolean = false
    }
    kind = kind.map { Self.combined($0, other) } ?? other
    return old != kind
  }

  /// The type of a single value; nil for null.
  static func kind(of value: FieldValue) -> ColumnKind? {
    switch value {
    case .null: return nil
    case .long, .bool: return .long
    case .double: return .double
    case .text: return .string
    case .object: return .json
    case .list(let elements):
      var element: ColumnKind?
      for value in elements {
        guard let kind = kind(of: value) else { continue }
        guard kind == .long || kind == .double || kind == .string else { return .json }
        element = element.map { combined($0, kind) } ?? kind
      }
      return .array(element.flatMap(Self.element) ?? .long)
    }
  }

  private static func element(_ kind: ColumnKind) -> ColumnKind.ElementKind? {
    switch kind {
    case .long: .long
    case .double: .double
    case .string: .string
    case .array(let element): element
    default: nil
    }
  }

  /// The least type that holds the values of both.
  static func combined(_ one: ColumnKind, _ other: ColumnKind) -> ColumnKind {
    if one == other { return one }
    guard one != .json, other != .json, let a = element(one), let b = element(other) else {
      return .json
    }
    let element: ColumnKind.ElementKind =
      a == .string || b == .string ? .string : a == .double || b == .double ? .double : .long
    let isScalar = [one, other].allSatisfy { if case .array = $0 { false } else { true } }
    guard isScalar else { return .array(element) }
    return switch element {
    case .long: .long
    case .double: .double
    case .string: .string
    }
  }
}

extension FieldValue {
  /// The value as a column of a discovered type keeps it.
  func stored(as kind: ColumnKind) -> StoredCell {
    if self == .null { return .null }
    switch kind {
    case .long, .time: return ((try? asLong()) ?? nil).map { .long($0) } ?? .null
    case .double, .float: return ((try? asDouble()) ?? nil).map { .double($0) } ?? .null
    case .string: return javaText.map { .text($0) } ?? .null
    case .json: return .text(tree.text)
    case .array(let element):
      let elements =
        if case .list(let elements) = self { elements } else { [self] }
      let trees = elements.map { value -> JSONTree in
        switch (element, value) {
        case (_, .null): .null
        case (.string, _): value.javaText.map { .string($0) } ?? .null
        case (.double, .long(let whole)): .real(Double(whole))
        case (.long, .bool(let isTrue)): .integer(isTrue ? 1 : 0)
        case (.double, .bool(let isTrue)): .real(isTrue ? 1 : 0)
        default: value.tree
        }
      }
      return .text(JSONTree.array(trees).text)
    }
  }

  /// What a cell of a discovered column was made of.
  init(_ cell: StoredCell, of type: DiscoveredType) {
    switch (cell, type.storedKind) {
    case (.null, _): self = .null
    case (.long(let value), _): self = type.isBoolean ? .bool(value != 0) : .long(value)
    case (.double(let value), _): self = .double(value)
    case (.text(let text), .string): self = .text(text)
    case (.text(let text), _): self = JSONTree(parsing: text).map { FieldValue($0) } ?? .null
    }
  }

  private init(_ tree: JSONTree) {
    switch tree {
    case .null: self = .null
    case .boolean(let isTrue): self = .bool(isTrue)
    case .integer(let value): self = .long(value)
    case .real(let value): self = .double(value)
    case .string(let text): self = .text(text)
    case .array(let elements): self = .list(elements.map { FieldValue($0) })
    case .object(let members):
      self = .object(members.map { Member(key: $0.key, value: FieldValue($0.value)) })
    }
  }

  var tree: JSONTree {
    switch self {
    case .null: .null
    case .long(let value): .integer(value)
    case .double(let value): .real(value)
    case .bool(let isTrue): .boolean(isTrue)
    case .text(let text): .string(text)
    case .list(let elements): .array(elements.map(\.tree))
    case .object(let members):
      .object(members.map { JSONTree.Member(key: $0.key, value: $0.value.tree) })
    }
  }
}
