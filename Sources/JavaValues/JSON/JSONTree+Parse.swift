extension JSONTree {
  /// Nil when the text is not valid JSON or is nested too deeply.
  package init?(parsing text: String) {
    var reader = Reader(bytes: Array(text.utf8))
    guard let value = reader.value(depth: 0), reader.isAtEnd() else { return nil }
    self = value
  }

  /// The first value of a text, whatever stands behind it; nil when it does not begin with one.
  package init?(firstOf text: String) {
    var reader = Reader(bytes: Array(text.utf8))
    guard let value = reader.value(depth: 0), reader.isBetweenValues(behind: value) else {
      return nil
    }
    self = value
  }

  private struct Reader {
    let bytes: [UInt8]
    var index = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func skipBlanks() {
      while index < bytes.count, [9, 10, 13, 32].contains(bytes[index]) { index += 1 }
    }

    mutating func isAtEnd() -> Bool {
      skipBlanks()
      return index == bytes.count
    }

    /// Whether a plain value ends where it was read to: a blank or a bracket must follow.
    func isBetweenValues(behind value: JSONTree) -> Bool {
      switch value {
      case .integer, .digits, .real:
        guard index < bytes.count else { return true }
        return [9, 10, 13, 32].contains(bytes[index])
      case .boolean, .null:
        guard index < bytes.count else { return true }
        let byte = bytes[index]
        return byte < 128 && !(48...57).contains(byte) && !(97...122).contains(byte | 32)
          && byte != UInt8(ascii: "_")
      case .string, .array, .object: return true
      }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
      skipBlanks()
      guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
      index += 1
      return true
    }

    private mutating func take(word: String) -> Bool {
      let end = index + word.utf8.count
      guard end <= bytes.count, bytes[index..<end].elementsEqual(word.utf8) else { return false }
      index = end
      return true
    }

    mutating func value(depth: Int) -> JSONTree? {
      skipBlanks()
      guard depth < 200, index < bytes.count else { return nil }
      switch bytes[index] {
      case UInt8(ascii: "{"): return object(depth: depth)
      case UInt8(ascii: "["): return array(depth: depth)
      case UInt8(ascii: "\""): return string().map { .string($0) }
      case UInt8(ascii: "t"): return take(word: "true") ? .boolean(true) : nil
      case UInt8(ascii: "f"): return take(word: "false") ? .boolean(false) : nil
      case UInt8(ascii: "n"): return take(word: "null") ? .null : nil
      default: return number()
      }
    }

    private mutating func object(depth: Int) -> JSONTree? {
      index += 1
      var members: [Member] = []
      var places: [ExactText: Int] = [:]
      if take("}") { return .object([]) }
      repeat {
        skipBlanks()
        guard let key = string(), take(":"), let value = value(depth: depth + 1) else { return nil }
        // Of two same keys the last one's value counts, at the place of the first.
        if let place = places.updateValue(members.count, forKey: ExactText(key)) {
          places[ExactText(key)] = place
          members[place].value = value
        } else {
          members.append(Member(key: key, value: value))
        }
      } while take(",")
      return take("}") ? .object(members) : nil
    }

    private mutating func array(depth: Int) -> JSONTree? {
      index += 1
      var elements: [JSONTree] = []
      if take("]") { return .array([]) }
      repeat {
        guard let value = value(depth: depth + 1) else { return nil }
        elements.append(value)
      } while take(",")
      return take("]") ? .array(elements) : nil
    }

    private mutating func number() -> JSONTree? {
      let start = index
      var isWhole = true
      while index < bytes.count {
        switch bytes[index] {
        case 48...57, UInt8(ascii: "-"): break
        case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
          isWhole = false
        default:
          return number(String(decoding: bytes[start..<index], as: UTF8.self), isWhole)
        }
        index += 1
      }
      return number(String(decoding: bytes[start..<index], as: UTF8.self), isWhole)
    }

    private func number(_ text: String, _ isWhole: Bool) -> JSONTree? {
      guard let last = text.utf8.last, (48...57).contains(last), text.utf8.first != 43 else {
        return nil
      }
      if isWhole {
        let digits = text.utf8.first == 45 ? text.utf8.dropFirst() : text.utf8[...]
        guard digits.allSatisfy({ (48...57).contains($0) }),
          digits.count == 1 || digits.first != 48
        else { return nil }
        return Int64(text).map { .integer($0) } ?? .digits(text)
      }
      let whole = text.drop { $0 == "-" }.prefix { $0.isNumber }
      guard !whole.isEmpty, whole.count == 1 || whole.first != "0" else { return nil }
      return Double(text).map { .real($0) }
    }

    private mutating func string() -> String? {
      guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { return nil }
      index += 1
      var units: [UInt8] = []
      while index < bytes.count {
        let byte = bytes[index]
        index += 1
        if byte == UInt8(ascii: "\"") { return String(decoding: units, as: UTF8.self) }
        guard byte == UInt8(ascii: "\\") else {
          units.append(byte)
          continue
        }
        guard let escaped = escape() else { return nil }
        units += escaped
      }
      return nil
    }

    private mutating func escape() -> [UInt8]? {
      guard index < bytes.count else { return nil }
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: "n"): return [10]
      case UInt8(ascii: "t"): return [9]
      case UInt8(ascii: "r"): return [13]
      case UInt8(ascii: "b"): return [8]
      case UInt8(ascii: "f"): return [12]
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
      case UInt8(ascii: "u"):
        guard let first = unit() else { return nil }
        var units = [first]
        if UTF16.isLeadSurrogate(first), index + 1 < bytes.count, bytes[index] == 92,
          bytes[index + 1] == UInt8(ascii: "u")
        {
          index += 2
          guard let second = unit() else { return nil }
          units.append(second)
        }
        return Array(String(decoding: units, as: UTF16.self).utf8)
      default: return nil
      }
    }

    private mutating func unit() -> UInt16? {
      guard index + 4 <= bytes.count else { return nil }
      let digits = String(decoding: bytes[index..<index + 4], as: UTF8.self)
      index += 4
      return digits.allSatisfy(\.isHexDigit) ? UInt16(digits, radix: 16) : nil
    }
  }
}
