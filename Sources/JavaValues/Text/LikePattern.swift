/// A pattern of LIKE: `%` stands for any text, `_` for one character.
package struct LikePattern: Sendable {
  private enum Element: Sendable {
    case byte(UInt8)
    case one
    case any
  }

  private let elements: [Element]

  /// - Parameter escape: the character that takes the meaning from the one behind it; empty for none.
  package init(_ pattern: String, escape: String = "") {
    var elements: [Element] = []
    let escape = escape.unicodeScalars.first
    var rest = pattern.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      if scalar == escape {
        elements += Self.bytes(rest.popFirst() ?? scalar)
      } else if scalar == "%" {
        elements.append(.any)
      } else if scalar == "_" {
        elements.append(.one)
      } else {
        elements += Self.bytes(scalar)
      }
    }
    self.elements = elements
  }

  private static func bytes(_ scalar: Unicode.Scalar) -> [Element] {
    UTF8.encode(scalar)?.map { .byte($0) } ?? []
  }

  package func matches(_ text: String) -> Bool {
    let source = Array(text.utf8)
    var index = 0
    var element = 0
    var retry: (element: Int, index: Int)?
    while index < source.count {
      if let step = step(element, source, index) {
        if step < 0 {
          retry = (element, index)
        } else {
          index += step
        }
        element += 1
      } else if let last = retry {
        index = last.index + 1
        element = last.element + 1
        retry = (last.element, index)
      } else {
        return false
      }
    }
    while element < elements.count, case .any = elements[element] { element += 1 }
    return element == elements.count
  }

  /// How many bytes the element takes here: -1 for any number, nil when it does not fit.
  private func step(_ element: Int, _ source: [UInt8], _ index: Int) -> Int? {
    guard element < elements.count else { return nil }
    switch elements[element] {
    case .any: return -1
    case .byte(let byte): return source[index] == byte ? 1 : nil
    case .one:
      guard source[index] & 0xC0 != 0x80 else { return nil }
      var width = 1
      while index + width < source.count, source[index + width] & 0xC0 == 0x80 { width += 1 }
      return width
    }
  }
}
