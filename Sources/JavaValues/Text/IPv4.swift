/// IPv4 addresses as text and as numbers.
package enum IPv4 {
  /// The number of a dotted address; nil for any other text.
  static func number(_ text: String) -> Int64? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var result: Int64 = 0
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
        let value = Int64(part), value < 256, part.utf8.count == 1 || part.first != "0"
      else { return nil }
      result = result << 8 | value
    }
    return result
  }

  static func text(_ number: Int64) -> String? {
    guard (0...0xFFFF_FFFF).contains(number) else { return nil }
    return [24, 16, 8, 0].map { String(number >> $0 & 255) }.joined(separator: ".")
  }

  private static func number(_ value: SQLValue) -> Int64? {
    switch value {
    case .text(let text): number(text)
    case .integer(let value) where (0...0xFFFF_FFFF).contains(value): value
    default: nil
    }
  }

  package static func parse(_ value: SQLValue) -> SQLValue {
    number(value).map { .integer($0) } ?? .null
  }

  package static func stringify(_ value: SQLValue) -> SQLValue {
    number(value).flatMap(text).map { .text($0) } ?? .null
  }

  /// Whether the address is in a subnet such as `10.0.0.0/8`.
  package static func isIn(_ value: SQLValue, _ subnet: String) throws(ValueFailure) -> Bool {
    let parts = subnet.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard let network = parts.first.flatMap(number), parts.count == 2, let bits = Int64(parts[1]),
      (0...32).contains(bits)
    else {
      throw .uncategorized("Function[ipv4_match] subnet arg has an invalid format: \(subnet)")
    }
    guard let address = number(value) else { return false }
    let mask: Int64 = bits == 0 ? 0 : 0xFFFF_FFFF << (32 - bits) & 0xFFFF_FFFF
    return address & mask == network & mask
  }
}
