import JavaValues

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

  /// The functions of multi-values take arrays of strings as well, and are those of arrays then.
  func arrayName(_ name: String, _ arguments: [TypedExpression]) -> String {
    let twins: Set<String> = [
      "MV_LENGTH", "MV_CONTAINS", "MV_OVERLAP", "MV_TO_STRING", "MV_OFFSET", "MV_ORDINAL",
      "MV_OFFSET_OF", "MV_ORDINAL_OF",
    ]
    guard twins.contains(name), let element = arguments.first?.type.element, element.isCharacter
    else { return name }
    return "ARRAY_" + name.dropFirst(3)
  }

  /// SCALAR_IN_ARRAY: whether a value is one of an array's.
  func scalarInArray(
    _ arguments: [TypedExpression], at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    guard arguments.count == 2 else {
      throw SQLFailure(
        "Invalid number of arguments to function 'SCALAR_IN_ARRAY'. Was expecting 2 arguments",
        at: range)
    }
    let (value, array) = (arguments[0], arguments[1])
    guard value.type.isCharacter || value.type.isNumeric, array.type.isArray else {
      if value.type.kind == .null || array.type.kind == .null {
        throw .unknown("SCALAR_IN_ARRAY of NULL", at: range)
      }
      throw .cannotApply("SCALAR_IN_ARRAY", arguments.map(\.type), at: range)
    }
    let holdsNull: Bool
    if case .call("ARRAY", let elements) = array.node {
      holdsNull = elements.contains { $0.type.isNullable || $0.isNullConstant }
    } else {
      holdsNull = true
    }
    // What NULL among the values does is not known, nor how floats meet doubles.
    guard !holdsNull, !value.isMultiple, !value.isWild, value.type.kind != .float else {
      throw .unknown("This SCALAR_IN_ARRAY", at: range)
    }
    try checkArrays("ARRAY_CONTAINS", [array, value], at: range)
    return TypedExpression(
      .call("SCALAR_IN_ARRAY", [array, value]), .boolean.nullable(value.type.isNullable), range)
  }
}

extension TypedExpression {
  /// A part that is a constant of CHAR shorter than its type.
  var padded: TypedExpression? {
    if case .call("SUBSTRING", _) = node, case .char = type.kind { return self }
    for child in children {
      if let padded = child.padded { return padded }
    }
    return nil
  }
}
