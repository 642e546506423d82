import DruidSQL
import Plumbing

/// The sum of longs, wrapping around.
final class LongSum: AggregateState {
  private var sum: Int64 = 0
  private var count = 0

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard let value = values.first?.integer else { return }
    sum &+= value
    count += 1
  }

  func remove(_ values: [SQLValue]) throws(ValueFailure) {
    guard let value = values.first?.integer else { return }
    sum &-= value
    count -= 1
  }

  func result() -> SQLValue { count == 0 ? .null : .integer(sum) }
}

/// The value of the earliest or latest row.
final class ByTime: AggregateState {
  private let isLatest: Bool
  private var time: Int64?
  private var value = SQLValue.null

  init(isLatest: Bool) { self.isLatest = isLatest }

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard values.count == 2, let time = values[1].integer else { return }
    if let old = self.time, isLatest ? time < old : time >= old { return }
    self.time = time
    value = values[0]
  }

  func result() -> SQLValue { value }
}

/// The first row's value.
final class AnyValue: AggregateState {
  private var value: SQLValue?

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    if value == nil { value = values.first }
  }

  func result() -> SQLValue { value ?? .null }
}

/// ARRAY_AGG and ARRAY_CONCAT_AGG.
final class ArrayCollection: AggregateState {
  private let flattens: Bool
  private var isDistinct = false
  private var elements: [SQLValue] = []
  private var seen: Set<SQLValue> = []
  private var bytes = 0
  private var hasRows = false

  /// Druid's `maxSizeBytes`.
  private static let limit = 1 << 20

  init(flattens: Bool) { self.flattens = flattens }

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard values.count == 2 else { return }
    isDistinct = values[1].integer == 1
    hasRows = true
    guard flattens else { return try take(values[0]) }
    guard let text = values[0].text else { return }
    for element in ArrayText.elements(text) { try take(element) }
  }

  private func take(_ value: SQLValue) throws(ValueFailure) {
    if isDistinct, !seen.insert(value).inserted { return }
    elements.append(value)
    bytes += value.text?.utf8.count ?? 8
    guard bytes <= Self.limit else {
      throw .unsupported("ARRAY_AGG of more than its size limit")
    }
  }

  func result() -> SQLValue {
    guard hasRows else { return .null }
    if isDistinct { elements.sort { $0.precedes($1) } }
    return .text(ArrayText.text(elements))
  }
}

/// STRING_AGG and LISTAGG.
final class TextCollection: AggregateState {
  private var texts: [String] = []
  private var seen: Set<String> = []
  private var separator = ""
  private var isDistinct = false

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard values.count == 3, let text = values[0].text else { return }
    separator = values[1].text ?? ""
    isDistinct = values[2].integer == 1
    if isDistinct, !seen.insert(text).inserted { return }
    texts.append(text)
  }

  func result() -> SQLValue {
    guard !texts.isEmpty else { return .null }
    if isDistinct { texts.sort { Array($0.utf16).lexicographicallyPrecedes(Array($1.utf16)) } }
    return .text(texts.joined(separator: separator))
  }
}

/// BIT_AND, BIT_OR, BIT_XOR.
final class Bits: AggregateState {
  private let combine: (Int64, Int64) -> Int64
  private var value: Int64?

  init(_ combine: @escaping (Int64, Int64) -> Int64) { self.combine = combine }

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard let next = values.first?.integer else { return }
    value = value.map { combine($0, next) } ?? next
  }

  func result() -> SQLValue { value.map { .integer($0) } ?? .null }
}

/// COUNT(DISTINCT ...) as Druid estimates it.
final class DistinctCount: AggregateState {
  private var registers = HyperLogLog()

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard values.count == 2 else { return }
    switch values[0] {
    case .null: break
    case .integer(let value): registers.add(value)
    case .real(let value):
      if values[1].integer == 1 { registers.add(Float(value)) } else { registers.add(value) }
    case .text(let text): registers.add(text)
    case .blob: throw .unsupported("COUNT(DISTINCT ...) of a multi-value")
    }
  }

  func result() -> SQLValue { .integer(registers.count) }
}

/// The exact quantile, where Druid has a sketch.
final class Quantile: AggregateState {
  private var values: [Double] = []
  private var fraction = 0.5

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard values.count == 2, let value = values[0].double, !value.isNaN else { return }
    self.values.append(value)
    fraction = values[1].double ?? 0.5
  }

  func result() -> SQLValue {
    guard !values.isEmpty else { return .double(.nan) }
    values.sort()
    let rank = Int((fraction * Double(values.count)).rounded(.down))
    return .double(values[min(max(rank, 0), values.count - 1)])
  }
}

/// Variance and standard deviation, by Welford's method.
final class Variance: AggregateState {
  private var count = 0.0
  private var mean = 0.0
  private var sum = 0.0
  private var kind = "VAR_POP"

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard values.count == 2, let value = values[0].double else { return }
    kind = values[1].text ?? kind
    count += 1
    let delta = value - mean
    mean += delta / count
    sum += delta * (value - mean)
  }

  func result() -> SQLValue {
    guard count > 0 else { return .null }
    let isSample = kind.hasSuffix("SAMP")
    let variance = isSample ? (count > 1 ? sum / (count - 1) : 0) : sum / count
    return .double(kind.hasPrefix("STDDEV") ? variance.squareRoot() : variance)
  }
}

extension SQLValue {
  /// Null first, then numbers, then texts by their UTF-16 units as Java orders them.
  func precedes(_ other: SQLValue) -> Bool {
    switch (self, other) {
    case (.null, .null): return false
    case (.null, _): return true
    case (_, .null): return false
    case (.integer(let one), .integer(let other)): return one < other
    case (.text(let one), .text(let other)):
      return Array(one.utf16).lexicographicallyPrecedes(Array(other.utf16))
    default: return (double ?? 0) < (other.double ?? 0)
    }
  }
}

/// Arrays as they travel: JSON text without spaces.
enum ArrayText {
  static func text(_ elements: [SQLValue]) -> String {
    var out = "["
    for (index, element) in elements.enumerated() {
      if index > 0 { out += "," }
      switch element {
      case .null: out += "null"
      case .integer, .real: out += element.text ?? ""
      case .text(let text): JSONValue.write(text, to: &out)
      case .blob: out += element.text ?? ""
      }
    }
    return out + "]"
  }

  /// The elements of an array of texts and numbers; empty for anything else.
  static func elements(_ text: String) -> [SQLValue] {
    guard let list = (try? JSONValue(parsing: text))?.elements else { return [] }
    return list.map { element in
      switch element {
      case .null: .null
      case .bool(let truth): .boolean(truth)
      case .number(let token): Int64(token).map { .integer($0) } ?? .real(Double(token) ?? .nan)
      case .string(let text): .text(text)
      case .array, .object: .text(element.jsonText)
      }
    }
  }
}
