/// A set of characters of a regular expression: what stands in brackets, or a class such as `\d`.
indirect enum ScalarSet: Sendable {
  case range(UInt32, UInt32)
  case category(Category)
  case union([ScalarSet])
  case intersection([ScalarSet])
  case inverted(ScalarSet)

  enum Category: Sendable {
    case digit
    case word
    case space
    case horizontalSpace
    case verticalSpace
    case lower
    case upper
    case alpha
    case punctuation
    case graph
    case control
    case unicodeLetter
    case unicodeUpper
    case unicodeLower
    case unicodeDigit
    case unicodeNumber
    case unicodePunctuation
    case unicodeSpace
    case unicodeSymbol
  }

  /// What a dot leaves out unless it matches everything.
  static let lineEnds = ScalarSet.union([
    .range(10, 10), .range(13, 13), .range(0x85, 0x85), .range(0x2028, 0x2029),
  ])

  static let everything = ScalarSet.range(0, 0x10FFFF)

  func contains(_ scalar: UInt32) -> Bool {
    switch self {
    case .range(let low, let high): low <= scalar && scalar <= high
    case .category(let category): category.contains(scalar)
    case .union(let sets): sets.contains { $0.contains(scalar) }
    case .intersection(let sets): sets.allSatisfy { $0.contains(scalar) }
    case .inverted(let set): !set.contains(scalar)
    }
  }
}

extension ScalarSet.Category {
  func contains(_ scalar: UInt32) -> Bool {
    let isLower = scalar &- 97 < 26
    let isUpper = scalar &- 65 < 26
    let isDigit = scalar &- 48 < 10
    switch self {
    case .digit: return isDigit
    case .word: return isLower || isUpper || isDigit || scalar == 95
    case .space: return scalar == 32 || scalar &- 9 < 5
    case .horizontalSpace:
      return [9, 32, 0xA0, 0x1680, 0x180E, 0x202F, 0x205F, 0x3000].contains(scalar)
        || scalar &- 0x2000 < 11
    case .verticalSpace: return scalar &- 10 < 4 || [0x85, 0x2028, 0x2029].contains(scalar)
    case .lower: return isLower
    case .upper: return isUpper
    case .alpha: return isLower || isUpper
    case .punctuation: return scalar > 32 && scalar < 127 && !(isLower || isUpper || isDigit)
    case .graph: return scalar > 32 && scalar < 127
    case .control: return scalar < 32 || scalar == 127
    default: return Unicode.Scalar(scalar).map { containsUnicode($0.properties) } ?? false
    }
  }

  private func containsUnicode(_ properties: Unicode.Scalar.Properties) -> Bool {
    let category = properties.generalCategory
    switch self {
    case .unicodeLetter:
      return [
        .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      ].contains(category)
    case .unicodeUpper: return category == .uppercaseLetter
    case .unicodeLower: return category == .lowercaseLetter
    case .unicodeDigit: return category == .decimalNumber
    case .unicodeNumber:
      return [.decimalNumber, .letterNumber, .otherNumber].contains(category)
    case .unicodePunctuation:
      return [
        .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
        .initialPunctuation, .finalPunctuation, .otherPunctuation,
      ].contains(category)
    case .unicodeSymbol:
      return [.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol].contains(category)
    default: return properties.isWhitespace
    }
  }

  /// What `\p{NAME}` means; nil for a name that is not known for certain.
  init?(property name: String) {
    switch name {
    case "Lower": self = .lower
    case "Upper": self = .upper
    case "Alpha": self = .alpha
    case "Digit": self = .digit
    case "Punct": self = .punctuation
    case "Graph": self = .graph
    case "Cntrl": self = .control
    case "Space": self = .space
    case "L", "IsL", "IsAlphabetic", "IsLetter": self = .unicodeLetter
    case "Lu", "IsLu", "IsUppercase": self = .unicodeUpper
    case "Ll", "IsLl", "IsLowercase": self = .unicodeLower
    case "Nd", "IsNd", "IsDigit": self = .unicodeDigit
    case "N", "IsN": self = .unicodeNumber
    case "P", "IsP", "IsPunctuation": self = .unicodePunctuation
    case "S", "IsS": self = .unicodeSymbol
    case "IsWhite_Space": self = .unicodeSpace
    default: return nil
    }
  }
}
