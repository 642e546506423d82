extension ValueContext {
  /// The values of a string that may hold several; one for anything else.
  func values(of value: SQLValue) -> [String?] {
    guard case .blob(let bytes) = value else { return [value.text] }
    guard case .array(let elements)? = JSONTree(parsing: String(decoding: bytes, as: UTF8.self))
    else { return [] }
    return elements.map(\.value.text)
  }

  /// The texts of an array argument.
  func texts(_ value: SQLValue) throws(ValueFailure) -> [String?] {
    if case .blob = value { return values(of: value) }
    guard let text = value.text, let list = list(text) else {
      throw .unsupported("An argument is no array")
    }
    return list.map(\.value.text)
  }

  func elements(_ value: SQLValue) throws(ValueFailure) -> [JSONTree] {
    guard let text = value.text, let list = list(text) else {
      throw .unsupported("An argument is no array")
    }
    return list
  }
}

extension SQLValue {
  /// A multi-value of those texts: a single one is plain text, none NULL.
  static func multiple(_ values: [String?]) -> SQLValue {
    switch values.count {
    case 0: .null
    case 1: values[0].map { .text($0) } ?? .null
    default: .blob(Array(JSONTree(texts: values).text.utf8))
    }
  }
}

extension JSONTree {
  init(texts: [String?]) { self = .array(texts.map { $0.map { .string($0) } ?? .null }) }
}

extension ScalarFunction {
  static let multipleValues: [ScalarFunction] =
    multipleTests + multiplePlaces + [
      lenient("mv_json") { arguments, context throws(ValueFailure) in
        let values = context.values(of: arguments[0])
        return .text(JSONTree(texts: values.isEmpty ? [nil] : values).text)
      },
      strict("mv_list") { arguments, context throws(ValueFailure) in
        guard case .blob = arguments[0] else { return arguments[0] }
        let words = context.values(of: arguments[0]).map { $0 ?? "null" }
        return .text("[" + words.joined(separator: ", ") + "]")
      },
      lenient("mv_length") { arguments, context throws(ValueFailure) in
        .integer(Int64(context.values(of: arguments[0]).count))
      },
      strict("mv_slice") { arguments, context throws(ValueFailure) in
        let values = context.values(of: arguments[0])
        let slice = slice(values, try arguments.long(1), try arguments.long(2), filler: nil)
        // Nothing left is an empty list, not NULL.
        return slice.map { $0.isEmpty ? .blob(Array("[]".utf8)) : .multiple($0) } ?? .null
      },
      lenient("mv_append") { arguments, context throws(ValueFailure) in
        .multiple(context.values(of: arguments[0]) + [arguments[1].text])
      },
      lenient("mv_prepend") { arguments, context throws(ValueFailure) in
        .multiple([arguments[0].text] + context.values(of: arguments[1]))
      },
      lenient("mv_concat") { arguments, context throws(ValueFailure) in
        if arguments[0].isNull { return arguments[1] }
        if arguments[1].isNull { return arguments[0] }
        return .multiple(context.values(of: arguments[0]) + context.values(of: arguments[1]))
      },
      strict("mv_to_string") { arguments, context throws(ValueFailure) in
        let separator = try arguments.text(1)
        return joined(context.values(of: arguments[0]), separator)
      },
      strict("string_to_mv") { arguments, context throws(ValueFailure) in
        .multiple(try pieces(arguments, context))
      },
      strict("mv_filter_only") { arguments, context throws(ValueFailure) in
        let kept = Set(try context.texts(arguments[1]))
        return .multiple(context.values(of: arguments[0]).filter { kept.contains($0) })
      },
      strict("mv_filter_none") { arguments, context throws(ValueFailure) in
        let dropped = Set(try context.texts(arguments[1]))
        return .multiple(context.values(of: arguments[0]).filter { !dropped.contains($0) })
      },
      strict("mv_to_array") { arguments, context throws(ValueFailure) in
        .text(JSONTree(texts: context.values(of: arguments[0])).text)
      },
      strict("array_to_mv") { arguments, context throws(ValueFailure) in
        .multiple(try context.texts(arguments[0]))
      },
    ]

