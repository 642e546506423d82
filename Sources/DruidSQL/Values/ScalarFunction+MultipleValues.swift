import JavaValues

extension ScalarFunction {
  static let multipleValues: [ScalarFunction] =
    multipleTests + multiplePlaces + [
      lenient("mv_json") { arguments, context throws(ValueFailure) in
        let values = arguments[0].texts
        return .text(JSONTree(texts: values.isEmpty ? [nil] : values).text)
      },
      strict("mv_list") { arguments, context throws(ValueFailure) in
        guard case .blob = arguments[0] else { return arguments[0] }
        let words = arguments[0].texts.map { $0 ?? "null" }
        return .text("[" + words.joined(separator: ", ") + "]")
      },
      lenient("mv_length") { arguments, context throws(ValueFailure) in
        .integer(Int64(arguments[0].texts.count))
      },
      strict("mv_slice") { arguments, context throws(ValueFailure) in
        let values = arguments[0].texts
        let slice = slice(values, try arguments.long(1), try arguments.long(2), filler: nil)
        // Nothing left is an empty list, not NULL.
        return slice.map { $0.isEmpty ? .blob(Array("[]".utf8)) : .multiple($0) } ?? .null
      },
      lenient("mv_append") { arguments, context throws(ValueFailure) in
        .multiple(arguments[0].texts + [arguments[1].text])
      },
      lenient("mv_prepend") { arguments, context throws(ValueFailure) in
        .multiple([arguments[0].text] + arguments[1].texts)
      },
      lenient("mv_concat") { arguments, context throws(ValueFailure) in
        if arguments[0].isNull { return arguments[1] }
        if arguments[1].isNull { return arguments[0] }
        return .multiple(arguments[0].texts + arguments[1].texts)
      },
      strict("mv_to_string") { arguments, context throws(ValueFailure) in
        let separator = try arguments.text(1)
        return joined(arguments[0].texts, separator)
      },
      strict("string_to_mv") { arguments, context throws(ValueFailure) in
        .multiple(try pieces(arguments, context))
      },
      strict("mv_filter_only") { arguments, context throws(ValueFailure) in
        let kept = Set(try context.exactTexts(arguments[1]))
        return .multiple(arguments[0].exactTexts.filter { kept.contains($0) }.map { $0?.text })
      },
      strict("mv_filter_none") { arguments, context throws(ValueFailure) in
        let dropped = Set(try context.exactTexts(arguments[1]))
        return .multiple(arguments[0].exactTexts.filter { !dropped.contains($0) }.map { $0?.text })
      },
      strict("mv_to_array") { arguments, context throws(ValueFailure) in
        .text(JSONTree(texts: arguments[0].texts).text)
      },
      strict("array_to_mv") { arguments, context throws(ValueFailure) in
        .multiple(try context.texts(arguments[0]))
      },
    ]

  private static let multipleTests: [ScalarFunction] = [
    lenient("mv_any") { arguments, _ throws(ValueFailure) in
      guard let operation = arguments[1].text, let right = arguments[2].text.map(ExactText.init)
      else { return .boolean(false) }
      let holds = arguments[0].exactTexts.contains { left in
        guard let left else { return false }
        return switch operation {
        case "=": left == right
        case "<": left < right
        case "<=": left <= right
        case ">": left > right
        case ">=": left >= right
        case "<>": left != right
        default: false
        }
      }
      return .boolean(holds)
    },
    lenient("mv_range") { arguments, _ throws(ValueFailure) in
      let low = ExactText(try arguments.text(1))
      let high = ExactText(try arguments.text(2))
      let operators = try arguments.text(3)
      let (takesLow, takesHigh) = (operators.hasPrefix(">="), operators.hasSuffix("="))
      return .boolean(
        arguments[0].exactTexts.contains { value in
          guard let value else { return false }
          return (takesLow ? value >= low : value > low)
            && (takesHigh ? value <= high : value < high)
        })
    },
    lenient("mv_in") { arguments, context throws(ValueFailure) in
      let wanted = Set(try context.exactTexts(arguments[1]))
      return .boolean(
        arguments[0].exactTexts.contains { $0 != nil && wanted.contains($0) })
    },
    lenient("mv_contains") { arguments, context throws(ValueFailure) in
      let values = Set(arguments[0].exactTexts)
      return .boolean(try context.exactTexts(arguments[1]).allSatisfy { values.contains($0) })
    },
    lenient("mv_overlap") { arguments, context throws(ValueFailure) in
      let values = Set(arguments[0].exactTexts)
      return .boolean(try context.exactTexts(arguments[1]).contains { values.contains($0) })
    },
  ]

  private static let multiplePlaces: [ScalarFunction] = [
    place("mv_offset", from: 0), place("mv_ordinal", from: 1),
    search("mv_offset_of", from: 0), search("mv_ordinal_of", from: 1),
  ]

  private static func place(_ name: String, from first: Int64) -> ScalarFunction {
    strict(name) { arguments, context throws(ValueFailure) in
      let values = arguments[0].texts
      let index = Int(clamping: try arguments.long(1) &- first)
      guard values.indices.contains(index) else { return .null }
      return values[index].map { .text($0) } ?? .null
    }
  }

  private static func search(_ name: String, from first: Int) -> ScalarFunction {
    strict(name) { arguments, context throws(ValueFailure) in
      let index = arguments[0].exactTexts.firstIndex(of: ExactText(try arguments.text(1)))
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
