@testable import DruidSQL

extension Expression {
  /// The expression as Calcite prints it in messages: blanks around operators, no quotes around
  /// names.
  var text: String {
    var printer = Printer()
    printer.print(self, above: 0)
    return printer.text
  }
}

extension Query {
  var text: String {
    var printer = Printer()
    printer.print(self)
    return printer.text
  }
}

/// Prints a tree as SQL that parses to an equal tree.
struct Printer {
  var text = ""

  mutating func list<Element>(_ elements: [Element], _ print: (inout Printer, Element) -> Void) {
    for (index, element) in elements.enumerated() {
      if index > 0 { text += ", " }
      print(&self, element)
    }
  }

  mutating func expressions(_ list: [Expression]) {
    self.list(list) { $0.print($1, above: 0) }
  }

  mutating func name(_ identifier: Identifier) {
    let isPlain =
      !Keywords.isReserved(identifier.text)
      && identifier.text.utf8.allSatisfy { ($0 | 32) &- 97 < 26 || $0 &- 48 < 10 || $0 == 95 }
      && identifier.text.utf8.first.map { $0 &- 48 >= 10 } == true
    text += isPlain ? identifier.text : quoted(identifier.text, "\"")
  }

  mutating func name(_ name: Name) {
    for (index, part) in name.parts.enumerated() {
      if index > 0 { text += "." }
      self.name(part)
    }
  }

  private func quoted(_ text: String, _ quote: Character) -> String {
    var result = String(quote)
    for character in text {
      result.append(character)
      if character == quote { result.append(character) }
    }
    return result + String(quote)
  }

  func string(_ text: String) -> String { quoted(text, "'") }

  /// The precedence of a node; 200 for a node that never needs parentheses.
  private func precedence(_ kind: Expression.Kind) -> Int {
    switch kind {
    case .logical(.or, _): 22
    case .logical(.and, _): 24
    case .prefix(.not, _): 26
    case .test: 28
    case .binary(let operation, _, _):
      switch operation {
      case .times, .divide, .concat: 60
      case .plus, .minus, .isDistinctFrom, .isNotDistinctFrom: 40
      case .multisetUnion, .multisetExcept: 14
      case .multisetIntersect: 18
      default: 30
      }
    case .quantified: 30
    case .between, .like, .inList, .inQuery: 32
    case .prefix: 80
    default: 200
    }
  }

  mutating func print(_ expression: Expression, above minimum: Int) {
    let precedence = precedence(expression.kind)
    let needsParentheses = precedence <= minimum
    if needsParentheses { text += "(" }
    print(expression.kind, precedence)
    if needsParentheses { text += ")" }
  }

  private mutating func print(_ kind: Expression.Kind, _ precedence: Int) {
    switch kind {
    case .literal(let literal): print(literal)
    case .parameter: text += "?"
    case .name(let name): self.name(name)
    case .star(let name):
      if let name {
        self.name(name)
        text += "."
      }
      text += "*"
    case .prefix(let operation, let operand):
      text += operation == .not ? "NOT " : operation.rawValue
      print(operand, above: operation == .not ? precedence - 1 : 100)
    case .binary(let operation, let left, let right):
      print(left, above: precedence - 1)
      text += " \(operation.rawValue) "
      print(right, above: precedence)
    case .logical(let operation, let operands):
      for (index, operand) in operands.enumerated() {
        if index > 0 { text += " \(operation.rawValue) " }
        print(operand, above: precedence)
      }
    case .test(let test, let operand):
      print(operand, above: precedence - 1)
      text += " " + test.rawValue
    case .between, .like, .inList, .inQuery, .quantified: predicate(kind, precedence)
    case .exists(let query): enclosed("EXISTS ", query)
    case .subquery(let query): enclosed("", query)
    case .collection(let word, let query): enclosed(word, query)
    case .conditional, .cast, .extract, .round, .trim, .timestampAdd, .timestampDiff, .interval:
      special(kind)
    case .row(let members): bracketed("ROW(", members, ")")
    case .array(let members): bracketed("ARRAY[", members, "]")
    case .item(let value, let index):
      print(value, above: 100)
      bracketed("[", [index], "]")
    case .field(let value, let field):
      print(value, above: 100)
      text += "."
      name(field)
    case .call(let call): print(call)
    }
  }

  private mutating func bracketed(_ open: String, _ members: [Expression], _ close: String) {
    text += open
    expressions(members)
    text += close
  }

  mutating func enclosed(_ before: String, _ query: Query) {
    text += before + "("
    print(query)
    text += ")"
  }

  private mutating func predicate(_ kind: Expression.Kind, _ precedence: Int) {
    switch kind {
    case .between(let operand, let low, let high, let isNegated, let isSymmetric):
      print(operand, above: precedence - 1)
      text += (isNegated ? " NOT" : "") + " BETWEEN " + (isSymmetric ? "SYMMETRIC " : "")
      print(low, above: 25)
      text += " AND "
      print(high, above: precedence)
    case .like(let operand, let pattern, let escape, let isNegated, let isSimilar):
      print(operand, above: precedence - 1)
      text += (isNegated ? " NOT" : "") + (isSimilar ? " SIMILAR TO " : " LIKE ")
      print(pattern, above: precedence)
      if let escape {
        text += " ESCAPE "
        print(escape, above: 100)
      }
    case .inList(let operand, let list, let isNegated):
      print(operand, above: precedence - 1)
      text += isNegated ? " NOT IN " : " IN "
      bracketed("(", list, ")")
    case .inQuery(let operand, let query, let isNegated):
      print(operand, above: precedence - 1)
      enclosed(isNegated ? " NOT IN " : " IN ", query)
    case .quantified(let operand, let operation, let quantifier, let set):
      print(operand, above: precedence - 1)
      text += " \(operation.rawValue) \(quantifier.rawValue) "
      switch set {
      case .query(let query): enclosed("", query)
      case .list(let list): bracketed("(", list, ")")
      }
    default: break
    }
  }
}

extension Keywords {
  static func isReserved(_ word: String) -> Bool { reserved.contains(word.uppercased()) }
}

extension Parser {
  /// Parses an expression that is the whole text.
  static func expression(_ text: String) throws(SQLFailure) -> Expression {
    try parse(text) { parser throws(ParseStop) in
      let expression = try parser.expression()
      try parser.expectEnd()
      return expression
    }
  }
}
