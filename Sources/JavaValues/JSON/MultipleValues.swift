extension SQLValue {
  /// The values of a multi-value; for any other value, the value's text alone.
  package var texts: [String?] {
    guard case .blob(let bytes) = self else { return [text] }
    return JSONTree.elements(of: String(decoding: bytes, as: UTF8.self)).map(\.value.text)
  }

  package var exactTexts: [ExactText?] { texts.map { $0.map(ExactText.init) } }
}

extension ValueContext {
  /// The texts of an array argument.
  package func texts(_ value: SQLValue) throws(ValueFailure) -> [String?] {
    if case .blob = value { return value.texts }
    return try elements(value).map(\.value.text)
  }

  package func exactTexts(_ value: SQLValue) throws(ValueFailure) -> [ExactText?] {
    try texts(value).map { $0.map(ExactText.init) }
  }

  package func elements(_ value: SQLValue) throws(ValueFailure) -> [JSONTree] {
    guard let text = value.text, let list = list(text) else {
      throw .unsupported("An argument is not an array")
    }
    return list
  }
}

extension SQLValue {
  /// A multi-value of these texts. A single text is stored as plain text, and no text as NULL.
  package static func multiple(_ values: [String?]) -> SQLValue {
    switch values.count {
    case 0: .null
    case 1: values[0].map { .text($0) } ?? .null
    default: .blob(Array(JSONTree(texts: values).text.utf8))
    }
  }
}

extension JSONTree {
  package init(texts: [String?]) { self = .array(texts.map { $0.map { .string($0) } ?? .null }) }

  /// The elements of an array's text; empty for any other text.
  package static func elements(of text: String) -> [JSONTree] {
    if case .array(let elements)? = JSONTree(parsing: text) { elements } else { [] }
  }
}
