package import JavaValues

extension ScalarFunction {
  static let arrays: [ScalarFunction] = [
    lenient("array") { arguments, _ throws(ValueFailure) in
      .text(JSONTree.array(arguments.map { JSONTree($0) }).text)
    },
    strict("array_order") { arguments, context throws(ValueFailure) in
      .text(try context.elements(arguments[0]).map(orderKey).joined())
    },
    strict("array_quantile") { arguments, context throws(ValueFailure) in
      let values = try context.elements(arguments[0]).compactMap(\.value.double).sorted()
      let fraction = try arguments.double(1)
      guard (0...1).contains(fraction), let last = values.last, values.allSatisfy(\.isFinite) else {
        throw .unsupported("ARRAY_QUANTILE of nothing, or outside of 0 to 1")
      }
      let place = fraction * Double(values.count - 1)
      let lower = Int(place.rounded(.down))
      guard lower + 1 < values.count else { return .double(last) }
      let rest = place - Double(lower)
      return .double((1 - rest) * values[lower] + rest * values[lower + 1])
    },
    strict("array_length") { arguments, context throws(ValueFailure) in
      .integer(Int64(try context.elements(arguments[0]).count))
    },
    place("array_offset", from: 0), place("array_ordinal", from: 1),
    search("array_offset_of", from: 0), search("array_ordinal_of", from: 1),
    strict("array_contains") { arguments, context throws(ValueFailure) in
      let values = try context.elements(arguments[0])
      let wanted = try members(arguments[1], context)
      return .boolean(wanted.allSatisfy { one in values.contains { $0.equals(one) } })
    },
    strict("array_overlap") { arguments, context throws(ValueFailure) in
      let values = try context.elements(arguments[0])
      let wanted = try members(arguments[1], context)
      return .boolean(wanted.contains { one in values.contains { $0.equals(one) } })
    },
    lenient("array_append") { arguments, context throws(ValueFailure) in
      guard !arguments[0].isNull else { return .null }
      return .text(
        JSONTree.array(try context.elements(arguments[0]) + [JSONTree(arguments[1])]).text)
    },
    lenient("array_prepend") { arguments, context throws(ValueFailure) in
      guard !arguments[1].isNull else { return .null }
      return .text(
        JSONTree.array([JSONTree(arguments[0])] + (try context.elements(arguments[1]))).text)
    },
    lenient("array_concat") { arguments, context throws(ValueFailure) in
      if arguments[0].isNull { return arguments[1] }
      if arguments[1].isNull { return arguments[0] }
      return .text(
        JSONTree.array(try context.elements(arguments[0]) + (try context.elements(arguments[1])))
          .text)
    },
    strict("array_slice") { arguments, context throws(ValueFailure) in
      let values = try context.elements(arguments[0])
      let slice = slice(values, try arguments.long(1), try arguments.long(2), filler: .null)
      return slice.map { .text(JSONTree.array($0).text) } ?? .null
    },
    strict("array_to_string") { arguments, context throws(ValueFailure) in
      let separator = try arguments.text(1)
      return joined(try context.elements(arguments[0]).map(\.value.text), separator)
    },
    strict("string_to_array") { arguments, context throws(ValueFailure) in
      .text(JSONTree(texts: try pieces(arguments, context)).text)
    },
  ]

  /// Element after element, NULL least and the shorter array before the longer.
  package static func orderKey(_ element: JSONTree) -> String {
    func digits(_ bits: UInt64, _ count: Int) -> String {
      let text = String(bits, radix: 16)
      return String(repeating: "0", count: count - text.count) + text
    }
    switch element.value {
    case .null: return "#"
    case .integer(let value): return "$" + digits(UInt64(bitPattern: value) ^ 1 << 63, 16)
    case .real(let value):
      let bits = value.bitPattern
      return "$" + digits(bits >> 63 == 0 ? bits ^ 1 << 63 : ~bits, 16)
    case .text(let text): return "$" + text.utf16.map { digits(UInt64($0), 4) }.joined() + "!"
    case .blob: return "$"
    }
  }

  /// The elements of an array, or the one value that is none.
  private static func members(
    _ value: SQLValue, _ context: ValueContext
  ) throws(ValueFailure) -> [JSONTree] {
    guard case .text(let text) = value, let list = context.list(text) else {
      return [JSONTree(value)]
    }
    return list
  }

  private static func place(_ name: String, from first: Int64) -> ScalarFunction {
    strict(name) { arguments, context throws(ValueFailure) in
      let values = try context.elements(arguments[0])
      let index = Int(clamping: try arguments.long(1) &- first)
      return values.indices.contains(index) ? values[index].value : .null
    }
  }

  private static func search(_ name: String, from first: Int) -> ScalarFunction {
    strict(name) { arguments, context throws(ValueFailure) in
      let wanted = JSONTree(arguments[1])
      let index = try context.elements(arguments[0]).firstIndex { $0.equals(wanted) }
      return index.map { .integer(Int64($0 + first)) } ?? .null
    }
  }
}
