import JavaValues

@testable import DruidSQL

extension Printer {
  mutating func print(_ literal: Literal) {
    switch literal {
    case .integer(let text), .decimal(let text), .approximate(let text): self.text += text
    case .string(let value): text += string(value)
    case .binary(let digits): text += "X" + string(digits)
    case .boolean(let value): text += value ? "TRUE" : "FALSE"
    case .unknown: text += "UNKNOWN"
    case .null: text += "NULL"
    case .date(let value): text += "DATE " + string(value)
    case .time(let value): text += "TIME " + string(value)
    case .timestamp(let value): text += "TIMESTAMP " + string(value)
    case .interval(let interval):
      text += "INTERVAL " + (interval.isNegative ? "-" : "") + string(interval.text) + " "
      print(interval.qualifier)
    }
  }

  mutating func print(_ qualifier: IntervalQualifier) {
    text += qualifier.from.rawValue
    if let precision = qualifier.precision {
      let fraction = qualifier.until == nil ? qualifier.fraction.map { ", \($0)" } ?? "" : ""
      text += "(\(precision)\(fraction))"
    }
    if let until = qualifier.until {
      text += " TO " + until.rawValue
      if let fraction = qualifier.fraction { text += "(\(fraction))" }
    }
  }

  mutating func print(_ type: TypeName) {
    if let interval = type.interval {
      text += "INTERVAL "
      print(interval)
      return
    }
    text += type.name
    if let precision = type.precision {
      text += "(\(precision)" + (type.scale.map { ", \($0)" } ?? "") + ")"
    }
    if let timeZone = type.timeZone { text += " " + timeZone }
    for collection in type.collections { text += " " + collection }
  }

  mutating func special(_ kind: Expression.Kind) {
    switch kind {
    case .conditional(let operand, let branches, let otherwise):
      text += "CASE"
      operand.map { part(" ", $0) }
      for branch in branches {
        part(" WHEN ", branch.condition)
        part(" THEN ", branch.result)
      }
      otherwise.map { part(" ELSE ", $0) }
      text += " END"
    case .cast(let value, let type, let castKind):
      part(castKind.rawValue + "(", value)
      text += " AS "
      print(type)
      text += ")"
    case .extract(let unit, let value):
      part("EXTRACT(\(unit.rawValue) FROM ", value)
      text += ")"
    case .round(let direction, let value, let unit):
      part(direction.rawValue + "(", value)
      text += " TO \(unit.rawValue))"
    case .trim(let side, let characters, let value):
      text += "TRIM(" + side.rawValue
      characters.map { part(" ", $0) }
      part(" FROM ", value)
      text += ")"
    case .timestampAdd(let unit, let count, let value):
      part("TIMESTAMPADD(\(unit.rawValue), ", count)
      part(", ", value)
      text += ")"
    case .timestampDiff(let unit, let from, let to):
      part("TIMESTAMPDIFF(\(unit.rawValue), ", from)
      part(", ", to)
      text += ")"
    case .interval(let value, let qualifier):
      part("INTERVAL (", value)
      text += ") "
      print(qualifier)
    default: break
    }
  }

  mutating func part(_ before: String, _ expression: Expression) {
    text += before
    print(expression, above: 0)
  }

  mutating func print(_ call: FunctionCall) {
    if Keywords.isReserved(call.name.text) { text += call.name.text } else { name(call.name) }
    guard call.hasParentheses else { return }
    text += "("
    if let words = Self.separators[call.function], call.arguments.count > 1 {
      separated(call.arguments, words)
      return
    }
    if let isDistinct = call.isDistinct { text += isDistinct ? "DISTINCT " : "ALL " }
    if call.json?.hasPairs == true {
      pairs(call.arguments)
    } else {
      list(call.arguments) { $0.print($1) }
    }
    if let json = call.json { print(json) }
    if !call.orderBy.isEmpty { order(" ORDER BY ", call.orderBy) }
    text += ")"
    if let nulls = call.nulls { text += " " + nulls.rawValue }
    if !call.withinGroup.isEmpty {
      order(" WITHIN GROUP (ORDER BY ", call.withinGroup)
      text += ")"
    }
    if let filter = call.filter {
      part(" FILTER (WHERE ", filter)
      text += ")"
    }
    switch call.over {
    case .name(let window)?:
      text += " OVER "
      name(window)
    case .specification(let window)?:
      text += " OVER "
      print(window)
    case nil: break
    }
  }

