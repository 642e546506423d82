/// One word of a name. Druid keeps the case of unquoted words, so `isQuoted` matters only for
/// functions and errors.
///
/// Equality ignores quotes and position.
package struct Identifier: Hashable, Sendable {
  package var text: String
  package var isQuoted: Bool
  package var range: SourceRange

  package init(_ text: String, isQuoted: Bool = false, range: SourceRange = .none) {
    self.text = text
    self.isQuoted = isQuoted
    self.range = range
  }

  package static func == (left: Identifier, right: Identifier) -> Bool { left.text == right.text }

  package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// A name with one or more parts, separated by dots: `country`, `e.country`, `druid.ecommerce`.
package struct Name: Hashable, Sendable {
  package var parts: [Identifier]
  package var range: SourceRange

  package init(_ parts: [Identifier], range: SourceRange) {
    self.parts = parts
    self.range = range
  }

  package init(_ part: Identifier) {
    self.parts = [part]
    self.range = part.range
  }

  /// The parts joined by dots, without quotes, as in error messages.
  package var text: String { parts.map(\.text).joined(separator: ".") }

  package var last: String { parts.last?.text ?? "" }

  package static func == (left: Name, right: Name) -> Bool { left.parts == right.parts }

  package func hash(into hasher: inout Hasher) { hasher.combine(parts) }
}
