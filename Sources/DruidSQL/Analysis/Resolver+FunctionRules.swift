/// What functions ask of their arguments beyond the types in ``FunctionSignature``.
extension Resolver {
  /// A bare NULL where Druid wants a literal that is none.
  func refuseNull(
    _ name: String, _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) {
    switch name {
    case "REGEXP_LIKE", "REGEXP_EXTRACT", "CONTAINS_STRING", "ICONTAINS_STRING":
      guard arguments.count > 1 else { return }
      let pattern = arguments[1]
      if pattern.isNullConstant { throw SQLFailure("Illegal use of 'NULL'", at: pattern.range) }
      if !pattern.isConstant {
        throw SQLFailure(
          "Argument to function '\(name)' must be a literal", at: pattern.range)
      }
      if pattern.constant != nil, !pattern.type.isCharacter {
        throw .cannotApply(name, arguments.map(\.type), at: range)
      }
    default: break
    }
  }

  /// A pattern that Java would not compile is refused in planning.
  func checkPattern(_ name: String, _ pattern: TypedExpression) throws(SQLFailure) {
    guard let text = pattern.text else { return }
    do {
      _ = try RegularExpression(text)
    } catch {
      if case .invalid(let words) = error {
        throw SQLFailure(
          "An invalid pattern [\(text)] was provided for the \(name) function, error: [\(words)]",
          at: nil, category: .invalidInput)
      }
    }
  }

  /// The functions whose arrays and values must be of one kind: Druid would cast others in ways of its own.
  func checkArrays(
    _ name: String, _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) {
    let together: Set<String> = [
      "ARRAY_CONTAINS", "ARRAY_OVERLAP", "ARRAY_CONCAT", "ARRAY_APPEND", "ARRAY_PREPEND",
      "ARRAY_OFFSET_OF", "ARRAY_ORDINAL_OF", "MV_CONTAINS", "MV_OVERLAP",
    ]
    if let empty = arguments.first(where: { $0.type.element?.kind == .null }),
      name != "MV_CONTAINS" && name != "MV_OVERLAP"
    {
      throw .unknown("An ARRAY of nothing but NULL", at: empty.range)
    }
    guard together.contains(name) else { return }
    var kind: Int?
    for argument in arguments {
      let type = argument.type.element ?? argument.type
      let next = type.isCharacter ? 1 : type.isIntegral ? 2 : type.isReal ? 3 : 0
      if next == 0, type.kind == .null { continue }
      guard next != 0, kind == nil || kind == next else {
        throw .unknown("\(name) of these types", at: range)
      }
      kind = next
    }
  }
}