  /// Functions whose arguments are separated by words.
  private static let separators = [
    "POSITION": [" IN ", " FROM "], "OVERLAY": [" PLACING ", " FROM ", " FOR "],
  ]

  private mutating func separated(_ arguments: [FunctionCall.Argument], _ words: [String]) {
    for (index, argument) in arguments.enumerated() {
      if index > 0 { text += index <= words.count ? words[index - 1] : ", " }
      print(argument)
    }
    text += ")"
  }

  private mutating func pairs(_ arguments: [FunctionCall.Argument]) {
    for (index, argument) in arguments.enumerated() {
      if index > 0 { text += index.isMultiple(of: 2) ? ", " : " VALUE " }
      if index.isMultiple(of: 2) { text += "KEY " }
      print(argument)
    }
  }

  private mutating func print(_ argument: FunctionCall.Argument) {
    switch argument {
    case .expression(let expression): print(expression, above: 0)
    case .star: text += "*"
    case .named(let word, let expression):
      name(word)
      part(" => ", expression)
    case .query(let query): print(query)
    case .table(let table):
      text += "TABLE "
      name(table)
    case .defaultValue: text += "DEFAULT"
    }
  }

  private mutating func print(_ json: JSONClauses) {
    if let returning = json.returning {
      text += " RETURNING "
      print(returning)
    }
    if let wrapper = json.wrapper { text += " " + wrapper }
    for (behaviour, event) in [(json.onEmpty, "EMPTY"), (json.onError, "ERROR")] {
      guard let behaviour else { continue }
      switch behaviour {
      case .error: text += " ERROR"
      case .null: text += " NULL"
      case .emptyArray: text += " EMPTY ARRAY"
      case .emptyObject: text += " EMPTY OBJECT"
      case .defaultValue(let value): part(" DEFAULT ", value)
      case .boolean(let word): text += " " + word
      }
      text += " ON " + event
    }
    if let isAbsent = json.absentOnNull { text += (isAbsent ? " ABSENT" : " NULL") + " ON NULL" }
  }

  mutating func order(_ before: String, _ items: [OrderItem]) {
    text += before
    list(items) { printer, item in
      printer.print(item.expression, above: 0)
      if item.isDescending { printer.text += " DESC" }
      if let nulls = item.nulls { printer.text += " " + nulls.rawValue }
    }
  }

  mutating func print(_ window: WindowSpecification) {
    text += "("
    var separator = ""
    if let base = window.base {
      name(base)
      separator = " "
    }
    if !window.partitionBy.isEmpty {
      text += separator + "PARTITION BY "
      expressions(window.partitionBy)
      separator = " "
    }
    if !window.orderBy.isEmpty {
      order(separator + "ORDER BY ", window.orderBy)
      separator = " "
    }
    if let frame = window.frame {
      text += separator + frame.unit.rawValue + (frame.end == nil ? " " : " BETWEEN ")
      print(frame.start)
      if let end = frame.end {
        text += " AND "
        print(end)
      }
      separator = " "
    }
    if let allows = window.allowsPartial {
      text += separator + (allows ? "ALLOW" : "DISALLOW") + " PARTIAL"
    }
    text += ")"
  }

  private mutating func print(_ bound: WindowFrame.Bound) {
    switch bound {
    case .unboundedPreceding: text += "UNBOUNDED PRECEDING"
    case .preceding(let offset):
      print(offset, above: 0)
      text += " PRECEDING"
    case .currentRow: text += "CURRENT ROW"
    case .following(let offset):
      print(offset, above: 0)
      text += " FOLLOWING"
    case .unboundedFollowing: text += "UNBOUNDED FOLLOWING"
    }
  }
}
