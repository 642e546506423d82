import JavaValues

/// A string cut to the length that Druid keeps.
private func kept(_ value: SQLValue, _ limit: SQLValue) throws(ValueFailure) -> SQLValue {
  guard case .text(let text) = value, let bytes = limit.integer, text.utf8.count > bytes else {
    return value
  }
  // Druid counts bytes in one place and UTF-16 units in another.
  guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
    throw .unsupported("A text that is longer than what EARLIEST, LATEST or ANY_VALUE keep")
  }
  return .text(String(text.prefix(Int(bytes))))
}

/// The value of the earliest or latest row. Of rows of the same time it is the first or last one
/// that came, unless columns that order such rows are given behind the value, the time and the limit.
final class ByTime: AggregateState {
  private let isLatest: Bool
  private var time: Int64?
  private var value = SQLValue.null
  private var limit = SQLValue.null
  private var columns: ArraySlice<SQLValue> = []

  init(isLatest: Bool) { self.isLatest = isLatest }

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard values.count >= 3, let time = values[1].integer else { return }
    if let old = self.time {
      if time == old {
        guard replaces(values[3...]) else { return }
      } else if isLatest ? time < old : time > old {
        return
      }
    }
    self.time = time
    (value, limit, columns) = (values[0], values[2], values[3...])
  }

  /// Whether a row with these columns, which comes later, takes the place of the row of the same time.
  private func replaces(_ others: ArraySlice<SQLValue>) -> Bool {
    for (column, other) in zip(columns, others) {
      if other.precedes(column) { return !isLatest }
      if column.precedes(other) { return isLatest }
    }
    return isLatest
  }

  func result() throws(ValueFailure) -> SQLValue { try kept(value, limit) }
}

/// The first row's value.
final class AnyValue: AggregateState {
  private var value: SQLValue?
  private var limit = SQLValue.null

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard values.count == 2 else { return }
    guard let value else {
      self.value = values[0]
      limit = values[1]
      return
    }
    // A segment without a value leaves the choice to the next segment, and the segments' borders
    // are not known here.
    if value.isNull, !values[0].isNull {
      throw .unsupported("ANY_VALUE of a column that begins with NULL")
    }
  }

  func result() throws(ValueFailure) -> SQLValue { try kept(value ?? .null, limit) }
}

/// The size of a collection in bytes as Druid counts them, limited as in Druid.
private struct Room {
  /// A mark and a length.
  private var bytes = 5
  private var count = 0
  /// The bytes of the texts and separators alone.
  private var textBytes = 0

  /// The memory of the elements: their bytes, and 64 more for each value, which DISTINCT keeps in a set.
  var heldBytes: Int { bytes + count * 64 }

  /// - Parameters:
  ///   - separator: bytes that stand between this element and the one before it.
  ///   - isList: whether the text is that of a list, whose own elements come as parts.
  mutating func take(
    _ value: SQLValue, limit: SQLValue, separator: Int = 0, isList: Bool = false
  ) throws(ValueFailure) {
    if case .text(let text) = value { textBytes += text.utf8.count }
    textBytes += separator
    count += 1
    try takePart(isList && !value.isNull ? .text("") : value, limit: limit)
  }

  /// Counts a value that is part of an element; the text of the element is counted already.
  mutating func takePart(_ value: SQLValue, limit: SQLValue) throws(ValueFailure) {
    switch value {
    case .null: bytes += 1
    case .text(let text): bytes += 5 + text.utf8.count
    default: bytes += 9
    }
    let limit = Int(clamping: limit.integer ?? 0)
    guard bytes <= limit else {
      throw .invalid(
        "Exceeded memory usage when aggregating type [ARRAY<STRING>], size [\(bytes)] is larger "
          + "than max [\(limit)]")
    }
    // Checked here, before the joined text is allocated.
    try Text.checkSize(textBytes)
  }
}

/// ARRAY_AGG and ARRAY_CONCAT_AGG.
final class ArrayCollection: AggregateState {
  private let flattens: Bool
  private var isDistinct = false
  /// Whether the elements are arrays.
  private var isNested = false
  private var elements: [SQLValue] = []
  private var seen: Set<SQLValue> = []
  private var room = Room()
  private var hasRows = false

  init(flattens: Bool) { self.flattens = flattens }

  var heldBytes: Int { room.heldBytes }

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard values.count == 3 else { return }
    isDistinct = (values[2].integer ?? 0) & 1 == 1
    isNested = (values[2].integer ?? 0) & 2 == 2
    if flattens {
      guard let text = values[0].text else { return }
      hasRows = true
      for element in JSONTree.elements(of: text) { try take(element.value, values[1]) }
      return
    }
    hasRows = true
    if case .blob = values[0] {
      for text in values[0].texts { try take(text.map { .text($0) } ?? .null, values[1]) }
    } else {
      try take(values[0], values[1])
    }
  }

  private func take(_ value: SQLValue, _ limit: SQLValue) throws(ValueFailure) {
    if isDistinct, !seen.insert(value).inserted { return }
    elements.append(value)
    try room.take(value, limit: limit, isList: isNested)
    guard isNested, let text = value.text else { return }
    for element in JSONTree.elements(of: text) { try room.takePart(element.value, limit: limit) }
  }

  func result() -> SQLValue {
    guard hasRows else { return .null }
    guard isNested else {
      if isDistinct { elements.sort { $0.precedes($1) } }
      return .text(JSONTree.array(elements.map(JSONTree.init)).text)
    }
    if isDistinct {
      let keys = elements.map { ($0, Self.orderKey($0)) }
      elements = keys.sorted { $0.1 < $1.1 }.map(\.0)
    }
    return .text("[" + elements.map { $0.text ?? "null" }.joined(separator: ",") + "]")
  }

  /// A key that sorts as the array does; NULL sorts first.
  private static func orderKey(_ array: SQLValue) -> String {
    guard let text = array.text else { return "" }
    return "[" + JSONTree.elements(of: text).map(\.sortingText).joined()
  }
}

/// STRING_AGG and LISTAGG.
final class TextCollection: AggregateState {
  private var texts: [ExactText] = []
  private var seen: Set<ExactText> = []
  private var separator = ""
  private var isDistinct = false
  private var room = Room()

  var heldBytes: Int { room.heldBytes }

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard values.count == 4, !values[0].isNull else { return }
    separator = values[1].text ?? ""
    isDistinct = values[3].integer == 1
    for text in values[0].texts {
      guard let text else {
        throw .unsupported("STRING_AGG of several values with NULL among them")
      }
      let exact = ExactText(text)
      if isDistinct, !seen.insert(exact).inserted { continue }
      texts.append(exact)
      try room.take(
        .text(text), limit: values[2], separator: texts.count > 1 ? separator.utf8.count : 0)
    }
  }

  func result() -> SQLValue {
    guard !texts.isEmpty else { return .null }
    if isDistinct { texts.sort() }
    return .text(texts.map(\.text).joined(separator: separator))
  }
}
