/// Walks over a JSON value without keeping it; at most 512 levels deep.
struct JSONWalker {
  /// The current offset: after the value, or at the byte that makes it invalid.
  private(set) var place: Int
  /// Whether the last string had an escape.
  private(set) var hasEscape = false

  init(from place: Int) { self.place = place }

  @inline(__always)
  private func next(_ text: RawSpan) -> UInt8? {
    place < text.byteCount ? text.byte(at: place) : nil
  }

  mutating func skipSpace(_ text: RawSpan) {
    while let byte = next(text), byte == 32 || byte == 9 || byte == 10 || byte == 13 { place += 1 }
  }

  private mutating func take(_ text: RawSpan, _ character: Unicode.Scalar) -> Bool {
    guard next(text) == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  /// Skips the value that begins here; false when it is not valid.
  mutating func value(_ text: RawSpan) -> Bool { value(text, depth: 0) }

  private mutating func value(_ text: RawSpan, depth: Int) -> Bool {
    guard depth < 512, let first = next(text) else { return false }
    switch first {
    case UInt8(ascii: "\""): return string(text)
    case UInt8(ascii: "["): return list(text, depth: depth, closing: "]", isObject: false)
    case UInt8(ascii: "{"): return list(text, depth: depth, closing: "}", isObject: true)
    case UInt8(ascii: "t"): return word(text, "true")
    case UInt8(ascii: "f"): return word(text, "false")
    case UInt8(ascii: "n"): return word(text, "null")
    default: return number(text)
    }
  }

  private mutating func list(
    _ text: RawSpan, depth: Int, closing: Unicode.Scalar, isObject: Bool
  ) -> Bool {
    place += 1
    skipSpace(text)
    if take(text, closing) { return true }
    while true {
      if isObject {
        skipSpace(text)
        guard string(text) else { return false }
        skipSpace(text)
        guard take(text, ":") else { return false }
      }
      skipSpace(text)
      guard value(text, depth: depth + 1) else { return false }
      skipSpace(text)
      if take(text, closing) { return true }
      guard take(text, ",") else { return false }
    }
  }

  private mutating func string(_ text: RawSpan) -> Bool {
    hasEscape = false
    guard take(text, "\"") else { return false }
    while let byte = next(text) {
      if byte == UInt8(ascii: "\"") {
        place += 1
        return true
      }
      if byte == UInt8(ascii: "\\") {
        guard escape(text) else { return false }
      } else if byte < 0x20 {
        return false
      } else {
        place += 1
      }
    }
    return false
  }

  private mutating func escape(_ text: RawSpan) -> Bool {
    hasEscape = true
    guard place + 1 < text.byteCount else { return false }
    switch text.byte(at: place + 1) {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      place += 2
      return true
    case UInt8(ascii: "u"):
      guard place + 6 <= text.byteCount else { return false }
      for offset in 2..<6 where hexadecimalDigit(text.byte(at: place + offset)) == nil {
        return false
      }
      place += 6
      return true
    default:
      return false
    }
  }

  private mutating func word(_ text: RawSpan, _ word: String) -> Bool {
    for byte in word.utf8 {
      guard next(text) == byte else { return false }
      place += 1
    }
    return true
  }

  private mutating func digits(_ text: RawSpan) -> Bool {
    let start = place
    while let byte = next(text), byte &- 0x30 < 10 { place += 1 }
    return place > start
  }

  private mutating func number(_ text: RawSpan) -> Bool {
    _ = take(text, "-")
    // JSON allows no leading zeros.
    if !take(text, "0") {
      guard digits(text) else { return false }
    } else if let byte = next(text), byte &- 0x30 < 10 {
      return false
    }
    if take(text, "."), !digits(text) { return false }
    if take(text, "e") || take(text, "E") {
      _ = take(text, "+") || take(text, "-")
      return digits(text)
    }
    return true
  }
}

/// The value of a hexadecimal digit.
func hexadecimalDigit(_ byte: UInt8) -> UInt32? {
  switch byte {
  case 0x30...0x39: UInt32(byte - 0x30)
  case 0x41...0x46: UInt32(byte - 0x41 + 10)
  case 0x61...0x66: UInt32(byte - 0x61 + 10)
  default: nil
  }
}
