/// Translates a Java regular expression to an equivalent one for PCRE2.
///
/// Every element of the pattern is parsed and written anew. Elements that mean something else in
/// PCRE2 (`.`, `$`, `\b`, `[a&&b]`, `(?i)`, properties) are written in other words, and elements
/// without an equivalent are refused.
struct JavaPattern {
  private let pattern: String
  private let scalars: [Unicode.Scalar]
  private var index = 0
  private var depth = 0
  /// The rewritten pattern.
  private(set) var text = ""
  private(set) var groupCount = 0
  private(set) var names: [String: Int] = [:]

  private struct Flags {
    var ignoresCase = false
    var isMultiline = false
    var dotMatchesAll = false
    var isCommented = false
  }

  private var flags = Flags()

  private static let depthLimit = 100
  /// The callout at which the matcher checks whether the query may continue. It is placed where a
  /// match may start and after every unbounded repetition, which bounds the work between two
  /// checks.
  static let callout = "(?C1)"
  private static let lineEnds = "\\n\\r\\x{85}\\x{2028}\\x{2029}"
  /// Excludes the position inside `\r\n`, where neither `^` nor `$` matches.
  private static let notInsidePair = "(?!(?<=\\r)\\n)"
  private static let anyCharacter = "[\\x{0}-\\x{10ffff}]"
  /// The word characters of `\b`, which are more than those of `\w`.
  private static let word = "[\\p{L}\\p{Nd}_]"

  /// - Throws: `invalid` when Java refuses the pattern, `unsupported` when PCRE2 has no equivalent.
  init(_ pattern: String) throws(ValueFailure) {
    self.pattern = pattern
    scalars = Array(pattern.unicodeScalars)
    try alternatives()
    guard index == scalars.count else { throw invalid("Unmatched closing ')'") }
  }

  private func invalid(_ what: String) -> ValueFailure {
    .invalid("\(what) near index \(min(index, scalars.count)) \(pattern)")
  }

  private var current: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

  private mutating func take(_ wanted: String) -> Bool {
    let wanted = wanted.unicodeScalars
    guard index + wanted.count <= scalars.count,
      scalars[index..<index + wanted.count].elementsEqual(wanted)
    else { return false }
    index += wanted.count
    return true
  }

  private mutating func alternatives() throws(ValueFailure) {
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.depthLimit else {
      throw .unsupported("The regular expression is nested too deeply")
    }
    let kept = flags
    defer { flags = kept }
    try sequence()
    while take("|") {
      text += "|"
      try sequence()
    }
  }

  private mutating func sequence() throws(ValueFailure) {
    while let character = current, character != "|", character != ")" {
      if flags.isCommented, skipComment() { continue }
      if try atom() { try quantifiers() }
    }
  }

  private mutating func skipComment() -> Bool {
    guard let character = current else { return false }
    if character.isJavaSpace {
      index += 1
      return true
    }
    guard character == "#" else { return false }
    while let character = current, character != "\n" { index += 1 }
    return true
  }

  // MARK: Repetition

  private mutating func quantifiers() throws(ValueFailure) {
    if flags.isCommented { while skipComment() {} }
    var isBounded = false
    if take("?") {
      text += "?"
      isBounded = true
    } else if take("*") {
      text += "*"
    } else if take("+") {
      text += "+"
    } else if take("{") {
      let bounds = try bounds()
      text += bounds
      isBounded = !bounds.hasSuffix(",}")
    } else {
      return
    }
    if take("?") {
      text += "?"
    } else if take("+") {
      text += "+"
    }
    if !isBounded { text += Self.callout }
    // In Java, a second repetition has no effect.
    if current == "{" { throw .unsupported("Two repetitions of one element are not supported") }
  }

  /// `{n}`, `{n,}`, `{n,m}`
  private mutating func bounds() throws(ValueFailure) -> String {
    guard let least = number() else { throw invalid("Illegal repetition") }
    var bounds = "{\(least)"
    if take(",") {
      bounds += ","
      if let most = number() {
        guard most >= least else { throw invalid("Illegal repetition range") }
        bounds += "\(most)"
      }
    }
    guard take("}") else { throw invalid("Unclosed counted closure") }
    return bounds + "}"
  }

  private mutating func number() -> Int? {
    var digits = ""
    while let character = current, character.isDigit, digits.count < 9 {
      digits.unicodeScalars.append(character)
      index += 1
    }
    return Int(digits)
  }

  // MARK: Elements

