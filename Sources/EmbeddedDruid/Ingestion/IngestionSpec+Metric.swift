extension IngestionSpec.Metric {
  /// Whether its value depends on the rows' times.
  var isOfMoment: Bool { function == .first || function == .last }

  /// The cell of a message's field. A text counts if it is a number, with or without commas.
  func cell(of value: FieldValue) throws(NoNumber) -> StoredCell {
    var value = value
    if kind == .string {
      // Druid limits the length of a stored text.
      return value.javaText.map {
        .text(String(decoding: Array($0.utf16.prefix(1024)), as: UTF16.self))
      } ?? .null
    }
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

  /// - Parameter takesNew: whether a first or last metric takes the new value, which depends on the
  ///   times of the two.
  func combine(_ old: StoredCell, _ new: StoredCell, takesNew: Bool) -> StoredCell {
    if isOfMoment { return takesNew ? new : old }
    switch (old, new) {
    case (.null, _): return new
    case (_, .null): return old
    case (.long(let old), .long(let new)):
      switch function {
      case .count, .sum: return .long(old &+ new)
      case .least: return .long(min(old, new))
      case .greatest: return .long(max(old, new))
      case .first, .last: return .long(old)
      }
    case (.double(let old), .double(let new)):
      let result =
        switch function {
        case .count, .sum: old + new
        case .least: min(old, new)
        case .greatest: max(old, new)
        case .first, .last: old
        }
      return .double(kind == .float ? Double(Float(result)) : result)
    default: return old
    }
  }
}
