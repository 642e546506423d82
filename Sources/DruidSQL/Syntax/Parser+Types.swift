extension Parser {
  private static let plainTypes = [
    "BOOLEAN", "INTEGER", "INT", "TINYINT", "SMALLINT", "BIGINT", "REAL", "FLOAT", "DATE",
  ]

  mutating func typeName() throws(ParseStop) -> TypeName {
    let start = token.range
    var type = try elementType()
    while at(["ARRAY", "MULTISET"]) {
      type.collections.append(token.key)
      advance()
    }
    type.range = range(from: start)
    return type
  }

  private mutating func elementType() throws(ParseStop) -> TypeName {
    for word in Self.plainTypes where acceptLone(word) {
      return TypeName(name: word == "INT" ? "INTEGER" : word)
    }
    if acceptLone("DOUBLE") {
      _ = acceptLone("PRECISION")
      return TypeName(name: "DOUBLE")
    }
    for word in ["DECIMAL", "DEC", "NUMERIC", "ANY"] where acceptLone(word) {
      var type = TypeName(name: word == "ANY" ? word : "DECIMAL")
      if accept("(") {
        type.precision = try unsigned()
        if accept(",") { type.scale = try unsigned() }
        try expect(")")
      }
      return type
    }
    for word in ["CHARACTER", "CHAR", "VARCHAR", "BINARY", "VARBINARY"] where acceptLone(word) {
      return try textType(word)
    }
    for word in ["TIMESTAMP", "DATETIME", "TIME"] where acceptLone(word) {
      return try timeType(word == "DATETIME" ? "TIMESTAMP" : word)
    }
    if at("ROW") { throw refuse("ROW types are not supported", at: token.range) }
    let name = try compoundName()
    var type = TypeName(name: name.text, isBuiltIn: false)
    if let last = name.parts.last, !last.isQuoted { type.name = name.text }
    return type
  }

  private mutating func textType(_ word: String) throws(ParseStop) -> TypeName {
    var name = word == "CHARACTER" ? "CHAR" : word
    if ["CHAR", "BINARY"].contains(name), acceptLone("VARYING") { name = "VAR" + name }
    var type = TypeName(name: name, precision: try precision())
    if name == "CHAR" || name == "VARCHAR", accept("CHARACTER") {
      try expect("SET")
      _ = try identifier()
    }
    type.range = previousRange
    return type
  }

  private mutating func timeType(_ word: String) throws(ParseStop) -> TypeName {
    var type = TypeName(name: word, precision: try precision())
    if accept("WITHOUT") {
      try expect("TIME")
      try expect("ZONE")
    } else if accept("WITH") {
      let isLocal = acceptLone("LOCAL")
      try expect("TIME")
      try expect("ZONE")
      type.timeZone = isLocal ? "WITH LOCAL TIME ZONE" : "WITH TIME ZONE"
    }
    return type
  }

  private mutating func precision() throws(ParseStop) -> Int? {
    guard accept("(") else { return nil }
    let value = try unsigned()
    try expect(")")
    return value
  }
}