  /// Writes one element. False for an element that only sets flags or is empty, and so cannot be
  /// repeated.
  private mutating func atom() throws(ValueFailure) -> Bool {
    guard let character = current else { return false }
    index += 1
    switch character {
    case "(": return try group()
    case "[": text += try bracket()
    case ".": text += flags.dotMatchesAll ? Self.anyCharacter : "[^\(Self.lineEnds)]"
    case "^":
      text +=
        flags.isMultiline
        ? "(?:(?:\\A|(?<=[\(Self.lineEnds)])\(Self.notInsidePair))(?!\\z))" : "\\A"
    case "$":
      text +=
        flags.isMultiline
        ? "(?:(?=\\z|[\(Self.lineEnds)])\(Self.notInsidePair))" : Self.endBeforeLastLine
    case "\\": return try escape()
    case "*", "+", "?":
      index -= 1
      throw invalid("Dangling meta character '\(character)'")
    case "{":
      index -= 1
      throw invalid("Illegal repetition")
    default: text += literal(character)
    }
    return true
  }

  private static let endBeforeLastLine =
    "(?:\(notInsidePair)(?=(?:\\r\\n|[\(lineEnds)])?\\z))"

  /// A literal character outside brackets.
  private func literal(_ character: Unicode.Scalar) -> String {
    guard flags.ignoresCase, let other = character.otherCase else {
      return Self.escaped(character)
    }
    return "[\(character)\(other)]"
  }

  private static func escaped(_ character: Unicode.Scalar) -> String {
    if character.isLetter || character.isDigit || (character.value >= 0xA0) {
      return String(character)
    }
    return "\\x{\(String(character.value, radix: 16))}"
  }

  // MARK: Groups

  private mutating func group() throws(ValueFailure) -> Bool {
    guard take("?") else {
      try captured(nil)
      return true
    }
    for opening in [":", ">", "=", "!", "<=", "<!"] where take(opening) {
      text += "(?" + opening
      try inside()
      return true
    }
    guard take("<") else { return try flagGroup() }
    guard let name = try name(), take(">") else { throw invalid("Unclosed group name") }
    try captured(name)
    return true
  }

  /// Parses a group's name; nil when it does not start with a letter.
  private mutating func name() throws(ValueFailure) -> String? {
    var name = ""
    while let character = current, character != ">" {
      guard character.isLetter || character.isDigit else { throw invalid("Illegal group name") }
      name.unicodeScalars.append(character)
      index += 1
    }
    return name.unicodeScalars.first?.isLetter == true ? name : nil
  }

  private mutating func captured(_ name: String?) throws(ValueFailure) {
    groupCount += 1
    if let name {
      guard names[name] == nil else {
        throw invalid("Named capturing group <\(name)> is already defined")
      }
      names[name] = groupCount
    }
    text += "("
    try inside()
  }

  private mutating func inside() throws(ValueFailure) {
    try alternatives()
    guard take(")") else { throw invalid("Unclosed group") }
    text += ")"
  }

  /// Parses `(?i)`, which applies to the rest of the group, or `(?i:...)`, which applies to its
  /// contents.
  private mutating func flagGroup() throws(ValueFailure) -> Bool {
    var isOn = true
    let kept = flags
    while let character = current {
      index += 1
      switch character {
      case "-": isOn = false
      case "i": flags.ignoresCase = isOn
      case "m": flags.isMultiline = isOn
      case "s": flags.dotMatchesAll = isOn
      case "x": flags.isCommented = isOn
      case ")": return false
      case ":":
        text += "(?:"
        try inside()
        flags = kept
        return true
      case "u", "d", "U":
        throw .unsupported("The flag \(character) of regular expressions is not supported")
      default: throw invalid("Unknown inline modifier")
      }
    }
    throw invalid("Unknown group type")
  }

  // MARK: Escapes

  private mutating func escape() throws(ValueFailure) -> Bool {
    guard let character = current else { throw invalid("Unexpected internal error") }
    index += 1
    let word = Self.word
    switch character {
    case "b": text += "(?:(?<=\(word))(?!\(word))|(?<!\(word))(?=\(word)))"
    case "B": text += "(?:(?<=\(word))(?=\(word))|(?<!\(word))(?!\(word)))"
    case "A": text += "\\A"
    case "z": text += "\\z"
    case "Z": text += Self.endBeforeLastLine
    case "Q": return quotation()
    case "E": return false
    case "R": text += "(?:\\r\\n|[\\n\\x{b}\\x{c}\\r\\x{85}\\x{2028}\\x{2029}])"
    case "k":
      guard take("<") else { throw invalid("\\k is not followed by '<' for named capturing group") }
      guard let name = try name(), take(">"), let number = names[name] else {
        throw invalid("named capturing group does not exist")
      }
      try reference(number)
    case "1"..."9":
      var number = Int(character.value - 48)
      while let next = current, next.isDigit, number * 10 + Int(next.value - 48) <= groupCount {
        number = number * 10 + Int(next.value - 48)
        index += 1
      }
      try reference(number)
    case "G", "X", "N":
      throw .unsupported("\\\(character) is not supported in regular expressions")
    default:
      index -= 1
      switch try escaped() {
      case .character(let character): text += literal(character)
      case .set(let set): text += "[\(set)]"
      case .complement(let set): text += "[^\(set)]"
      }
    }
    return true
  }

