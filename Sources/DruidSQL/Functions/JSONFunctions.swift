import JavaValues

extension Function {
  static let jsonObject = Function(
    "JSON_OBJECT", "An object of keys and values.",
    .init([.any], required: 0, variadic: true, .json),
    binding: .custom { resolver, call throws(SQLFailure) in
      let arguments = call.arguments
      guard call.json?.absentOnNull == nil, arguments.count % 2 == 0,
        call.json?.hasPairs ?? true,
        arguments.indices.allSatisfy({ index in
          let argument = arguments[index]
          return index % 2 == 0
            ? argument.type.isCharacter && !argument.isMultiple
            : !argument.isMultiple && !argument.isWild
              && (argument.type.isCharacter || argument.type.isNumeric
                || argument.type.kind == .complex("json"))
        })
      else { throw .unknown("This JSON_OBJECT", at: call.range) }
      return TypedExpression(
        .call(call.function, arguments), SQLType.json.nullable(false), call.range)
    },
    kernels: [
      // A value that starts with U+0001 is JSON.
      .scalar("json_object", 0...Kernel.mostArguments, isStrict: false) {
        arguments, _ throws(ValueFailure) in
        var members: [JSONTree.Member] = []
        for index in stride(from: 0, to: arguments.count - 1, by: 2) {
          guard let key = arguments[index].text else {
            throw .invalid("Function[json_object] key must be a string")
          }
          members.removeAll { ExactText($0.key) == ExactText(key) }
          members.append(JSONTree.Member(key: key, value: tree(arguments[index + 1])))
        }
        return .text(JSONTree.object(hashed(members)).text)
      }
    ],
    spelling: { call in
      var call = call
      for index in call.operands.indices where call.operands[index].type.isComplex {
        call.values[index] = "(char(1) || \(call.values[index]))"
      }
      return call.kernel("json_object")
    })

  static let json: [Function] = [
    jsonObject,
    Function(
      "JSON_VALUE", "The scalar value at a path.", .init([.json, .constantText], .varchar),
      binding: .custom { resolver, call throws(SQLFailure) in
        guard call.arguments.count == 2, call.arguments[0].type.kind == .complex("json"),
          call.arguments[1].text != nil, call.json?.onEmpty == nil, call.json?.onError == nil
        else { throw .unknown("This JSON_VALUE", at: call.range) }
        let kind = call.json?.returning?.name ?? "VARCHAR"
        guard call.json?.returning?.collections.isEmpty ?? true,
          let type = ["VARCHAR": SQLType.varchar, "BIGINT": .bigint, "DOUBLE": .double][kind]
        else { throw .unknown("JSON_VALUE RETURNING \(kind)", at: call.range) }
        return TypedExpression(
          .call(call.function, call.arguments + [resolver.text(kind)]), type, call.range)
      },
      kernels: [
        .strict("json_value", 3) { arguments, context throws(ValueFailure) in
          let path = try context.path(try arguments.text(1))
          guard let found = JSONTree(parsing: try arguments.text(0))?[path: path] else {
            return .null
          }
          return scalar(found, try arguments.text(2))
        }
      ]),
    Function(
      "JSON_QUERY", "The JSON at a path.", .init([.json, .constantText], .json),
      binding: .custom { _, call throws(SQLFailure) in
        guard call.arguments.count == 2, call.arguments[0].type.kind == .complex("json"),
          call.arguments[1].text != nil, call.json?.wrapper == nil, call.json?.returning == nil
        else { throw .unknown("This JSON_QUERY", at: call.range) }
        return TypedExpression(.call(call.function, call.arguments), .json, call.range)
      },
      kernels: [
        .strict("json_query", 2) { arguments, context throws(ValueFailure) in
          let path = try context.path(try arguments.text(1))
          let found = JSONTree(parsing: try arguments.text(0))?[path: path]
          return found.map { .text($0.text) } ?? .null
        }
      ]),
    Function(
      "JSON_KEYS", "The keys of the object at a path.",
      .init([.json, .constantText], .varcharArray),
      binding: .custom { _, call throws(SQLFailure) in
        guard call.arguments.count == 2, call.arguments[0].type.kind == .complex("json"),
          call.arguments[1].text != nil
        else { throw .unknown("This JSON_KEYS", at: call.range) }
        return TypedExpression(
          .call(call.function, call.arguments), SQLType(.array(.varchar)), call.range)
      },
      kernels: [
        .strict("json_keys", 2) { arguments, context throws(ValueFailure) in
          let path = try context.path(try arguments.text(1))
          let keys = JSONTree(parsing: try arguments.text(0))?[path: path]?.keys
          return keys.map { .text(JSONTree(texts: $0).text) } ?? .null
        }
      ]),
    Function("PARSE_JSON", "A text parsed as JSON.", .init([.string], .json)) {
      arguments, _ throws(ValueFailure) in
      let text = try arguments.text(0)
      guard let tree = JSONTree(parsing: text) else {
        throw .invalid("Function[parse_json] bad string input [\(text)]")
      }
      return .text(tree.text)
    },
    Function(
      "TRY_PARSE_JSON", "A text parsed as JSON; NULL if it is not valid.",
      .init([.string], .json, nullable: true)
    ) { arguments, _ throws(ValueFailure) in
      JSONTree(parsing: try arguments.text(0)).map { .text($0.text) } ?? .null
    },
    Function("TO_JSON_STRING", "JSON as text.", .init([.json], .varchar)) {
      arguments, _ throws(ValueFailure) in
      let text = try arguments.text(0)
      return .text((JSONTree(parsing: text) ?? .string(text)).text)
    },
  ]

  /// The members in the iteration order of Java's HashMap.
  static func hashed(_ members: [JSONTree.Member]) -> [JSONTree.Member] {
    var size: UInt32 = 16
    while members.count > size * 3 / 4 { size *= 2 }
    func bucket(_ key: String) -> UInt32 {
      let hash = key.utf16.reduce(UInt32(0)) { $0 &* 31 &+ UInt32($1) }
      return (hash ^ hash >> 16) & (size - 1)
    }
    let places = members.enumerated().map { (bucket($1.key), $0, $1) }
    return places.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
  }

  /// A value of an object. A text that starts with U+0001 is JSON; any other is a string.
  private static func tree(_ value: SQLValue) -> JSONTree {
    if case .text(let text) = value, text.unicodeScalars.first == "\u{1}" {
      return JSONTree(parsing: String(text.unicodeScalars.dropFirst())) ?? .null
    }
    return JSONTree(value)
  }

  /// JSON_VALUE's result, converted to the RETURNING type.
  private static func scalar(_ found: JSONTree, _ type: String) -> SQLValue {
    switch found {
    case .null, .array, .object: return .null
    case .boolean(let value):
      switch type {
      case "BIGINT", "BOOLEAN": return .boolean(value)
      case "DOUBLE": return .real(value ? 1 : 0)
      default: return .text(value ? "true" : "false")
      }
    case .string(let text) where type == "BOOLEAN": return .boolean(text.lowercased() == "true")
    case .integer, .real, .string:
      let value = found.value
      switch type {
      case "BIGINT": return value.integer.map { .integer($0) } ?? .null
      case "DOUBLE": return value.double.map { .double($0) } ?? .null
      case "BOOLEAN": return value.double.map { .boolean($0 > 0) } ?? .null
      default: return value.text.map { .text($0) } ?? .null
      }
    }
  }
}
