extension RegularExpression {
  /// Where a match and its groups stand, as offsets of scalars; -1 for a group that took no part.
  package struct Match: Equatable, Sendable {
    package var positions: [Int]

    package var start: Int { positions[0] }
    package var end: Int { positions[1] }

    package func range(ofGroup index: Int) -> Range<Int>? {
      let start = positions[index * 2]
      let end = positions[index * 2 + 1]
      return start >= 0 && end >= start ? start..<end : nil
    }
  }

  /// The first match at or behind `start`.
  ///
  /// - Throws: `unsupported` when it takes too many steps.
  package func firstMatch(
    in text: [UInt32], from start: Int = 0
  ) throws(ValueFailure) -> Match? {
    var matcher = Matcher(expression: self, text: text)
    var position = start
    while position <= text.count {
      if case .set(let set) = program[1] {
        while position < text.count, !matcher.holds(set, text[position]) { position += 1 }
      }
      if try matcher.run(from: 0, at: position) {
        return Match(positions: Array(matcher.registers[..<((groupCount + 1) * 2)]))
      }
      position += 1
    }
    return nil
  }

  /// REGEXP_LIKE: whether it is found anywhere.
  package func isFound(in text: String) throws(ValueFailure) -> Bool {
    try firstMatch(in: text.unicodeScalars.map(\.value)) != nil
  }

  /// REGEXP_EXTRACT: the text of a group of the first match; nil when there is none.
  package func extract(_ group: Int, of text: String) throws(ValueFailure) -> String? {
    guard (0...groupCount).contains(group) else { throw .invalid("No group \(group)") }
    let scalars = text.unicodeScalars.map(\.value)
    guard let match = try firstMatch(in: scalars) else { return nil }
    return match.range(ofGroup: group).map { Self.text(scalars[$0]) }
  }

  /// REGEXP_REPLACE: every match replaced; `$1` and `${name}` stand for groups.
  package func replacing(
    in text: String, with replacement: String
  ) throws(ValueFailure) -> String {
    let scalars = text.unicodeScalars.map(\.value)
    let template = replacement.unicodeScalars.map(\.value)
    var result: [UInt32] = []
    var position = 0
    var from = 0
    while let match = try firstMatch(in: scalars, from: from) {
      result += scalars[position..<match.start]
      result += try expansion(of: template, match, scalars)
      position = match.end
      from = match.end > match.start ? match.end : match.end + 1
      if from > scalars.count { break }
    }
    return Self.text(result + scalars[position...])
  }

  /// The pieces between the matches, as Java's split has them with a limit of -1 when `keepsEmptyTail`.
  package func split(_ text: String) throws(ValueFailure) -> [String] {
    let scalars = text.unicodeScalars.map(\.value)
    var pieces: [String] = []
    var position = 0
    var from = 0
    while let match = try firstMatch(in: scalars, from: from) {
      if match.end == 0 {
        from = 1
        if from > scalars.count { break }
        continue
      }
      if match.start == scalars.count, match.start == match.end { break }
      pieces.append(Self.text(scalars[position..<match.start]))
      position = match.end
      from = match.end > match.start ? match.end : match.end + 1
      if from > scalars.count { break }
    }
    pieces.append(Self.text(scalars[position...]))
    return pieces
  }

  static func text(_ scalars: some Sequence<UInt32>) -> String {
    var view = String.UnicodeScalarView()
    for scalar in scalars { view.append(Unicode.Scalar(scalar) ?? "\u{FFFD}") }
    return String(view)
  }

  private func expansion(
    of template: [UInt32], _ match: Match, _ text: [UInt32]
  ) throws(ValueFailure) -> [UInt32] {
    var result: [UInt32] = []
    var index = 0
    while index < template.count {
      let scalar = template[index]
      index += 1
      if scalar == 92 {
        guard index < template.count else { throw .invalid("character to be escaped is missing") }
        result.append(template[index])
        index += 1
      } else if scalar == 36 {
        let group = try groupNumber(in: template, &index)
        if let range = match.range(ofGroup: group) { result += text[range] }
      } else {
        result.append(scalar)
      }
    }
    return result
  }

  private func groupNumber(in template: [UInt32], _ index: inout Int) throws(ValueFailure) -> Int {
    guard index < template.count else {
      throw .invalid("Illegal group reference: group index is missing")
    }
    if template[index] == 123 {
      let name = template[(index + 1)...].prefix { $0 != 125 }
      index += name.count + 2
      guard index <= template.count, let number = groupNames[Self.text(name)] else {
        throw .invalid("No group with name {\(Self.text(name))}")
      }
      return number
    }
    guard template[index] &- 48 < 10 else { throw .invalid("Illegal group reference") }
    var number = Int(template[index] - 48)
    index += 1
    guard number <= groupCount else { throw .invalid("No group \(number)") }
    while index < template.count, template[index] &- 48 < 10 {
      let longer = number * 10 + Int(template[index] - 48)
      guard longer <= groupCount else { break }
      number = longer
      index += 1
    }
    return number
  }
}