  private static let multipleTests: [ScalarFunction] = [
    lenient("mv_any") { arguments, context throws(ValueFailure) in
      guard let operation = arguments[1].text, let wanted = arguments[2].text else {
        return .boolean(false)
      }
      let holds = context.values(of: arguments[0]).contains { value in
        guard let value else { return false }
        let left = Array(value.utf16)
        let right = Array(wanted.utf16)
        return switch operation {
        case "=": left == right
        case "<": left.lexicographicallyPrecedes(right)
        case "<=": !right.lexicographicallyPrecedes(left)
        case ">": right.lexicographicallyPrecedes(left)
        case ">=": !left.lexicographicallyPrecedes(right)
        case "<>": left != right
        default: false
        }
      }
      return .boolean(holds)
    },
    lenient("mv_range") { arguments, context throws(ValueFailure) in
      let low = Array(try arguments.text(1).utf16)
      let high = Array(try arguments.text(2).utf16)
      let operators = try arguments.text(3)
      let (takesLow, takesHigh) = (operators.hasPrefix(">="), operators.hasSuffix("="))
      return .boolean(
        context.values(of: arguments[0]).contains { value in
          guard let units = value.map({ Array($0.utf16) }) else { return false }
          let isAbove =
            takesLow
            ? !units.lexicographicallyPrecedes(low) : low.lexicographicallyPrecedes(units)
          let isBelow =
            takesHigh
            ? !high.lexicographicallyPrecedes(units) : units.lexicographicallyPrecedes(high)
          return isAbove && isBelow
        })
    },
    lenient("mv_in") { arguments, context throws(ValueFailure) in
      let wanted = Set(try context.texts(arguments[1]))
      return .boolean(
        context.values(of: arguments[0]).contains { $0 != nil && wanted.contains($0) })
    },
    lenient("mv_contains") { arguments, context throws(ValueFailure) in
      let values = Set(context.values(of: arguments[0]))
      return .boolean(try context.texts(arguments[1]).allSatisfy { values.contains($0) })
    },
    lenient("mv_overlap") { arguments, context throws(ValueFailure) in
      let values = Set(context.values(of: arguments[0]))
      return .boolean(try context.texts(arguments[1]).contains { values.contains($0) })
    },
  ]

  private static let multiplePlaces: [ScalarFunction] = [
    place("mv_offset", from: 0), place("mv_ordinal", from: 1),
    search("mv_offset_of", from: 0), search("mv_ordinal_of", from: 1),
  ]

  private static func place(_ name: String, from first: Int64) -> ScalarFunction {
    strict(name) { arguments, context throws(ValueFailure) in
      let values = context.values(of: arguments[0])
      let index = Int(clamping: try arguments.long(1) &- first)
      guard values.indices.contains(index) else { return .null }
      return values[index].map { .text($0) } ?? .null
    }
  }

  private static func search(_ name: String, from first: Int) -> ScalarFunction {
    strict(name) { arguments, context throws(ValueFailure) in
      let index = context.values(of: arguments[0]).firstIndex(of: try arguments.text(1))
      return index.map { .integer(Int64($0 + first)) } ?? .null
    }
  }

  /// MV_TO_STRING and ARRAY_TO_STRING: NULL when all there is is one NULL.
  static func joined(_ values: [String?], _ separator: String) -> SQLValue {
    if values == [nil] { return .null }
    return .text(values.map { $0 ?? "null" }.joined(separator: separator))
  }

  /// STRING_TO_MV and STRING_TO_ARRAY: as Java splits, without empty pieces at the end.
  static func pieces(
    _ arguments: [SQLValue], _ context: ValueContext
  ) throws(ValueFailure) -> [String?] {
    let text = try arguments.text(0)
    var pieces = try context.expression(try arguments.text(1)).split(text)
    if pieces.count > 1 {
      while pieces.last?.isEmpty == true { pieces.removeLast() }
    }
    return pieces
  }

  /// From `start` up to and without `end`, filled up where it leaves the list; nil when that makes no sense.
  static func slice<Element>(
    _ values: [Element], _ start: Int64, _ end: Int64, filler: Element
  ) -> [Element]? {
    guard start >= 0, start <= values.count, start <= end, end - start < 1_000_000 else {
      return nil
    }
    return (Int(start)..<Int(end)).map { $0 < values.count ? values[$0] : filler }
  }
}
