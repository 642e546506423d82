extension RegularExpressionParser {
  /// What follows `[`.
  mutating func bracket() throws(ValueFailure) -> ScalarSet {
    depth += 1
    defer { depth -= 1 }
    guard depth < 100 else { throw .unsupported("The regular expression is nested too deeply") }
    let isNegated = take("^")
    var parts: [ScalarSet] = []
    var sets: [ScalarSet] = []
    var isFirst = true
    while true {
      guard let character = current else { throw invalid("Unclosed character class") }
      if character == "]", !isFirst {
        index += 1
        break
      }
      isFirst = false
      if take("&&") {
        parts.append(.union(sets))
        sets = []
      } else if take("[") {
        sets.append(try bracket())
      } else {
        sets.append(try member())
      }
    }
    parts.append(.union(sets))
    let whole = parts.count == 1 ? parts[0] : ScalarSet.intersection(parts)
    return isNegated ? .inverted(whole) : whole
  }

  private mutating func member() throws(ValueFailure) -> ScalarSet {
    let low: UInt32
    if take("\\") {
      if take("Q") {
        var quoted: [ScalarSet] = []
        while index < scalars.count, !take("\\E") {
          quoted.append(.range(scalars[index], scalars[index]))
          index += 1
        }
        return .union(quoted)
      }
      let escaped = try escapedSet()
      guard case .range(let scalar, let same) = escaped, scalar == same else { return escaped }
      low = scalar
    } else {
      low = scalars[index]
      index += 1
    }
    guard follows("-"), index + 1 < scalars.count, scalars[index + 1] != 93,
      scalars[index + 1] != 91
    else { return .range(low, low) }
    index += 1
    let high: UInt32
    if take("\\") {
      high = try escapedScalar()
    } else {
      high = scalars[index]
      index += 1
    }
    guard low <= high else { throw invalid("Illegal character range") }
    return .range(low, high)
  }
}
