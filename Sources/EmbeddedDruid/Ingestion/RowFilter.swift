import DruidSQL
import JavaValues
import Plumbing

/// The rows that a `transformSpec` accepts. An unknown result, as from a comparison with null,
/// accepts no row.
indirect enum RowFilter: Sendable, Equatable {
  case equal(String, String)
  case within(String, [String])
  case between(String, Bounds)
  case null(String)
  case expression(Expression)
  case not(RowFilter)
  case all([RowFilter])
  case any([RowFilter])
  case always(Bool)

  /// The ends of a range: texts ordered by bytes, or numbers.
  struct Bounds: Sendable, Equatable {
    var lower: String?
    var upper: String?
    var isLowerOpen = false
    var isUpperOpen = false
    var isNumeric = false
  }

  /// - Returns: `nil` for an unsupported kind of filter, or an unsupported field of one.
  init?(_ json: JSONValue) {
    func allows(_ names: String...) -> Bool {
      (json.members ?? []).allSatisfy { names.contains($0.key) || $0.value.isNull }
    }
    switch json["type"]?.text {
    case "selector":
      guard allows("type", "dimension", "value"), let name = json["dimension"]?.text else {
        return nil
      }
      guard let value = json["value"], !value.isNull else {
        self = .null(name)
        return
      }
      guard let text = value.text else { return nil }
      self = .equal(name, text)
    case "equals":
      guard allows("type", "column", "matchValueType", "matchValue"),
        json["matchValueType"]?.text == "STRING", let name = json["column"]?.text,
        let value = json["matchValue"]?.text
      else { return nil }
      self = .equal(name, value)
    case "in":
      guard allows("type", "dimension", "values"), let name = json["dimension"]?.text,
        let values = json["values"]?.elements
      else { return nil }
      // A null in the list would match null, and make the other results unknown.
      let texts = values.compactMap { $0.text }
      guard texts.count == values.count else { return nil }
      self = .within(name, texts)
    case "bound":
      guard
        allows(
          "type", "dimension", "lower", "upper", "lowerStrict", "upperStrict", "ordering"),
        let name = json["dimension"]?.text
      else { return nil }
      let ordering = json["ordering"]?.text ?? "lexicographic"
      let bounds = Bounds(
        lower: json["lower"]?.text, upper: json["upper"]?.text,
        isLowerOpen: json["lowerStrict"]?.bool ?? false,
        isUpperOpen: json["upperStrict"]?.bool ?? false, isNumeric: ordering == "numeric")
      guard ["lexicographic", "numeric"].contains(ordering),
        bounds.lower != nil || bounds.upper != nil
      else { return nil }
      if bounds.isNumeric {
        for end in [bounds.lower, bounds.upper] {
          if let end, Double(end) == nil { return nil }
        }
      }
      self = .between(name, bounds)
    case "null":
      guard allows("type", "column"), let name = json["column"]?.text else { return nil }
      self = .null(name)
    case "expression":
      guard allows("type", "expression"),
        let expression = json["expression"]?.text.flatMap({ Expression($0) })
      else { return nil }
      self = .expression(expression)
    case "not":
      guard allows("type", "field"), let inner = json["field"].flatMap({ RowFilter($0) }) else {
        return nil
      }
      self = .not(inner)
    case "and", "or":
      guard allows("type", "fields"), let fields = json["fields"]?.elements, !fields.isEmpty else {
        return nil
      }
      let filters = fields.compactMap { RowFilter($0) }
      guard filters.count == fields.count else { return nil }
      self = json["type"]?.text == "and" ? .all(filters) : .any(filters)
    case "true": self = .always(true)
    case "false": self = .always(false)
    default: return nil
    }
  }

  /// Whether the row is accepted.
  func admits(_ row: InputRow) throws(Expression.Failure) -> Bool {
    try verdict(on: row) == true
  }

  /// True, false, or nil for unknown.
  private func verdict(on row: InputRow) throws(Expression.Failure) -> Bool? {
    switch self {
    case .always(let isTrue): return isTrue
    case .null(let name): return try text(row[name]) == nil
    case .equal(let name, let value): return try matches(row[name], [value])
    case .within(let name, let values): return try matches(row[name], values)
    case .between(let name, let bounds):
      guard let text = try text(row[name]) else { return nil }
      return try bounds.contain(text)
    case .expression(let expression):
      let value = try expression.value(of: row)
      return value == .null ? nil : value.isTrue
    case .not(let inner): return try inner.verdict(on: row).map { !$0 }
    case .all(let filters), .any(let filters):
      var decides = true
      if case .all = self { decides = false }
      var isUnknown = false
      for filter in filters {
        let verdict = try filter.verdict(on: row)
        if verdict == decides { return decides }
        if verdict == nil { isUnknown = true }
      }
      return isUnknown ? nil : !decides
    }
  }

  /// Whether a field is one of the texts. A number matches a text that spells the same number.
  private func matches(
    _ value: FieldValue, _ texts: [String]
  ) throws(Expression.Failure) -> Bool? {
    switch value {
    case .long(let number): return texts.contains { FieldValue.exactLong($0) == number }
    case .double(let number):
      return texts.contains { FieldValue.javaDouble($0)?.bitPattern == number.bitPattern }
    default:
      return try text(value).map { text in texts.contains { ExactText($0) == ExactText(text) } }
    }
  }

  /// A field as filters see it. Filters would check each value of a list except nulls, which is not
  /// supported here.
  private func text(_ value: FieldValue) throws(Expression.Failure) -> String? {
    switch value {
    case .list(let elements) where elements.count == 1: return try text(elements[0])
    case .list, .object: throw .unknown("a list or an object in a filter")
    default: return value.javaText
    }
  }
}

extension RowFilter.Bounds {
  fileprivate func contain(_ text: String) throws(Expression.Failure) -> Bool {
    func compare(_ end: String) throws(Expression.Failure) -> Int {
      if isNumeric {
        guard let number = Double(text), let bound = Double(end) else {
          throw .unknown("'\(text)' in a numeric bound")
        }
        return number < bound ? -1 : number > bound ? 1 : 0
      }
      let (a, b) = (Array(text.utf8), Array(end.utf8))
      return a == b ? 0 : a.lexicographicallyPrecedes(b) ? -1 : 1
    }
    if let lower {
      let order = try compare(lower)
      if order < 0 || (order == 0 && isLowerOpen) { return false }
    }
    if let upper {
      let order = try compare(upper)
      if order > 0 || (order == 0 && isUpperOpen) { return false }
    }
    return true
  }
}