  /// Writes a back reference. A group that does not exist (yet) never matches.
  private mutating func reference(_ number: Int) throws(ValueFailure) {
    if flags.ignoresCase {
      throw .unsupported("A back reference that ignores case is not supported")
    }
    text += number <= groupCount ? "\\g{\(number)}" : "(?!)"
  }

  private mutating func quotation() -> Bool {
    var isEmpty = true
    while index < scalars.count, !take("\\E") {
      text += literal(scalars[index])
      index += 1
      isEmpty = false
    }
    return !isEmpty
  }

  private enum Escaped {
    case character(Unicode.Scalar)
    /// A character set that can also be used in brackets.
    case set(String)
    case complement(String)
  }

  /// Parses an escape after its backslash, inside or outside brackets.
  private mutating func escaped() throws(ValueFailure) -> Escaped {
    guard let character = current else { throw invalid("Illegal escape sequence") }
    index += 1
    switch character {
    case "d", "D", "w", "W", "s", "S", "h", "H", "v", "V": return .set("\\\(character)")
    case "p": return .set(try property())
    case "P": return .complement(try property())
    default:
      index -= 1
      return .character(try escapedScalar())
    }
  }

  private mutating func property() throws(ValueFailure) -> String {
    var name = ""
    if take("{") {
      while let character = current, character != "}" {
        name.unicodeScalars.append(character)
        index += 1
      }
      guard take("}") else { throw invalid("Unclosed character family") }
    } else if let character = current {
      name.unicodeScalars.append(character)
      index += 1
    }
    guard let set = Self.properties[name] ?? Self.category(name) else {
      throw .unsupported("The character property {\(name)} is not supported")
    }
    return set
  }

  private static let properties = [
    "Lower": "a-z", "Upper": "A-Z", "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9",
    "Punct": "!-/:-@\\[-`{-~", "Graph": "!-~", "Print": "\\x{20}-~", "Blank": "\\x{20}\\t",
    "Cntrl": "\\x{0}-\\x{1f}\\x{7f}", "XDigit": "0-9a-fA-F", "Space": "\\s",
    "ASCII": "\\x{0}-\\x{7f}", "IsAlphabetic": "\\p{Alphabetic}", "IsLetter": "\\p{L}",
    "IsUppercase": "\\p{Uppercase}", "IsLowercase": "\\p{Lowercase}", "IsDigit": "\\p{Nd}",
    "IsPunctuation": "\\p{P}", "IsWhite_Space": "\\p{White_Space}",
    "IsIdeographic": "\\p{Ideographic}",
  ]

  /// A general category (`Lu`, `IsLu`) or a script (`IsGreek`).
  private static func category(_ name: String) -> String? {
    let isMarked = name.hasPrefix("Is")
    let bare = isMarked ? String(name.dropFirst(2)) : name
    guard !bare.isEmpty, bare.unicodeScalars.allSatisfy({ $0.isLetter || $0 == "_" }) else {
      return nil
    }
    if bare.count <= 2 {
      let isCategory = "LMNPSZC".unicodeScalars.contains(bare.unicodeScalars[bare.startIndex])
      return isCategory ? "\\p{\(bare)}" : nil
    }
    return isMarked ? "\\p{sc:\(bare)}" : nil
  }

  private mutating func escapedScalar() throws(ValueFailure) -> Unicode.Scalar {
    guard let character = current else { throw invalid("Illegal escape sequence") }
    index += 1
    switch character {
    case "t": return "\t"
    case "n": return "\n"
    case "r": return "\r"
    case "f": return "\u{c}"
    case "a": return "\u{7}"
    case "e": return "\u{1b}"
    case "0":
      let least = current.map { $0.value <= 51 } == true ? 3 : 2
      return try scalar(try code(radix: 8, least: 1, most: least))
    case "x":
      guard take("{") else { return try scalar(try code(radix: 16, least: 2, most: 2)) }
      let value = try code(radix: 16, least: 1, most: 6)
      guard take("}"), value <= 0x10FFFF else {
        throw invalid("Unclosed hexadecimal escape sequence")
      }
      return try scalar(value)
    case "u":
      let unit = try code(radix: 16, least: 4, most: 4)
      guard unit &- 0xD800 < 0x400, take("\\u") else { return try scalar(unit) }
      let low = try code(radix: 16, least: 4, most: 4)
      guard low &- 0xDC00 < 0x400 else { return try scalar(unit) }
      return try scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
    case "c":
      guard let next = current else { throw invalid("Illegal control escape sequence") }
      index += 1
      return try scalar(next.value ^ 64)
    default:
      guard !character.isLetter else { throw invalid("Illegal/unsupported escape sequence") }
      return character
    }
  }

