/// How a message shows a character of foreign text that would move the cursor, break the line or
/// reverse its direction.
///
/// - Returns: `nil` for a character that is shown as it is.
package func shownEscape(of scalar: Unicode.Scalar) -> String? {
  let digits = String(scalar.value, radix: 16)
  switch scalar.value {
  case 9: return "\\t"
  case 10: return "\\n"
  case 13: return "\\r"
  case 0..<0x20, 0x7f..<0xa0: return (digits.count < 2 ? "\\x0" : "\\x") + digits
  case 0x200e, 0x200f, 0x061c, 0x2028, 0x2029, 0x202a...0x202e, 0x2066...0x2069:
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  default: return nil
  }
}

/// Foreign text for a terminal: the characters that would act on it are escaped, except tabs where
/// they are kept.
package func shown(_ text: String, keepingTabs: Bool = false) -> String {
  func escape(of scalar: Unicode.Scalar) -> String? {
    // Most characters, without a call.
    if (0x20..<0x7f).contains(scalar.value) || keepingTabs && scalar == "\t" { return nil }
    return shownEscape(of: scalar)
  }
  guard text.unicodeScalars.contains(where: { escape(of: $0) != nil }) else { return text }
  return escaped(text.unicodeScalars, by: escape)
}

/// Foreign text for a message: quoted, with control characters escaped, and shortened when long.
package func quoted(_ text: some StringProtocol) -> String {
  let shown = escaped(text.unicodeScalars.prefix(200), by: shownEscape)
  return "'" + shown + (text.unicodeScalars.count > 200 ? "…'" : "'")
}

/// Text in which some characters are written in another way.
///
/// - Parameter escape: what stands for a character; `nil` for one that stays.
package func escaped(
  _ scalars: some Sequence<Unicode.Scalar>, by escape: (Unicode.Scalar) -> String?
) -> String {
  var out = ""
  for scalar in scalars {
    if let escape = escape(scalar) {
      out += escape
    } else {
      out.unicodeScalars.append(scalar)
    }
  }
  return out
}
