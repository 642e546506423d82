/// Reads Java's syntax of regular expressions.
struct RegularExpressionParser {
  private let pattern: String
  let scalars: [UInt32]
  var index = 0
  var depth = 0
  private(set) var groupCount = 0
  private(set) var names: [String: Int] = [:]

  private struct Flags {
    var ignoresCase = false
    var isMultiline = false
    var dotMatchesAll = false
    var isCommented = false
  }

  private var flags = Flags()

  init(_ pattern: String) {
    self.pattern = pattern
    scalars = pattern.unicodeScalars.map(\.value)
  }

  typealias Node = RegularExpression.Node

  mutating func parse() throws(ValueFailure) -> Node {
    let node = try alternatives()
    guard index == scalars.count else { throw invalid("Unmatched closing ')'") }
    return node
  }

  func invalid(_ what: String) -> ValueFailure {
    .invalid("\(what) near index \(min(index, scalars.count)) \(pattern)")
  }

  var current: Unicode.Scalar? {
    index < scalars.count ? Unicode.Scalar(scalars[index]) : nil
  }

  func follows(_ text: String) -> Bool {
    let wanted = text.unicodeScalars.map(\.value)
    return index + wanted.count <= scalars.count
      && scalars[index..<index + wanted.count].elementsEqual(wanted)
  }

  mutating func take(_ text: String) -> Bool {
    guard follows(text) else { return false }
    index += text.unicodeScalars.count
    return true
  }

