/// A text as Java takes it: the same only when its units are, and ordered by them as UTF-16.
///
/// For Swift's own `==`, "é" is the same in its two spellings.
package struct ExactText: Hashable, Comparable, Sendable {
  package let text: String

  package init(_ text: String) { self.text = text }

  package static func == (left: ExactText, right: ExactText) -> Bool {
    left.text.utf8.elementsEqual(right.text.utf8)
  }

  package static func < (left: ExactText, right: ExactText) -> Bool {
    left.text.utf16.lexicographicallyPrecedes(right.text.utf16)
  }
}