  private func scalar(_ value: UInt32) throws(ValueFailure) -> Unicode.Scalar {
    guard let scalar = Unicode.Scalar(value) else {
      throw .unsupported("Half of a surrogate pair in a regular expression is not supported")
    }
    return scalar
  }

  private mutating func code(radix: Int, least: Int, most: Int) throws(ValueFailure) -> UInt32 {
    var digits = ""
    while digits.count < most, let character = current,
      character.isASCII, Int(String(character), radix: radix) != nil
    {
      digits.unicodeScalars.append(character)
      index += 1
    }
    guard digits.count >= least, let value = UInt32(digits, radix: radix) else {
      throw invalid("Illegal escape sequence")
    }
    return value
  }

  // MARK: Brackets

  /// A union of PCRE2 sets, and of complete expressions that match one character.
  private struct CharacterUnion {
    var members = ""
    var expressions: [String] = []

    var isEmpty: Bool { members.isEmpty && expressions.isEmpty }

    var expression: String {
      if expressions.isEmpty { return "[\(members)]" }
      let all = (members.isEmpty ? [] : ["[\(members)]"]) + expressions
      return all.count == 1 ? all[0] : "(?>" + all.joined(separator: "|") + ")"
    }
  }

  /// Parses a set after its `[`, and returns an expression for one character.
  private mutating func bracket() throws(ValueFailure) -> String {
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.depthLimit else {
      throw .unsupported("The regular expression is nested too deeply")
    }
    let isNegated = take("^")
    var parts: [CharacterUnion] = []
    var union = CharacterUnion()
    while true {
      if flags.isCommented { while skipComment() {} }
      guard let character = current else { throw invalid("Unclosed character class") }
      if character == "]", !(union.isEmpty && parts.isEmpty) {
        index += 1
        break
      }
      if take("&&") {
        if !union.isEmpty { parts.append(union) }
        union = CharacterUnion()
      } else if take("[") {
        union.expressions.append(try bracket())
      } else {
        try member(of: &union)
      }
    }
    if !union.isEmpty { parts.append(union) }
    guard let last = parts.popLast() else { throw invalid("Bad class syntax") }
    if parts.isEmpty, last.expressions.isEmpty {
      return isNegated ? "[^\(last.members)]" : "[\(last.members)]"
    }
    let others = parts.map { "(?=\($0.expression))" }.joined()
    let whole = parts.isEmpty ? last.expression : "(?>\(others)\(last.expression))"
    return isNegated ? "(?>(?!\(whole))\(Self.anyCharacter))" : whole
  }

  private mutating func member(of union: inout CharacterUnion) throws(ValueFailure) {
    let low: Unicode.Scalar
    if take("\\Q") {
      while index < scalars.count, !take("\\E") {
        union.members += range(scalars[index], scalars[index])
        index += 1
      }
      return
    }
    if take("\\") {
      switch try escaped() {
      case .set(let set):
        union.members += set
        return
      case .complement(let set):
        union.expressions.append("[^\(set)]")
        return
      case .character(let character): low = character
      }
    } else {
      low = scalars[index]
      index += 1
    }
    guard current == "-", index + 1 < scalars.count, scalars[index + 1] != "]",
      scalars[index + 1] != "["
    else {
      union.members += range(low, low)
      return
    }
    index += 1
    let high: Unicode.Scalar
    if take("\\") {
      high = try escapedScalar()
    } else {
      high = scalars[index]
      index += 1
    }
    guard low <= high else { throw invalid("Illegal character range") }
    union.members += range(low, high)
  }

  /// The range from `low` to `high`. When case is ignored, it includes the other case of its ASCII
  /// letters.
  private func range(_ low: Unicode.Scalar, _ high: Unicode.Scalar) -> String {
    let lowText = Self.escaped(low)
    var text = low == high ? lowText : "\(lowText)-\(Self.escaped(high))"
    guard flags.ignoresCase else { return text }
    for letter in 65...UInt32(90) {
      let upper = Unicode.Scalar(UInt8(letter))
      let lower = Unicode.Scalar(UInt8(letter + 32))
      if (low...high).contains(upper) { text += String(lower) }
      if (low...high).contains(lower) { text += String(upper) }
    }
    return text
  }
}

extension Unicode.Scalar {
  fileprivate var isLetter: Bool { (value | 32) &- 97 < 26 }
  fileprivate var isDigit: Bool { value &- 48 < 10 }
  /// Whether a pattern with comments ignores it as white space.
  fileprivate var isJavaSpace: Bool { value == 32 || value &- 9 < 5 }

  /// The other case of an ASCII letter.
  fileprivate var otherCase: Unicode.Scalar? { isLetter ? Unicode.Scalar(value ^ 32) : nil }
}
