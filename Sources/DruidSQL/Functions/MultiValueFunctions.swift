import JavaValues

extension Function {
  static let mvToArray = Function(
    "MV_TO_ARRAY", "A multi-value column as an array.", .init([.multiple], .varcharArray),
    .readsValues,
    check: { resolver, arguments, _ throws(SQLFailure) in
      // Druid accepts a column here and fails for anything else.
      guard !arguments[0].isColumn else { return }
      resolver.failInPlanning(
        .uncategorized(
          "Function[mv_to_array] argument should be an identifier expression. Use array() instead"))
    }
  ) { arguments, _ throws(ValueFailure) in .text(JSONTree(texts: arguments[0].texts).text) }

  static let mvContains = membership(
    "MV_CONTAINS", "Whether a multi-value contains all of these values.", [.multiple, .any],
    [.readsValues, .takesArrays], kernel: comparison { $0.isSuperset(of: $1) })

  static let mvOverlap = membership(
    "MV_OVERLAP", "Whether a multi-value contains any of these values.", [.multiple, .any],
    [.readsValues, .takesArrays], kernel: comparison { !$0.isDisjoint(with: $1) })

  /// Compares the values of a multi-value with those of a list.
  private static func comparison(
    _ holds: @escaping @Sendable (_ values: Set<ExactText?>, _ wanted: [ExactText?]) -> Bool
  ) -> Kernel.Scalar {
    { arguments, context throws(ValueFailure) in
      let values = Set(arguments[0].exactTexts)
      return .boolean(holds(values, try context.exactTexts(arguments[1])))
    }
  }

  static let mvFilterOnly = filter(
    "MV_FILTER_ONLY", "The values that are among these.", keepsListed: true)
  static let mvFilterNone = filter(
    "MV_FILTER_NONE", "The values that are not among these.", keepsListed: false)

  private static func filter(_ name: String, _ summary: String, keepsListed: Bool) -> Function {
    Function(
      name, summary, .init([.multiple, .any], .varchar, nullable: true),
      [.readsValues, .givesValues], check: listOfValues(name)
    ) { arguments, context throws(ValueFailure) in
      let listed = Set(try context.exactTexts(arguments[1]))
      let kept = arguments[0].exactTexts.filter { listed.contains($0) == keepsListed }
      return .multiple(kept.map { $0?.text })
    }
  }

  /// What the values are looked for among: an array.
  private static func listOfValues(_ name: String) -> Check {
    { resolver, arguments, range throws(SQLFailure) in
      if arguments[1].type.kind == .null {
        resolver.failInPlanning(.unhandled)
      } else if !arguments[1].type.isArray {
        throw .cannotApply(name, arguments.map(\.type), at: range)
      }
    }
  }

  static let multiples: [Function] =
    [mvToArray, mvContains, mvOverlap, mvFilterOnly, mvFilterNone] + multipleLists
    + multiplePlaces

  static let mvLength = Function(
    "MV_LENGTH", "The number of values.", .init([.multiple], .integer),
    [.readsValues, .takesArrays],
    spelling: unlessNull("mv_length"), isStrict: false
  ) { arguments, _ throws(ValueFailure) in .integer(Int64(arguments[0].texts.count)) }

  private static let multipleLists: [Function] = [
    mvLength,
    Function(
      "MV_TO_STRING", "The values joined with a text.",
      .init([.multiple, .constantText], .varchar), [.readsValues, .takesArrays]
    ) { arguments, _ throws(ValueFailure) in
      joined(arguments[0].texts, try arguments.text(1))
    },
    Function(
      "MV_SLICE", "The values from one index up to another.",
      .init([.multiple, .integer, .integer], required: 2, .varchar, nullable: true),
      [.readsValues, .givesValues], spelling: slice("mv_slice", length: "mv_length")
    ) { arguments, _ throws(ValueFailure) in
      let values = arguments[0].texts
      let slice = slice(values, try arguments.long(1), try arguments.long(2), filler: nil)
      // An empty result is an empty list, not NULL.
      return slice.map { $0.isEmpty ? .blob(Array("[]".utf8)) : .multiple($0) } ?? .null
    },
    Function(
      "MV_APPEND", "The values, followed by another one.", .init([.multiple, .string], .varchar),
      [.readsValues, .givesValues], spelling: unlessNull("mv_append"), isStrict: false
    ) { arguments, _ throws(ValueFailure) in
      .multiple(arguments[0].texts + [arguments[1].text])
    },
    Function(
      "MV_PREPEND", "A value, followed by the values.", .init([.string, .multiple], .varchar),
      [.readsValues, .givesValues], spelling: unlessNull("mv_prepend"), isStrict: false
    ) { arguments, _ throws(ValueFailure) in
      .multiple([arguments[0].text] + arguments[1].texts)
    },
    Function(
      "MV_CONCAT", "The values of both multi-values.", .init([.multiple, .multiple], .varchar),
      [.readsValues, .givesValues], isStrict: false
    ) { arguments, _ throws(ValueFailure) in
      if arguments[0].isNull || arguments[1].isNull { return .null }
      return .multiple(arguments[0].texts + arguments[1].texts)
    },
    Function(
      "STRING_TO_MV", "The pieces of a text between the matches of a regular expression.",
      .init([.printable, .constantText], .varchar), .givesValues
    ) { arguments, context throws(ValueFailure) in .multiple(try pieces(arguments, context)) },
    Function(
      "ARRAY_TO_MV", "The elements of an array of strings as values.",
      .init([.array], .varchar, nullable: true), .givesValues
    ) { arguments, context throws(ValueFailure) in .multiple(try context.texts(arguments[0])) },
  ]

