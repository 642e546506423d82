extension Translator {
  func call(
    _ name: String, _ operands: [TypedExpression], _ whole: TypedExpression
  ) throws(SQLFailure) -> String {
    if Resolver.maps(name, operands), !isMapping(operands) {
      return try map(operands, whole)
    }
    switch name {
    case "AND", "OR": return Self.balanced((try texts(operands))[...], name)
    case "NOT": return "(NOT \(try text(operands[0])))"
    case "IS NULL", "IS NOT NULL", "IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE":
      return "(\(try text(operands[0])) \(name))"
    case "=", "<>", "<", "<=", ">", ">=": return try comparison(name, operands, whole)
    case "AGREED":
      // Druid's filter takes the column without its CAST: answered where that makes no difference.
      let sides = try texts(operands)
      let words = "'A CAST in a filter, which Druid leaves out, is not supported for these values'"
      return
        "CASE WHEN \(sides[0]) IS \(sides[1]) THEN \(sides[0]) ELSE druid_refuse(\(words)) END"
    case "NUMERIC <", "NUMERIC <=", "NUMERIC >", "NUMERIC >=":
      let sides = try texts(operands)
      return "(druid_compare_numbers(\(sides[0]), \(sides[1])) \(name.dropFirst(8)) 0)"
    case "IS DISTINCT FROM", "IS NOT DISTINCT FROM":
      if operands.contains(where: \.isMultiple) { throw .unknown(name, at: whole.range) }
      let sides = try texts(operands)
      return "(\(sides[0]) \(name == "IS DISTINCT FROM" ? "IS NOT" : "IS") \(sides[1]))"
    case "IN": return try inList(operands)
    case "MV RANGE":
      let values = try texts(operands).joined(separator: ", ")
      return
        "CASE WHEN \(try text(operands[0])) IS NULL THEN NULL ELSE druid_mv_range(\(values)) END"
    case "LIKE": return "druid_like(\((try texts(operands)).joined(separator: ", ")))"
    case "+", "-", "*", "/": return try arithmetic(name, operands, whole)
    case "NEGATE":
      return "druid_negate_\(whole.type.isReal ? "double" : "long")(\(try text(operands[0])))"
    case "||", "CONCAT": return "(" + (try texts(operands)).joined(separator: " || ") + ")"
    case "COALESCE": return "COALESCE(\((try texts(operands)).joined(separator: ", ")))"
    default: return try function(name, operands, whole)
    }
  }

  /// Whether the multi-value among the operands stands for one of its values just now.
  private func isMapping(_ operands: [TypedExpression]) -> Bool {
    guard let mapped else { return false }
    return operands.contains { $0 == mapped.expression }
  }

  /// A function of a multi-value, over each of its values.
  private func map(
    _ operands: [TypedExpression], _ whole: TypedExpression
  ) throws(SQLFailure) -> String {
    guard let multiple = operands.first(where: \.isMultiple) else {
      throw .unknown("This expression", at: whole.range)
    }
    let outer = mapped
    let subject = try text(multiple)
    maps += 1
    let name = "m\(maps)"
    mapped = (multiple, name + ".value")
    let each = try text(whole)
    mapped = (multiple, subject)
    let single = try text(whole)
    mapped = outer
    return
      "CASE typeof(\(subject)) WHEN 'blob' THEN (SELECT CAST(json_group_array(\(each)) AS BLOB) "
      + "FROM json_each(druid_mv_json(\(subject))) AS \(name)) ELSE \(single) END"
  }

  private func comparison(
    _ name: String, _ operands: [TypedExpression], _ whole: TypedExpression
  ) throws(SQLFailure) -> String {
    guard operands.contains(where: \.isMultiple) else {
      let sides = try texts(operands)
      let test = "(\(sides[0]) \(name) \(sides[1]))"
      // Greater than 0 is -0.0 in no order of numbers.
      let isCertain = (operands[1].isConstant ? [">", "<="] : ["<", ">="]).contains(name)
      return isCertain ? test : guarded(test, operands, sides)
    }
    let mirrored = ["<": ">", "<=": ">=", ">": "<", ">=": "<="]
    var (column, value, name) = (operands[0], operands[1], name)
    if value.isMultiple {
      (column, value) = (value, column)
      name = mirrored[name] ?? name
    }
    guard value.text != nil else {
      throw .unknown("A multi-value column compared with this", at: whole.range)
    }
    let subject = try text(column)
    let any = name == "<>" ? "=" : name
    let test = "druid_mv_any(\(subject), '\(any)', \(try text(value)))"
    return "CASE WHEN \(subject) IS NULL THEN NULL ELSE \(name == "<>" ? "NOT " : "")\(test) END"
  }

  /// Whether -0.0 is 0 depends on the way in which Druid runs a query: a column that is compared with 0 is refused when it
  /// holds one.
  private func guarded(
    _ test: String, _ operands: [TypedExpression], _ texts: [String]
  ) -> String {
    guard operands.contains(where: { $0.constant == .long(0) || $0.constant == .double(0) }),
      let index = operands.firstIndex(where: { $0.type.isReal && !$0.isConstant })
    else { return test }
    let subject = texts[index]
    return "CASE WHEN \(subject) = 0 AND druid_double_to_text(\(subject)) = '-0.0' "
      + "THEN druid_refuse('A comparison of -0.0 with 0 is not supported here') ELSE \(test) END"
  }

  private func inList(_ operands: [TypedExpression]) throws(SQLFailure) -> String {
    let subject = try text(operands[0])
    let items = try texts(Array(operands.dropFirst()))
    guard operands[0].isMultiple else {
      return guarded(
        "(\(subject) IN (\(items.joined(separator: ", "))))", operands, [subject] + items)
    }
    return
      "CASE WHEN \(subject) IS NULL THEN NULL ELSE druid_mv_in(\(subject), druid_array(\(items.joined(separator: ", ")))) END"
  }

  private func arithmetic(
    _ name: String, _ operands: [TypedExpression], _ whole: TypedExpression
  ) throws(SQLFailure) -> String {
    let sides = try texts(operands)
    let words = ["+": "add", "-": "subtract", "*": "multiply", "/": "divide"]
    let word = words[name, default: ""]
    if whole.type.isReal {
      let isPlain =
        !operands.contains(where: \.isWild) && (name != "/" || operands[1].isNonZeroConstant)
      if isPlain { return "(\(sides[0]) \(name) \(sides[1]))" }
      return "druid_\(word)_double(\(sides[0]), \(sides[1]))"
    }
    return "druid_\(word)_long(\((try chain(name, operands)).joined(separator: ", ")))"
  }

  /// The operands of `a + b + c` side by side: SQLite's parser does not hold many calls in each other.
  private func chain(
    _ name: String, _ operands: [TypedExpression]
  ) throws(SQLFailure) -> [String] {
    guard case .call(name, let inner) = operands[0].node, operands[0].type.isIntegral,
      inner.count == 2, mapped?.expression != operands[0]
    else { return try texts(operands) }
    return try chain(name, inner) + [try text(operands[1])]
  }

  /// Functions that go by one name in both, whatever the types: their arguments are passed on.
  private static let direct: Set<String> = [
    "POWER", "SQRT", "LN", "LOG10", "EXP", "SIN", "COS", "TAN", "COT", "ASIN", "ACOS", "ATAN",
    "ATAN2", "DEGREES", "RADIANS", "BITWISE_AND", "BITWISE_OR", "BITWISE_XOR",
    "BITWISE_COMPLEMENT", "BITWISE_SHIFT_LEFT", "BITWISE_SHIFT_RIGHT", "UPPER", "LOWER",
    "CHAR_LENGTH", "LEFT", "RIGHT", "REPLACE", "REVERSE", "REPEAT", "CONTAINS_STRING",
    "ICONTAINS_STRING", "REGEXP_LIKE", "REGEXP_REPLACE", "STRING_FORMAT", "TIME_CEIL",
    "TIME_SHIFT", "TIME_PARSE", "TIME_FORMAT", "ADD_MONTHS", "MV_LENGTH", "MV_TO_STRING",
    "MV_OFFSET", "MV_ORDINAL", "MV_FILTER_ONLY", "MV_FILTER_NONE", "MV_TO_ARRAY", "MV_APPEND",
    "MV_PREPEND", "MV_CONCAT", "MV_SLICE", "MV_OFFSET_OF", "MV_ORDINAL_OF", "STRING_TO_MV",
    "ARRAY_TO_MV", "ARRAY", "ARRAY_LENGTH", "ARRAY_OFFSET", "ARRAY_ORDINAL", "ARRAY_OVERLAP",
    "ARRAY_CONCAT", "ARRAY_APPEND", "ARRAY_PREPEND", "ARRAY_SLICE", "ARRAY_TO_STRING",
    "ARRAY_QUANTILE",
    "STRING_TO_ARRAY", "ARRAY_OFFSET_OF", "ARRAY_ORDINAL_OF", "TO_JSON_STRING", "PARSE_JSON",
    "TRY_PARSE_JSON", "JSON_VALUE", "JSON_QUERY", "JSON_KEYS", "GREATEST", "LEAST",
    "DECODE_BASE64_UTF8", "IPV4_MATCH", "IPV4_PARSE", "IPV4_STRINGIFY",
    "BITWISE_CONVERT_LONG_BITS_TO_DOUBLE", "BITWISE_CONVERT_DOUBLE_TO_LONG_BITS",
  ]

  /// Functions whose last argument may be left out, and what it is then.
  private static let defaults: [String: (count: Int, text: String, name: String)] = [
    "LTRIM": (2, "' '", "druid_ltrim"), "RTRIM": (2, "' '", "druid_rtrim"),
    "BTRIM": (2, "' '", "druid_trim"), "LPAD": (3, "' '", "druid_lpad"),
    "RPAD": (3, "' '", "druid_rpad"), "POSITION": (3, "1", "druid_position"),
    "REGEXP_EXTRACT": (3, "0", "druid_regexp_extract"), "PARSE_LONG": (2, "10", "druid_parse_long"),
  ]

  private func function(
    _ name: String, _ operands: [TypedExpression], _ whole: TypedExpression
  ) throws(SQLFailure) -> String {
    var values = try texts(operands)
    if ["MV_LENGTH", "MV_APPEND", "MV_PREPEND"].contains(name),
      let subject = operands.firstIndex(where: \.isMultiple)
    {
      let call = "druid_\(name.lowercased())(\(values.joined(separator: ", ")))"
      return "CASE WHEN \(values[subject]) IS NULL THEN NULL ELSE \(call) END"
    }
    if name == "MV_SLICE" || name == "ARRAY_SLICE", values.count == 2 {
      let length = name == "MV_SLICE" ? "druid_mv_length" : "druid_array_length"
      values.append("max(\(length)(\(values[0])), \(values[1]))")
    }
    if Self.direct.contains(name) {
      return "druid_\(name.lowercased())(\(values.joined(separator: ", ")))"
    }
    if let rule = Self.defaults[name] {
      if values.count < rule.count { values.append(rule.text) }
      return "\(rule.name)(\(values.joined(separator: ", ")))"
    }
    let isReal = operands.first?.type.isReal ?? false
    switch name {
    case "PI": return "3.141592653589793"
    case "ABS": return "druid_abs_\(isReal ? "double" : "long")(\(values[0]))"
    case "FLOOR", "CEIL": return isReal ? "druid_\(name.lowercased())(\(values[0]))" : values[0]
    case "ROUND":
      let scale = values.count > 1 ? values[1] : "0"
      return "druid_round_\(isReal ? "double" : "long")(\(values[0]), \(scale))"
    case "TRUNCATE":
      let scale = values.count > 1 ? values[1] : "0"
      if isReal { return "druid_truncate_double(\(values[0]), \(scale))" }
      return "druid_truncate_long(\(values[0]), \(scale))"
    case "MOD": return "druid_remainder_long(\(values[0]), \(values[1]))"
    case "SAFE_DIVIDE":
      let kind = whole.type.isReal ? "double" : "long"
      return "druid_safe_divide_\(kind)(\(values[0]), \(values[1]))"
    case "SCALAR_IN_ARRAY": return "druid_array_contains(\(values[0]), druid_array(\(values[1])))"
    case "STRPOS": return "druid_position(\(values[1]), \(values[0]), 1)"
    case "SUBSTRING":
      let part =
        "druid_substring(\(values[0]), \(values[1]), \(values.count > 2 ? values[2] : "-1"))"
      if case .char(let length) = whole.type.kind { return "druid_pad(\(part), \(length))" }
      // Behind the end there is NULL, not an empty text.
      return "NULLIF(\(part), '')"
    case "TIME_FLOOR":
      let period = operands[1].text ?? ""
      return floor(
        values[0], period: period, origin: values[2], zone: operands[3].text ?? zone)
    case "TIME_EXTRACT":
      return extract(values[0], operands[1].text ?? "", zone: operands[2].text ?? zone)
    case "TIME_IN_INTERVAL":
      return "druid_in_interval(\(values.joined(separator: ", ")))"
    case "ADD_MILLISECONDS":
      return operands[1].constant == nil
        ? "druid_add_long(\(values[0]), \(values[1]))" : "(\(values[0]) + \(values[1]))"
    case "MILLISECONDS_BETWEEN": return "((\(values[1]) - \(values[0])) / \(values[2]))"
    case "MONTHS_BETWEEN":
      return "(druid_months_between(\(values[0]), \(values[1]), \(values[3])) / \(values[2]))"
    case "TIMESTAMP_TO_MILLIS", "MILLIS_TO_TIMESTAMP": return values[0]
    case "MV_CONTAINS", "MV_OVERLAP", "ARRAY_CONTAINS":
      let second = operands[1].type.isArray ? values[1] : "druid_array(\(values[1]))"
      let call = "druid_\(name.lowercased())(\(values[0]), \(second))"
      // Looking for NULL finds the rows that have no value.
      if !operands[0].type.isNullable || operands[1].type.element?.kind == .null
        || name == "MV_OVERLAP" && operands[1].holdsNull
      {
        return call
      }
      return "CASE WHEN \(values[0]) IS NULL THEN NULL ELSE \(call) END"
    case "PRINT": return print(operands[0].type, values[0])
    case "TEXT AS ARRAY": return "druid_mv_to_array(\(values[0]))"
    case "LIST TEXT": return "druid_mv_list(\(values[0]))"
    case "FIRST VALUE": return "druid_mv_offset(\(values[0]), 0)"
    case "HUMAN_READABLE_BINARY_BYTE_FORMAT", "HUMAN_READABLE_DECIMAL_BYTE_FORMAT",
      "HUMAN_READABLE_DECIMAL_FORMAT":
      let number = isReal ? "druid_double_to_long(\(values[0]))" : values[0]
      return "druid_\(name.lowercased())(\(number), \(values.count > 1 ? values[1] : "2"))"
    case "MV_CONTAINS AS VALUE", "MV_OVERLAP AS VALUE", "MV_CONTAINS IN CASE",
      "MV_OVERLAP IN CASE":
      let second = operands[1].type.isArray ? values[1] : "druid_array(\(values[1]))"
      let function = name.hasPrefix("MV_CONTAINS") ? "mv_contains" : "mv_overlap"
      let call = "druid_\(function)(\(values[0]), \(second))"
      if name.hasSuffix("CASE") { return call }
      let words = "'A test of a multi-value column without any value is not supported here'"
      return "CASE WHEN \(values[0]) IS NULL THEN druid_refuse(\(words)) ELSE \(call) END"
    case "JSON_OBJECT":
      for index in operands.indices where operands[index].type.isComplex {
        values[index] = "(char(1) || \(values[index]))"
      }
      return "druid_json_object(\(values.joined(separator: ", ")))"
    default: throw .unknown(name, at: whole.range)
    }
  }

  /// A number as Druid's expressions print it: floats are doubles there.
  private func print(_ type: SQLType, _ value: String) -> String {
    type.isReal ? "druid_double_to_text(\(value))" : "CAST(\(value) AS TEXT)"
  }

  private func extract(_ time: String, _ unit: String, zone: String) -> String {
    if zone == "UTC" || zone == "Etc/UTC" {
      switch unit {
      case "HOUR": return "((\(time) % 86400000 + 86400000) % 86400000 / 3600000)"
      case "MINUTE": return "((\(time) % 3600000 + 3600000) % 3600000 / 60000)"
      case "SECOND": return "((\(time) % 60000 + 60000) % 60000 / 1000)"
      default: break
      }
    }
    return "druid_time_extract(\(time), \(quoted(unit)), \(quoted(zone)))"
  }
}

extension TypedExpression {
  /// An array of constants with a NULL among them.
  fileprivate var holdsNull: Bool {
    if case .call("ARRAY", let elements) = node {
      return elements.contains(where: \.isNullConstant)
    }
    return false
  }
}