  private mutating func alternatives() throws(ValueFailure) -> Node {
    depth += 1
    defer { depth -= 1 }
    guard depth < 100 else { throw .unsupported("The regular expression is nested too deeply") }
    let kept = flags
    defer { flags = kept }
    var choices = [try sequence()]
    while take("|") { choices.append(try sequence()) }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  private mutating func sequence() throws(ValueFailure) -> Node {
    var nodes: [Node] = []
    while let character = current, character != "|", character != ")" {
      if flags.isCommented, skipComment() { continue }
      guard let atom = try atom() else { continue }
      nodes.append(try quantified(atom))
    }
    return nodes.count == 1 ? nodes[0] : .sequence(nodes)
  }

  private mutating func skipComment() -> Bool {
    guard let character = current else { return false }
    if character.properties.isWhitespace {
      index += 1
      return true
    }
    guard character == "#" else { return false }
    while let character = current, character != "\n" { index += 1 }
    return true
  }

  private mutating func quantified(_ atom: Node) throws(ValueFailure) -> Node {
    var node = atom
    while true {
      var least = 0
      var most: Int?
      if take("?") {
        most = 1
      } else if take("+") {
        least = 1
      } else if !take("*") {
        guard let bounds = try bounds() else { return node }
        least = bounds.0
        most = bounds.1
      }
      let mode: RegularExpression.Mode = take("?") ? .lazy : take("+") ? .possessive : .greedy
      node = .repetition(node, least: least, most: most, mode: mode)
    }
  }

  /// `{n}`, `{n,}`, `{n,m}`
  private mutating func bounds() throws(ValueFailure) -> (Int, Int?)? {
    guard take("{") else { return nil }
    guard let least = number() else { throw invalid("Illegal repetition") }
    var most: Int? = least
    if take(",") {
      most = number()
      if let most, most < least { throw invalid("Illegal repetition range") }
    }
    guard take("}") else { throw invalid("Unclosed counted closure") }
    return (least, most)
  }

  private mutating func number() -> Int? {
    var digits = ""
    while let character = current, ("0"..."9").contains(character), digits.count < 6 {
      digits.unicodeScalars.append(character)
      index += 1
    }
    return Int(digits)
  }

  /// One element; nil for what only sets flags.
  private mutating func atom() throws(ValueFailure) -> Node? {
    guard let character = current else { return nil }
    index += 1
    switch character {
    case "(": return try group()
    case "[": return .set(folded(try bracket()))
    case ".": return .set(flags.dotMatchesAll ? .everything : .inverted(ScalarSet.lineEnds))
    case "^": return .assertion(flags.isMultiline ? .lineStart : .start)
    case "$": return .assertion(flags.isMultiline ? .lineEnd : .endBeforeLastLine)
    case "\\": return try escape()
    case "*", "+", "?":
      index -= 1
      throw invalid("Dangling meta character '\(character)'")
    case "{":
      index -= 1
      throw invalid("Illegal repetition")
    default: return .set(folded(.range(character.value, character.value)))
    }
  }

  private func folded(_ set: ScalarSet) -> ScalarSet {
    guard flags.ignoresCase else { return set }
    var letters: [ScalarSet] = [set]
    for letter in UInt32(97)..<123 {
      let other = letter - 32
      let hasLower = set.contains(letter)
      let hasUpper = set.contains(other)
      if hasLower != hasUpper {
        letters.append(hasLower ? .range(other, other) : .range(letter, letter))
      }
    }
    return letters.count == 1 ? set : .union(letters)
  }

  // MARK: Groups

  private mutating func group() throws(ValueFailure) -> Node? {
    if !take("?") { return try closed(capture: nil) }
    if take(":") { return try inside() }
    if take(">") { return .atomic(try inside()) }
    if take("=") { return .look(try inside(), isBehind: false, isNegated: false) }
    if take("!") { return .look(try inside(), isBehind: false, isNegated: true) }
    if take("<=") { return .look(try inside(), isBehind: true, isNegated: false) }
    if take("<!") { return .look(try inside(), isBehind: true, isNegated: true) }
    if take("<") {
      var name = ""
      while let character = current, character != ">" {
        guard character.isASCII,
          character.properties.isAlphabetic || ("0"..."9").contains(character)
        else { throw invalid("Illegal group name") }
        name.unicodeScalars.append(character)
        index += 1
      }
      guard take(">"), name.first?.isLetter == true else { throw invalid("Unclosed group name") }
      return try closed(capture: name)
    }
    return try flagGroup()
  }

  private mutating func closed(capture name: String?) throws(ValueFailure) -> Node {
    groupCount += 1
    let number = groupCount
    if let name {
      guard names[name] == nil else {
        throw invalid("Named capturing group <\(name)> is already defined")
      }
      names[name] = number
    }
    return .group(try inside(), index: number)
  }

  private mutating func inside() throws(ValueFailure) -> Node {
    let node = try alternatives()
    guard take(")") else { throw invalid("Unclosed group") }
    return node
  }

  /// `(?i)` for what follows, `(?i:...)` for what is inside.
  private mutating func flagGroup() throws(ValueFailure) -> Node? {
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
      case ")": return nil
      case ":":
        let node = try inside()
        flags = kept
        return node
      case "u", "d", "U":
        throw .unsupported("The flag \(character) of regular expressions is not supported")
      default: throw invalid("Unknown inline modifier")
      }
    }
    throw invalid("Unknown group type")
  }

  // MARK: Escapes

  private mutating func escape() throws(ValueFailure) -> Node? {
    guard let character = current else { throw invalid("Unexpected internal error") }
    index += 1
    switch character {
    case "b": return .assertion(.boundary)
    case "B": return .assertion(.noBoundary)
    case "A": return .assertion(.start)
    case "z": return .assertion(.end)
    case "Z": return .assertion(.endBeforeLastLine)
    case "Q": return quotation()
    case "E": return nil
    case "k":
      guard take("<") else { throw invalid("\\k is not followed by '<' for named capturing group") }
      var name = ""
      while let character = current, character != ">" {
        name.unicodeScalars.append(character)
        index += 1
      }
      guard take(">"), let number = names[name] else {
        throw invalid("named capturing group <\(name)> does not exist")
      }
      return .reference(number, ignoresCase: flags.ignoresCase)
    case "1"..."9":
      var number = Int(character.value - 48)
      while let next = current, ("0"..."9").contains(next) {
        let longer = number * 10 + Int(next.value - 48)
        guard longer <= groupCount else { break }
        number = longer
        index += 1
      }
      return .reference(number, ignoresCase: flags.ignoresCase)
    case "R":
      let pair = Node.sequence([.set(.range(13, 13)), .set(.range(10, 10))])
      return .choice([pair, .set(.category(.verticalSpace))])
    case "G", "X": throw .unsupported("\\\(character) is not supported in regular expressions")
    default:
      index -= 1
      return .set(folded(try escapedSet()))
    }
  }

  private mutating func quotation() -> Node {
    var nodes: [Node] = []
    while index < scalars.count, !take("\\E") {
      nodes.append(.set(folded(.range(scalars[index], scalars[index]))))
      index += 1
    }
    return .sequence(nodes)
  }

  /// What follows a backslash, in brackets and outside them.
  mutating func escapedSet() throws(ValueFailure) -> ScalarSet {
    guard let character = current else { throw invalid("Illegal escape sequence") }
    index += 1
    switch character {
    case "d": return .category(.digit)
    case "D": return .inverted(.category(.digit))
    case "w": return .category(.word)
    case "W": return .inverted(.category(.word))
    case "s": return .category(.space)
    case "S": return .inverted(.category(.space))
    case "h": return .category(.horizontalSpace)
    case "H": return .inverted(.category(.horizontalSpace))
    case "v": return .category(.verticalSpace)
    case "V": return .inverted(.category(.verticalSpace))
    case "p": return try property()
    case "P": return .inverted(try property())
    default:
      index -= 1
      let scalar = try escapedScalar()
      return .range(scalar, scalar)
    }
  }

  private mutating func property() throws(ValueFailure) -> ScalarSet {
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
    if name == "ASCII" { return .range(0, 127) }
    if name == "Alnum" { return .union([.category(.alpha), .category(.digit)]) }
    if name == "XDigit" { return .union([.category(.digit), .range(65, 70), .range(97, 102)]) }
    if name == "Blank" { return .union([.range(32, 32), .range(9, 9)]) }
    if name == "Print" { return .range(32, 126) }
    guard let category = ScalarSet.Category(property: name) else {
      throw .unsupported("The character property {\(name)} is not supported")
    }
    return .category(category)
  }

  mutating func escapedScalar() throws(ValueFailure) -> UInt32 {
    guard let character = current else { throw invalid("Illegal escape sequence") }
    index += 1
    switch character {
    case "t": return 9
    case "n": return 10
    case "r": return 13
    case "f": return 12
    case "a": return 7
    case "e": return 27
    case "0": return try code(radix: 8, least: 1, most: 3)
    case "x":
      guard take("{") else { return try code(radix: 16, least: 2, most: 2) }
      let value = try code(radix: 16, least: 1, most: 6)
      guard take("}"), value <= 0x10FFFF else {
        throw invalid("Unclosed hexadecimal escape sequence")
      }
      return value
    case "u": return try code(radix: 16, least: 4, most: 4)
    case "c":
      guard let next = current else { throw invalid("Illegal control escape sequence") }
      index += 1
      return next.value ^ 64
    default:
      let isLetter = character.isASCII && character.properties.isAlphabetic
      guard !isLetter else { throw invalid("Illegal/unsupported escape sequence") }
      return character.value
    }
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
}
