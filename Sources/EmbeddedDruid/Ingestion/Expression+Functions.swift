import DruidSQL
import Glibc
import JavaValues
import Plumbing

extension Expression {
  /// The supported functions, by their names in a spec.
  enum Function: String, Sendable {
    case concat, nvl, lower, upper, trim, ltrim, rtrim, strlen, substring, replace, strpos
    case choose = "if"
    case caseSearched = "case_searched"
    case isNull = "isnull"
    case isNotNull = "notnull"
    case cast, abs, sqrt, log, exp, floor, ceil
    case timestampFloor = "timestamp_floor"
    case timestampCeil = "timestamp_ceil"
    case timestampExtract = "timestamp_extract"
    case timestampParse = "timestamp_parse"
    case jsonValue = "json_value"

    var counts: ClosedRange<Int> {
      switch self {
      case .concat: 1...20
      case .nvl, .cast, .timestampFloor, .timestampCeil, .timestampExtract, .jsonValue: 2...2
      case .strpos: 2...2
      case .substring, .replace, .choose: 3...3
      case .caseSearched: 2...40
      case .timestampParse: 1...2
      default: 1...1
      }
    }

    /// The value of the argument that must be constant; nil when it is not constant or not known.
    func constant(in arguments: [Node]) -> Constant? {
      let second = arguments.count > 1 ? arguments[1].literal : nil
      let word = second?.uppercased()
      return switch self {
      case .cast: word.flatMap { Expression.NumberOrText(rawValue: $0) }.map { .type($0) }
      case .timestampFloor, .timestampCeil:
        second.flatMap { QueryGranularity(period: $0) }.map { .span($0) }
      case .timestampExtract:
        word.flatMap { TimeUnit(rawValue: $0) }.flatMap {
          Self.units.contains($0) ? .unit($0) : nil
        }
      case .timestampParse where arguments.count > 1:
        second.flatMap { JodaPattern(ingestion: $0) }.map { .pattern($0) }
      case .jsonValue: second.flatMap { FieldPath(jsonPath: $0) }.map { .path($0) }
      default: Constant.none
      }
    }

    static let units: Set<TimeUnit> = [
      .epoch, .second, .minute, .hour, .day, .dayOfWeek, .month, .quarter, .year,
    ]
  }

  static func call(
    _ function: Function, _ arguments: [Node], _ constant: Constant, _ row: InputRow
  ) throws(Failure) -> FieldValue {
    switch function {
    case .choose, .caseSearched:
      var index = 0
      while index + 1 < arguments.count {
        if try scalar(arguments[index], row).isTrue { return try value(arguments[index + 1], row) }
        index += 2
      }
      return index < arguments.count ? try value(arguments[index], row) : .null
    case .nvl:
      let first = try value(arguments[0], row)
      return first == .null ? try value(arguments[1], row) : first
    case .isNull: return truth(try value(arguments[0], row) == .null)
    case .isNotNull: return truth(try value(arguments[0], row) != .null)
    case .jsonValue:
      guard case .path(let path) = constant else { return .null }
      switch path.value(in: try value(arguments[0], row)) {
      case .list, .object: return .null
      case .bool(let isTrue): return truth(isTrue)
      case let found: return found
      }
    default: break
    }
    var values: [FieldValue] = []
    for argument in arguments { values.append(try scalar(argument, row)) }
    if values.contains(.null) { return .null }
    let texts = values.map { $0.javaText ?? "" }
    switch function {
    case .concat: return .text(texts.joined())
    case .lower: return .text(texts[0].lowercased())
    case .upper: return .text(texts[0].uppercased())
    case .trim, .ltrim, .rtrim: return .text(trimmed(texts[0], function))
    case .strlen: return .long(Int64(texts[0].utf16.count))
    case .substring: return try substring(values)
    case .replace:
      guard !texts[1].isEmpty else { throw .unknown("replace of an empty text") }
      do throws(ValueFailure) {
        return .text(try Text.replacing(texts[1], with: texts[2], in: texts[0]))
      } catch {
        throw .unknown("replace with a text of more than \(Text.sizeLimit >> 20) MiB")
      }
    case .strpos: return .long(Text.position(of: texts[1], in: texts[0], from: 1) - 1)
    case .cast: return cast(values[0], to: constant)
    case .abs, .sqrt, .log, .exp, .floor, .ceil: return try mathematics(function, values[0])
    default: return try time(function, values[0], constant)
    }
  }

  private static func trimmed(_ text: String, _ function: Function) -> String {
    var units = Array(text.utf8)[...]
    if function != .rtrim { units = units.drop { $0 == 0x20 } }
    if function != .ltrim { while units.last == 0x20 { units.removeLast() } }
    return String(decoding: units, as: UTF8.self)
  }

  private static func substring(_ values: [FieldValue]) throws(Failure) -> FieldValue {
    guard case .long(let start) = values[1], case .long(let count) = values[2], start >= 0 else {
      throw .unknown("substring with these bounds")
    }
    let units = Array((values[0].javaText ?? "").utf16)
    guard start < units.count else { return .null }
    let tail = units[Int(start)...]
    return .text(
      String(decoding: count < 0 ? tail : tail.prefix(Int(clamping: count)), as: UTF16.self))
  }

  private static func cast(_ value: FieldValue, to type: Constant) -> FieldValue {
    switch type {
    case .type(.string): return value.javaText.map { .text($0) } ?? .null
    case .type(.double): return value.asNumber.map { .double($0) } ?? .null
    default:
      if case .long = value { return value }
      if case .text(let text) = value, let whole = Int64(text) { return .long(whole) }
      return value.asNumber.map { .long(JavaNumber.long($0)) } ?? .null
    }
  }

  private static func mathematics(
    _ function: Function, _ value: FieldValue
  ) throws(Failure) -> FieldValue {
    if case .long(let whole) = value, function == .abs {
      return .long(whole == .min ? whole : Swift.abs(whole))
    }
    guard !value.isText, let number = value.asNumber else { throw .unknown("a text as a number") }
    switch function {
    case .abs: return .double(Swift.abs(number))
    case .sqrt: return .double(number.squareRoot())
    case .log: return .double(Glibc.log(number))
    case .exp: return .double(Glibc.exp(number))
    case .floor: return .double(number.rounded(.down))
    default: return .double(number.rounded(.up))
    }
  }

  private static func time(
    _ function: Function, _ value: FieldValue, _ constant: Constant
  ) throws(Failure) -> FieldValue {
    if function == .timestampParse {
      let text = value.javaText ?? ""
      if case .pattern(let pattern) = constant {
        return pattern.time(of: text, zone: .utc).map { .long($0) } ?? .null
      }
      guard let point = TimePoint(rfc3339: text) else {
        throw .unknown("timestamp_parse of '\(text)'")
      }
      return .long(point.milliseconds)
    }
    guard case .long(let milliseconds) = value, QueryGranularity.moments.contains(milliseconds)
    else { throw .unknown("\(function.rawValue) of a value that is not a time") }
    switch constant {
    case .unit(let unit): return .long(TimeExtract.value(unit, of: milliseconds, zone: .utc))
    case .span(let span):
      let start = span.floor(milliseconds)
      if function == .timestampFloor || start == milliseconds { return .long(start) }
      return .long(span.next(start))
    default: return .null
    }
  }
}

extension FieldValue {
  fileprivate var isText: Bool {
    if case .text = self { true } else { false }
  }
}
