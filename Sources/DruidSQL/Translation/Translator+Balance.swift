extension Translator {
  /// A chain of AND or OR as a tree of little height: SQLite refuses expressions more than a thousand levels high, and
  /// reads a plain chain as one level each.
  static func balanced(_ parts: ArraySlice<String>, _ name: String) -> String {
    guard parts.count > 64 else { return "(" + parts.joined(separator: " \(name) ") + ")" }
    let middle = parts.startIndex + parts.count / 2
    return "(\(balanced(parts[..<middle], name)) \(name) \(balanced(parts[middle...], name)))"
  }
}
