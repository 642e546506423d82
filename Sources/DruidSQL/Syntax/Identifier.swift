/// One word of a name. Druid keeps the case of unquoted words, so `isQuoted` matters only for
/// functions and errors.
///
/// Equality ignores quotes and position.
struct Identifier: Hashable, Sendable {
  var text: String
  var isQuoted: Bool
  @Position var range: SourceRange

  init(_ text: String, isQuoted: Bool = false, range: SourceRange = .none) {
    self.text = text
    self.isQuoted = isQuoted
    self.range = range
  }

  static func == (left: Identifier, right: Identifier) -> Bool { left.text == right.text }

  func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// A name with one or more parts, separated by dots: `country`, `e.country`, `druid.ecommerce`.
struct Name: Hashable, Sendable {
  var parts: [Identifier]
  @Position var range: SourceRange

  init(_ parts: [Identifier], range: SourceRange) {
    self.parts = parts
    self.range = range
  }

  init(_ part: Identifier) {
    self.parts = [part]
    self.range = part.range
  }

  /// The parts joined by dots, without quotes, as in error messages.
  var text: String { parts.map(\.text).joined(separator: ".") }

  var last: String { parts.last?.text ?? "" }
}
