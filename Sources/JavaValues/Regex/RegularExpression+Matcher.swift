extension RegularExpression {
  /// Runs a program over a text with a stack of its own, so that no text can overflow the thread's.
  struct Matcher {
    private enum Choice {
      /// Goes on at an instruction and a position.
      case resume(Int, Int)
      /// Puts a register back.
      case restore(Int, Int)
      /// A greedy run that may give back down to a position.
      case shorten(Int, at: Int, least: Int)
      /// A lazy run that may take more, up to a position.
      case lengthen(Int, at: Int, most: Int, set: Int)
    }

    private let expression: RegularExpression
    private let text: [UInt32]
    private(set) var registers: [Int]
    private var choices: [Choice] = []
    private var steps = 0
    private var depth = 0

    init(expression: RegularExpression, text: [UInt32]) {
      self.expression = expression
      self.text = text
      registers = Array(repeating: -1, count: expression.registerCount)
    }

    mutating func run(from instruction: Int, at start: Int) throws(ValueFailure) -> Bool {
      choices.removeAll(keepingCapacity: true)
      for index in registers.indices { registers[index] = -1 }
      return try attempt(instruction, start) != nil
    }

    func holds(_ set: Int, _ scalar: UInt32) -> Bool {
      let bitmap = expression.bitmaps[set]
      if scalar < 64 { return bitmap.0 >> UInt64(scalar) & 1 == 1 }
      if scalar < 128 { return bitmap.1 >> UInt64(scalar - 64) & 1 == 1 }
      return expression.sets[set].contains(scalar)
    }

    private mutating func count() throws(ValueFailure) {
      steps += 1
      guard steps < RegularExpression.stepLimit, choices.count < 2_000_000 else {
        throw .unsupported("The regular expression takes too many steps")
      }
    }

    /// Where a match from here ends; choices below those that stood there before are left alone.
    private mutating func attempt(_ first: Int, _ start: Int) throws(ValueFailure) -> Int? {
      let floor = choices.count
      var instruction = first
      var position = start
      while true {
        try count()
        var matched = true
        switch expression.program[instruction] {
        case .match: return position
        case .set(let set):
          matched = position < text.count && holds(set, text[position])
          position += 1
          instruction += 1
        case .split(let primary, let secondary):
          choices.append(.resume(secondary, position))
          instruction = primary
        case .jump(let target): instruction = target
        case .save(let register):
          choices.append(.restore(register, registers[register]))
          registers[register] = position
          instruction += 1
        case .leaveIfStill(let register, let target):
          instruction = registers[register] == position ? target : instruction + 1
        case .assertion(let assertion):
          matched = stands(assertion, position)
          instruction += 1
        case .reference(let group, let ignoresCase):
          if let end = referenced(group, position, ignoresCase) {
            position = end
            instruction += 1
          } else {
            matched = false
          }
        case .run(let set, let least, let most, let mode):
          matched = runSet(set, least, most, mode, instruction, &position)
          instruction += 1
        case .look(let end, let isBehind, let isNegated):
          matched = try look(instruction + 1, position, isBehind: isBehind) != isNegated
          instruction = end
        case .atomic(let end):
          if let found = try enclosed(instruction + 1, position) {
            position = found
            instruction = end
          } else {
            matched = false
          }
        }
        if !matched {
          guard let next = backtrack(to: floor) else { return nil }
          instruction = next.0
          position = next.1
        }
      }
    }

    /// The last choice not yet taken above `floor`.
    private mutating func backtrack(to floor: Int) -> (Int, Int)? {
      while choices.count > floor, let choice = choices.popLast() {
        switch choice {
        case .resume(let instruction, let position): return (instruction, position)
        case .restore(let register, let value): registers[register] = value
        case .shorten(let instruction, let position, let least):
          let shorter = position - 1
          if shorter > least { choices.append(.shorten(instruction, at: shorter, least: least)) }
          return (instruction, shorter)
        case .lengthen(let instruction, let position, let most, let set):
          guard position < most, position < text.count, holds(set, text[position]) else { continue }
          choices.append(.lengthen(instruction, at: position + 1, most: most, set: set))
          return (instruction, position + 1)
        }
      }
      return nil
    }

    private mutating func runSet(
      _ set: Int, _ least: Int, _ most: Int, _ mode: Mode, _ instruction: Int,
      _ position: inout Int
    ) -> Bool {
      let start = position
      let limit = most > text.count - start ? text.count : start + most
      let needed = mode == .lazy ? min(limit, start + least) : limit
      while position < needed, holds(set, text[position]) { position += 1 }
      steps += (position - start) / 8
      guard position - start >= least else { return false }
      switch mode {
      case .greedy:
        if position > start + least {
          choices.append(.shorten(instruction + 1, at: position, least: start + least))
        }
      case .lazy:
        if position < limit {
          choices.append(.lengthen(instruction + 1, at: position, most: limit, set: set))
        }
      case .possessive: break
      }
      return true
    }

    /// A match of the part from `first`, whose choices are then final.
    private mutating func enclosed(_ first: Int, _ position: Int) throws(ValueFailure) -> Int? {
      let floor = choices.count
      let end = try attempt(first, position)
      if end != nil { keepRestores(above: floor) }
      return end
    }

    /// Forgets the choices above `floor`, but for what an earlier choice must put back.
    private mutating func keepRestores(above floor: Int) {
      let restores = choices[floor...].filter { choice in
        if case .restore = choice { return true }
        return false
      }
      choices.removeSubrange(floor...)
      choices.append(contentsOf: restores)
    }

    private mutating func look(
      _ first: Int, _ position: Int, isBehind: Bool
    ) throws(ValueFailure) -> Bool {
      guard isBehind else { return try enclosed(first, position) != nil }
      var start = position
      while start >= 0 {
        let floor = choices.count
        var end = try attempt(first, start)
        while end != position, let next = backtrack(to: floor) {
          end = try attempt(next.0, next.1)
        }
        if end == position {
          keepRestores(above: floor)
          return true
        }
        start -= 1
      }
      return false
    }

    private func referenced(_ group: Int, _ position: Int, _ ignoresCase: Bool) -> Int? {
      guard group * 2 + 1 < registers.count else { return nil }
      let start = registers[group * 2]
      let end = registers[group * 2 + 1]
      guard start >= 0, end >= start, position + end - start <= text.count else { return nil }
      for offset in 0..<(end - start) {
        let left = text[start + offset]
        let right = text[position + offset]
        let isSame =
          left == right
          || (ignoresCase && left | 32 == right | 32 && (left | 32) &- 97 < 26)
        guard isSame else { return nil }
      }
      return position + end - start
    }

    private func stands(_ assertion: Assertion, _ position: Int) -> Bool {
      switch assertion {
      case .start: return position == 0
      case .end: return position == text.count
      case .endBeforeLastLine:
        if position == text.count { return true }
        if position == text.count - 1 { return isLineEnd(position) && !splitsPair(position) }
        return position == text.count - 2 && text[position] == 13 && text[position + 1] == 10
      case .lineStart:
        guard position > 0 else { return true }
        return position < text.count && isLineEnd(position - 1) && !splitsPair(position)
      case .lineEnd:
        return position == text.count || (isLineEnd(position) && !splitsPair(position))
      case .boundary: return isWord(position - 1) != isWord(position)
      case .noBoundary: return isWord(position - 1) == isWord(position)
      }
    }

    private func isLineEnd(_ index: Int) -> Bool {
      [10, 13, 0x85, 0x2028, 0x2029].contains(text[index])
    }

    private func splitsPair(_ position: Int) -> Bool {
      position > 0 && position < text.count && text[position - 1] == 13 && text[position] == 10
    }

    private func isWord(_ index: Int) -> Bool {
      guard text.indices.contains(index) else { return false }
      let scalar = text[index]
      return ScalarSet.Category.word.contains(scalar)
        || (scalar > 127 && ScalarSet.Category.unicodeLetter.contains(scalar))
    }
  }
}
