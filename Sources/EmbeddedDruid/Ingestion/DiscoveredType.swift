import JavaValues

/// The type of a column that is derived from its values, as in Druid's schema discovery. It widens
/// with new values.
struct DiscoveredType: Equatable {
  /// Nil while all values are null.
  private(set) var kind: ColumnKind?
  /// Whether all values so far were booleans, which a number column stores as 1 and 0.
  private(set) var isBoolean = false

  /// The kind of the stored column. A column with only nulls is a string column.
  var storedKind: ColumnKind { kind ?? .string }

  /// Widens the type to include a value. True when the column's kind has changed.
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

  /// The least type that can hold values of both types.
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
  /// The value as stored in a column of a discovered type.
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

  /// The original value of a cell in a discovered column.
  init(_ cell: StoredCell, of type: DiscoveredType) {
    switch (cell, type.storedKind) {
    case (.null, _): self = .null
    case (.long(let value), _): self = type.isBoolean ? .bool(value != 0) : .long(value)
    case (.double(let value), _): self = .double(value)
    case (.text(let text), .string): self = .text(text)
    case (.text(let text), _): self = JSONTree(parsing: text).map { FieldValue($0) } ?? .null
    }
  }
}
