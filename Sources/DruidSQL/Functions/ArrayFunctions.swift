import JavaValues

extension Function {
  static let arrays: [Function] =
    arrayTests + arrayPlaces + [
      Function("ARRAY_LENGTH", "The number of elements.", .init([.arrayOrText], .integer)) {
        arguments, context throws(ValueFailure) in
        .integer(Int64(try context.elements(arguments[0]).count))
      },
      addition("ARRAY_APPEND", "The elements, followed by a value.", atEnd: true),
      addition("ARRAY_PREPEND", "A value, followed by the elements.", atEnd: false),
      Function(
        "ARRAY_CONCAT", "The elements of both arrays.",
        .init([.arrayOrText, .arrayOrText], .argument(0)), check: ofOneKind("ARRAY_CONCAT"),
        spelling: { call in
          // Calcite pads literals to the length of the first array's texts if those have one
          // length.
          guard let first = call.operands[0].literalTexts,
            let second = call.operands[1].literalTexts,
            let length = first.first?.utf16.count, first.allSatisfy({ $0.utf16.count == length })
          else { return call.kernel("array_concat") }
          let padded = second.map { text in
            Translator.quoted(
              text + String(repeating: " ", count: max(0, length - text.utf16.count)))
          }
          return call.kernel(
            "array_concat", call.values[0], "druid_array(\(padded.joined(separator: ", ")))")
        }, isStrict: false
      ) { arguments, context throws(ValueFailure) in
        if arguments[0].isNull || arguments[1].isNull { return .null }
        return .text(
          JSONTree.array(try context.elements(arguments[0]) + (try context.elements(arguments[1])))
            .text)
      },
      Function(
        "ARRAY_SLICE", "The elements from one index up to another.",
        .init(
          [.arrayOrText, .integer, .integer], required: 2, .argument(0), nullable: true),
        spelling: slice("array_slice", length: "array_length")
      ) { arguments, context throws(ValueFailure) in
        let values = try context.elements(arguments[0])
        let slice = slice(values, try arguments.long(1), try arguments.long(2), filler: .null)
        return slice.map { .text(JSONTree.array($0).text) } ?? .null
      },
      Function(
        "ARRAY_TO_STRING", "The elements joined with a text.",
        .init([.arrayOrText, .constantText], .varchar)
      ) { arguments, context throws(ValueFailure) in
        joined(try context.elements(arguments[0]).map(\.value.text), try arguments.text(1))
      },
      Function(
        "STRING_TO_ARRAY", "The pieces of a text between the matches of a regular expression.",
        .init([.printable, .constantText], .varcharArray)
      ) { arguments, context throws(ValueFailure) in
        .text(JSONTree(texts: try pieces(arguments, context)).text)
      },
      Function(
        "ARRAY_QUANTILE", "The value at a rank between 0 and 1 among an array's numbers.",
        .init([.array, .number], .double, nullable: true),
        check: { _, arguments, range throws(SQLFailure) in
          guard arguments[0].type.element?.isNumeric == true, arguments[1].isConstant,
            !arguments[1].isWild
          else { throw .call("ARRAY_QUANTILE", at: range) }
        }
      ) { arguments, context throws(ValueFailure) in
        let values = try context.elements(arguments[0]).compactMap(\.value.double).sorted()
        let fraction = try arguments.double(1)
        guard (0...1).contains(fraction), let last = values.last, values.allSatisfy(\.isFinite)
        else {
          throw .unsupported("ARRAY_QUANTILE of nothing, or outside of 0 to 1")
        }
        let place = fraction * Double(values.count - 1)
        let lower = Int(place.rounded(.down))
        guard lower + 1 < values.count else { return .double(last) }
        let rest = place - Double(lower)
        return .double((1 - rest) * values[lower] + rest * values[lower + 1])
      },
    ]

  static let arrayContains = membership(
    "ARRAY_CONTAINS", "Whether an array contains all of these values.", [.arrayOrText, .any]
  ) { arguments, context throws(ValueFailure) in
    let values = try context.elements(arguments[0])
    let wanted = try members(arguments[1], context)
    for one in wanted {
      try context.limits.check(values.count * elementCost)
      if !values.contains(where: { $0.equals(one) }) { return .boolean(false) }
    }
    return .boolean(true)
  }

  /// The cost of comparing two elements, in the bytes that the query's limits count.
  private static let elementCost = 16

  static let scalarInArray = Function(
    "SCALAR_IN_ARRAY", "Whether an array contains a value.", .init([.scalar, .array], .boolean),
    binding: .custom { resolver, call throws(SQLFailure) in
      try resolver.scalarInArray(call.arguments, at: call.range)
    },
    spelling: { $0.kernel("array_contains", $0.values[0], "druid_array(\($0.values[1]))") })