  private static let multiplePlaces: [Function] = [
    multiplePlace("MV_OFFSET", "The value at an index, counted from 0.", from: 0),
    multiplePlace("MV_ORDINAL", "The value at an index, counted from 1.", from: 1),
    multipleSearch("MV_OFFSET_OF", "The index of a value, counted from 0.", from: 0),
    multipleSearch("MV_ORDINAL_OF", "The index of a value, counted from 1.", from: 1),
  ]

  private static func multiplePlace(
    _ name: String, _ summary: String, from first: Int64
  ) -> Function {
    Function(
      name, summary, .init([.multiple, .constantInteger], .varchar, nullable: true),
      [.readsValues, .takesArrays]
    ) { arguments, _ throws(ValueFailure) in
      let values = arguments[0].texts
      let index = Int(clamping: try arguments.long(1) &- first)
      guard values.indices.contains(index) else { return .null }
      return values[index].map { .text($0) } ?? .null
    }
  }

  private static func multipleSearch(
    _ name: String, _ summary: String, from first: Int
  ) -> Function {
    Function(
      name, summary, .init([.multiple, .string], .integer, nullable: true),
      [.readsValues, .takesArrays]
    ) { arguments, _ throws(ValueFailure) in
      let index = arguments[0].exactTexts.firstIndex(of: ExactText(try arguments.text(1)))
      return index.map { .integer(Int64($0 + first)) } ?? .null
    }
  }

  // MARK: Shared with the functions of arrays

  /// Returns NULL for NULL, for a kernel that would treat NULL as a list of one.
  private static func unlessNull(_ kernel: String) -> Spelling {
    { call in
      let text = call.kernel(kernel)
      let list = call.operands.firstIndex(where: \.isMultiple)
      guard let index = list ?? (kernel == "mv_length" ? 0 : nil) else { return text }
      return "CASE WHEN \(call.values[index]) IS NULL THEN NULL ELSE \(text) END"
    }
  }

  /// A slice that extends to the end of the list when the end is omitted.
  static func slice(_ kernel: String, length: String) -> Spelling {
    { call in
      if call.values.count > 2 { return call.kernel(kernel) }
      let (list, start) = (call.values[0], call.values[1])
      return call.kernel(kernel, list, start, "max(druid_\(length)(\(list)), \(start))")
    }
  }

  /// Tests whether a list contains elements. The second operand is an array or one element.
  static func membership(
    _ name: String, _ summary: String, _ operands: [FunctionSignature.Operand],
    _ traits: Traits = [], kernel: @escaping Kernel.Scalar
  ) -> Function {
    Function(
      name, summary, .init(operands, .boolean), traits,
      check: ofOneKind(name),
      spelling: { call in
        let (list, wanted) = (call.operands[0], call.operands[1])
        let second = wanted.type.isArray ? call.values[1] : "druid_array(\(call.values[1]))"
        let test = call.kernel(name.lowercased(), call.values[0], second)
        // A search for NULL finds the rows without a value.
        if !list.type.isNullable || wanted.type.element?.kind == .null
          || wanted.type.kind == .null
          || name == "MV_OVERLAP" && wanted.holdsNull
        {
          return test
        }
        return "CASE WHEN \(call.values[0]) IS NULL THEN NULL ELSE \(test) END"
      }, isStrict: !traits.contains(.readsValues), kernel: kernel)
  }

  /// MV_TO_STRING and ARRAY_TO_STRING; NULL for a list of one NULL.
  static func joined(_ values: [String?], _ separator: String) -> SQLValue {
    if values == [nil] { return .null }
    return .text(values.map { $0 ?? "null" }.joined(separator: separator))
  }

  /// STRING_TO_MV and STRING_TO_ARRAY: splits as Java does, without trailing empty pieces.
  static func pieces(
    _ arguments: [SQLValue], _ context: ValueContext
  ) throws(ValueFailure) -> [String?] {
    let text = try arguments.text(0)
    var pieces = try context.expression(try arguments.text(1))
      .split(text, context.limits)
    if pieces.count > 1 {
      while pieces.last?.isEmpty == true { pieces.removeLast() }
    }
    return pieces
  }

  /// The elements from `start` up to but not including `end`. Positions beyond the list are
  /// `filler`. Nil for invalid bounds.
  static func slice<Element>(
    _ values: [Element], _ start: Int64, _ end: Int64, filler: Element
  ) -> [Element]? {
    guard start >= 0, start <= values.count, start <= end, end - start < 1_000_000 else {
      return nil
    }
    return (Int(start)..<Int(end)).map { $0 < values.count ? values[$0] : filler }
  }
}

extension TypedExpression {
  /// Whether it is an array constructor that contains NULL.
  fileprivate var holdsNull: Bool {
    if case .operation(.array, let elements) = node {
      return elements.contains(where: \.isNullConstant)
    }
    return false
  }
}
