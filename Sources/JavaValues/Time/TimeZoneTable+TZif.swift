extension TimeZoneTable {
  /// Reads a TZif file of version 2 or later; nil when the bytes are not one.
  init?(name: String, tzif bytes: [UInt8]) {
    var reader = Reader(bytes: bytes)
    guard let old = reader.header(), bytes[4] >= UInt8(ascii: "2") else { return nil }
    reader.position += old.size(timeWidth: 4)
    guard let counts = reader.header(), reader.holds(counts.size(timeWidth: 8)) else { return nil }
    self.init(name: name, offsetMilliseconds: 0)
    var times: [Int64] = []
    for _ in 0..<counts.times { times.append(reader.integer(8)) }
    var kinds: [Int] = []
    for _ in 0..<counts.times { kinds.append(Int(reader.integer(1) & 0xFF)) }
    var types: [(offset: Int64, index: Int)] = []
    for _ in 0..<counts.types {
      let offset = reader.integer(4)
      _ = reader.integer(1)
      types.append((offset, Int(reader.integer(1) & 0xFF)))
    }
    let names = Array(bytes[reader.position..<reader.position + counts.characters])
    func transition(_ time: Int64, _ kind: Int) -> Transition? {
      guard kind < types.count, types[kind].index < names.count else { return nil }
      let abbreviation = names[types[kind].index...].prefix { $0 != 0 }
      return Transition(
        time: time, offset: types[kind].offset * 1000,
        abbreviation: String(decoding: abbreviation, as: UTF8.self))
    }
    guard let first = transition(.min, 0) else { return nil }
    self.first = first
    for (time, kind) in zip(times, kinds) {
      guard let next = transition(time.multipliedReportingOverflow(by: 1000).partialValue, kind)
      else { return nil }
      if time > -1 << 50 { transitions.append(next) } else { self.first = next }
    }
    guard zip(transitions, transitions.dropFirst()).allSatisfy({ $0.time < $1.time }) else {
      return nil
    }
    let tail = bytes[(reader.position + counts.characters + counts.rest)...]
    let footer = tail.dropFirst().prefix { $0 != UInt8(ascii: "\n") }
    if !footer.isEmpty { rule = TimeZoneRule(String(decoding: footer, as: UTF8.self)) }
  }

  private struct Counts {
    var times: Int
    var types: Int
    var characters: Int
    var leaps: Int
    var standards: Int
    var universals: Int

    func size(timeWidth: Int) -> Int {
      times * (timeWidth + 1) + types * 6 + characters + leaps * (timeWidth + 4) + standards
        + universals
    }

    /// The size of the remaining tables after the characters, in the second part.
    var rest: Int { leaps * 12 + standards + universals }
  }

  private struct Reader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    func holds(_ count: Int) -> Bool { position + count <= bytes.count }

    /// Reads a signed big-endian integer.
    mutating func integer(_ width: Int) -> Int64 {
      guard holds(width) else { return 0 }
      var value: Int64 = width < 8 && bytes[position] >= 128 ? -1 : 0
      for offset in 0..<width { value = value << 8 | Int64(bytes[position + offset]) }
      position += width
      return value
    }

    mutating func header() -> Counts? {
      guard holds(44), Array(bytes[position..<position + 4]) == Array("TZif".utf8) else {
        return nil
      }
      position += 20
      let numbers = (0..<6).map { _ in Int(integer(4)) }
      guard numbers.allSatisfy({ (0...100_000).contains($0) }), numbers[4] > 0 else { return nil }
      return Counts(
        times: numbers[3], types: numbers[4], characters: numbers[5], leaps: numbers[2],
        standards: numbers[1], universals: numbers[0])
    }
  }
}
