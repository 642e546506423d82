/// A regular expression of Java's syntax, matched by backtracking with a limit on the steps.
///
/// Sendable and pure: compile once, match often. Characters are Unicode scalars.
package struct RegularExpression: Sendable {
  indirect enum Node: Sendable {
    case set(ScalarSet)
    case sequence([Node])
    case choice([Node])
    case group(Node, index: Int)
    case repetition(Node, least: Int, most: Int?, mode: Mode)
    case assertion(Assertion)
    case reference(Int, ignoresCase: Bool)
    case look(Node, isBehind: Bool, isNegated: Bool)
    case atomic(Node)
  }

  enum Mode: Sendable {
    case greedy
    case lazy
    case possessive
  }

  enum Assertion: Sendable {
    case start
    case end
    case endBeforeLastLine
    case lineStart
    case lineEnd
    case boundary
    case noBoundary
  }

  enum Instruction: Sendable {
    case set(Int)
    /// Tries the first, then the second.
    case split(Int, Int)
    case jump(Int)
    case save(Int)
    case assertion(Assertion)
    case reference(Int, ignoresCase: Bool)
    /// Goes on at the target when the position has not moved since the register was saved.
    case leaveIfStill(register: Int, target: Int)
    /// One set, as often as it goes.
    case run(set: Int, least: Int, most: Int, mode: Mode)
    case look(end: Int, isBehind: Bool, isNegated: Bool)
    case atomic(end: Int)
    case match
  }

  let program: [Instruction]
  let sets: [ScalarSet]
  /// For each set the ASCII characters it holds.
  let bitmaps: [(UInt64, UInt64)]
  package let groupCount: Int
  let groupNames: [String: Int]
  let registerCount: Int

  static let stepLimit = 5_000_000
  static let programLimit = 20_000

  /// - Throws: `invalid` for what Java refuses, `unsupported` for what is not known here.
  package init(_ pattern: String) throws(ValueFailure) {
    var parser = RegularExpressionParser(pattern)
    let node = try parser.parse()
    var compiler = Compiler(registers: (parser.groupCount + 1) * 2)
    try compiler.emit(.group(node, index: 0))
    compiler.program.append(.match)
    program = compiler.program
    sets = compiler.sets
    bitmaps = compiler.sets.map(Self.bitmap)
    groupCount = parser.groupCount
    groupNames = parser.names
    registerCount = compiler.registers
  }

  private static func bitmap(_ set: ScalarSet) -> (UInt64, UInt64) {
    var low: UInt64 = 0
    var high: UInt64 = 0
    for scalar in UInt32(0)..<64 {
      if set.contains(scalar) { low |= 1 << UInt64(scalar) }
      if set.contains(scalar + 64) { high |= 1 << UInt64(scalar) }
    }
    return (low, high)
  }

  private struct Compiler {
    var program: [Instruction] = []
    var sets: [ScalarSet] = []
    var registers: Int

    private mutating func index(of set: ScalarSet) -> Int {
      sets.append(set)
      return sets.count - 1
    }

    mutating func emit(_ node: Node) throws(ValueFailure) {
      guard program.count < RegularExpression.programLimit else {
        throw .unsupported("The regular expression is too large")
      }
      switch node {
      case .set(let set): program.append(.set(index(of: set)))
      case .sequence(let nodes): for node in nodes { try emit(node) }
      case .choice(let nodes): try choice(nodes)
      case .group(let node, let index):
        program.append(.save(index * 2))
        try emit(node)
        program.append(.save(index * 2 + 1))
      case .repetition(let node, let least, let most, let mode):
        try repetition(node, least, most, mode)
      case .assertion(let assertion): program.append(.assertion(assertion))
      case .reference(let index, let ignoresCase):
        program.append(.reference(index, ignoresCase: ignoresCase))
      case .look(let node, let isBehind, let isNegated):
        try enclosed(node) { .look(end: $0, isBehind: isBehind, isNegated: isNegated) }
      case .atomic(let node): try enclosed(node) { .atomic(end: $0) }
      }
    }

    private mutating func enclosed(
      _ node: Node, _ instruction: (Int) -> Instruction
    ) throws(ValueFailure) {
      let place = program.count
      program.append(.match)
      try emit(node)
      program.append(.match)
      program[place] = instruction(program.count)
    }

    private mutating func choice(_ nodes: [Node]) throws(ValueFailure) {
      var jumps: [Int] = []
      for (position, node) in nodes.enumerated() {
        guard position < nodes.count - 1 else {
          try emit(node)
          break
        }
        let split = program.count
        program.append(.match)
        try emit(node)
        jumps.append(program.count)
        program.append(.match)
        program[split] = .split(split + 1, program.count)
      }
      for jump in jumps { program[jump] = .jump(program.count) }
    }

    private mutating func repetition(
      _ node: Node, _ least: Int, _ most: Int?, _ mode: Mode
    ) throws(ValueFailure) {
      if case .set(let set) = node {
        program.append(
          .run(set: index(of: set), least: least, most: most ?? .max, mode: mode))
        return
      }
      guard mode != .possessive else {
        return try emit(.atomic(.repetition(node, least: least, most: most, mode: .greedy)))
      }
      for _ in 0..<least { try emit(node) }
      if let most {
        var splits: [Int] = []
        for _ in least..<max(least, most) {
          splits.append(program.count)
          program.append(.match)
          try emit(node)
        }
        for split in splits { program[split] = fork(split + 1, program.count, mode) }
      } else {
        let register = registers
        registers += 1
        let loop = program.count
        program.append(.match)
        program.append(.save(register))
        try emit(node)
        let check = program.count
        program.append(.match)
        program.append(.jump(loop))
        program[check] = .leaveIfStill(register: register, target: program.count)
        program[loop] = fork(loop + 1, program.count, mode)
      }
    }

    private func fork(_ inside: Int, _ outside: Int, _ mode: Mode) -> Instruction {
      mode == .lazy ? .split(outside, inside) : .split(inside, outside)
    }
  }
}