  private static let arrayTests: [Function] = [
    arrayContains, scalarInArray,
    Function(
      "ARRAY_OVERLAP", "Whether two arrays share an element.",
      .init([.arrayOrText, .arrayOrText], .boolean), check: ofOneKind("ARRAY_OVERLAP")
    ) { arguments, context throws(ValueFailure) in
      let values = try context.elements(arguments[0])
      let wanted = try members(arguments[1], context)
      for one in wanted {
        try context.limits.check(values.count * elementCost)
        if values.contains(where: { $0.equals(one) }) { return .boolean(true) }
      }
      return .boolean(false)
    },
  ]

  private static let arrayPlaces: [Function] = [
    arrayPlace("ARRAY_OFFSET", "The element at an index, counted from 0.", from: 0),
    arrayPlace("ARRAY_ORDINAL", "The element at an index, counted from 1.", from: 1),
    arraySearch("ARRAY_OFFSET_OF", "The index of a value, counted from 0.", from: 0),
    arraySearch("ARRAY_ORDINAL_OF", "The index of a value, counted from 1.", from: 1),
  ]

  private static func addition(_ name: String, _ summary: String, atEnd: Bool) -> Function {
    let (list, value) = atEnd ? (0, 1) : (1, 0)
    return Function(
      name, summary,
      .init(atEnd ? [.arrayOrText, .scalar] : [.scalar, .arrayOrText], .argument(list)),
      check: ofOneKind(name), isStrict: false
    ) { arguments, context throws(ValueFailure) in
      guard !arguments[list].isNull else { return .null }
      var elements = try context.elements(arguments[list])
      elements.insert(JSONTree(arguments[value]), at: atEnd ? elements.count : 0)
      return .text(JSONTree.array(elements).text)
    }
  }

  private static func arrayPlace(_ name: String, _ summary: String, from first: Int64) -> Function {
    Function(
      name, summary,
      .init(
        [.arrayOrText, .integer],
        .custom { arguments in
          // Calcite expects no NULL of literals, whatever the index.
          let isOfLiterals = arguments[0].isOfLiterals && arguments[1].constant != nil
          return arguments[0].type.element?.nullable(!isOfLiterals)
        })
    ) { arguments, context throws(ValueFailure) in
      let values = try context.elements(arguments[0])
      let index = Int(clamping: try arguments.long(1) &- first)
      return values.indices.contains(index) ? values[index].value : .null
    }
  }

  private static func arraySearch(_ name: String, _ summary: String, from first: Int) -> Function {
    Function(
      // Druid declares the one that counts from 1 as never NULL.
      name, summary, .init([.arrayOrText, .scalar], .integer, nullable: first == 0),
      check: ofOneKind(name)
    ) { arguments, context throws(ValueFailure) in
      let wanted = JSONTree(arguments[1])
      let index = try context.elements(arguments[0]).firstIndex { $0.equals(wanted) }
      return index.map { .integer(Int64($0 + first)) } ?? .null
    }
  }

  /// The elements of an array; any other value is an array of one element.
  private static func members(
    _ value: SQLValue, _ context: ValueContext
  ) throws(ValueFailure) -> [JSONTree] {
    guard case .text(let text) = value, let list = context.list(text) else {
      return [JSONTree(value)]
    }
    return list
  }

  /// Refuses arrays and values of different kinds, because Druid's casts between them differ.
  static func ofOneKind(_ name: String) -> Check {
    { _, arguments, range throws(SQLFailure) in
      var kind: Int?
      for argument in arguments {
        let type = argument.type.element ?? argument.type
        let next = type.isCharacter ? 1 : type.isIntegral ? 2 : type.isReal ? 3 : 0
        if next == 0, type.kind == .null { continue }
        guard next != 0, kind == nil || kind == next else {
          throw .operands(of: name, at: range)
        }
        kind = next
      }
    }
  }
}

extension JSONTree {
  /// A key whose byte order is the order of array elements: NULL first, then by value.
  var sortingText: String {
    func digits(_ bits: UInt64, _ count: Int) -> String {
      let text = String(bits, radix: 16)
      return String(repeating: "0", count: count - text.count) + text
    }
    switch value {
    case .null: return "#"
    case .integer(let value): return "$" + digits(UInt64(bitPattern: value) ^ 1 << 63, 16)
    case .real(let value):
      let bits = value.bitPattern
      return "$" + digits(bits >> 63 == 0 ? bits ^ 1 << 63 : ~bits, 16)
    case .text(let text): return "$" + text.utf16.map { digits(UInt64($0), 4) }.joined() + "!"
    case .blob: return "$"
    }
  }
}

extension TypedExpression {
  /// The elements of an array constructor that contains only strings.
  fileprivate var literalTexts: [String]? {
    guard case .operation(.array, let elements) = node else { return nil }
    let texts = elements.compactMap(\.text)
    return texts.count == elements.count ? texts : nil
  }

  /// Whether it is an array constructor that contains only literals, none of them NULL.
  fileprivate var isOfLiterals: Bool {
    guard case .operation(.array, let elements) = node else { return false }
    return elements.allSatisfy { $0.constant != nil && $0.constant != .null }
  }
}
