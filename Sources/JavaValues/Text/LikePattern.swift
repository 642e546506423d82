/// A LIKE pattern: `%` matches any text, `_` matches one character.
///
/// Each part between two `%` is matched at its first occurrence. A later occurrence would leave
/// less text for the remaining parts, so no backtracking is necessary.
package struct LikePattern: Sendable {
  private enum Element: Sendable {
    case byte(UInt8)
    case one
  }

  /// A part of the pattern between two `%`.
  private struct Part: Sendable {
    let elements: [Element]
    /// The search for a part without `_`.
    let search: ByteSearch?

    init(_ elements: [Element]) {
      self.elements = elements
      var bytes: [UInt8] = []
      for case .byte(let byte) in elements { bytes.append(byte) }
      search = bytes.count == elements.count ? ByteSearch(bytes) : nil
    }

    /// The end of the part when it starts at `start`; nil when it does not match there.
    func end(in source: [UInt8], at start: Int) -> Int? {
      var index = start
      for element in elements {
        guard index < source.count else { return nil }
        switch element {
        case .byte(let byte):
          guard source[index] == byte else { return nil }
          index += 1
        case .one:
          guard source[index] & 0xC0 != 0x80 else { return nil }
          index += 1
          while index < source.count, source[index] & 0xC0 == 0x80 { index += 1 }
        }
      }
      return index
    }

    /// The end of the first match at or after `start`.
    func firstEnd(
      in source: [UInt8], from start: Int, _ limits: QueryLimits?
    ) throws(ValueFailure) -> Int? {
      if let search { return search.first(in: source, from: start).map { $0 + elements.count } }
      for place in start...max(start, source.count) {
        if let end = end(in: source, at: place) { return end }
        try limits?.check(elements.count)
      }
      return nil
    }

    /// The start of a match at the end of the text.
    func lastStart(in source: [UInt8]) -> Int? {
      var index = source.count
      for element in elements.reversed() {
        guard index > 0 else { return nil }
        index -= 1
        switch element {
        case .byte(let byte): guard source[index] == byte else { return nil }
        case .one: while index > 0, source[index] & 0xC0 == 0x80 { index -= 1 }
        }
      }
      return index
    }
  }

  private let parts: [Part]

  /// - Parameter escape: the character that makes the next one literal; empty for none.
  init(_ pattern: String, escape: String = "") {
    var parts: [[Element]] = [[]]
    let escape = escape.unicodeScalars.first
    var rest = pattern.unicodeScalars[...]
    func add(_ scalar: Unicode.Scalar) {
      parts[parts.count - 1] += UTF8.encode(scalar)?.map { .byte($0) } ?? []
    }
    while let scalar = rest.popFirst() {
      if scalar == escape {
        add(rest.popFirst() ?? scalar)
      } else if scalar == "%" {
        parts.append([])
      } else if scalar == "_" {
        parts[parts.count - 1].append(.one)
      } else {
        add(scalar)
      }
    }
    self.parts = parts.map(Part.init)
  }

  package func matches(_ text: String, _ limits: QueryLimits? = nil) throws(ValueFailure) -> Bool {
    let source = Array(text.utf8)
    guard var index = parts[0].end(in: source, at: 0) else { return false }
    guard parts.count > 1 else { return index == source.count }
    for part in parts[1..<(parts.count - 1)] {
      guard let end = try part.firstEnd(in: source, from: index, limits) else { return false }
      index = end
    }
    guard let last = parts[parts.count - 1].lastStart(in: source) else { return false }
    return last >= index
  }
}
