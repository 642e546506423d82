extension IngestionSpec.Metric {
  /// What a message's field adds; text counts when it is a number, with commas or without.
  func cell(of value: FieldValue) throws(NoNumber) -> NumberCell {
    var value = value
    if case .text(let text) = value {
      let plain = text.filter { $0 != "," }
      if let whole = FieldValue.exactLong(plain) {
        value = .long(whole)
      } else if let real = FieldValue.javaDouble(plain) {
        value = .double(real)
      } else {
        throw NoNumber()
      }
    }
    if kind == .long { return try value.asLong().map { .long($0) } ?? .null }
    guard let number = try value.asDouble() else { return .null }
    return .double(kind == .float ? Double(Float(number)) : number)
  }

  func combine(_ old: NumberCell, _ new: NumberCell) -> NumberCell {
    switch (old, new) {
    case (.null, _): return new
    case (_, .null): return old
    case (.long(let old), .long(let new)):
      switch function {
      case .count, .sum: return .long(old &+ new)
      case .least: return .long(min(old, new))
      case .greatest: return .long(max(old, new))
      }
    case (.double(let old), .double(let new)):
      let result =
        switch function {
        case .count, .sum: old + new
        case .least: min(old, new)
        case .greatest: max(old, new)
        }
      return .double(kind == .float ? Double(Float(result)) : result)
    default: return old
    }
  }
}
