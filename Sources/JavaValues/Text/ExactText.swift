/// A string compared as in Java: equal only if its code units are, and ordered by UTF-16 units.
///
/// Swift's `==` considers the two Unicode forms of "é" equal.
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
