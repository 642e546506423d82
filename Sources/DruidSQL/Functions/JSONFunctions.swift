import JavaValues

extension Function {
  static let jsonObject = Function(
    "JSON_OBJECT", "An object of keys and values.",
    .init([.any], required: 0, variadic: true, .json),
    binding: .custom { resolver, call throws(SQLFailure) in
      try resolver.jsonObject(call)
    },
    kernels: [
      // Keys as texts, values as JSON.
      .scalar("json_object", 0...Kernel.mostArguments, isStrict: false) {
        arguments, _ throws(ValueFailure) in
        .text(try object(arguments).text)
      },
      // An object for each value of a multi-value: its place first, its values as a JSON list there.
      .scalar("json_objects", 3...Kernel.mostArguments, isStrict: false) {
        arguments, context throws(ValueFailure) in
        let place = Int(clamping: try arguments.long(0))
        guard place >= 0, place < arguments.count - 1 else { return .null }
        var objects: [JSONTree] = []
        for value in try context.elements(arguments[place + 1]) {
          var single = Array(arguments.dropFirst())
          single[place] = .text(value.text)
          objects.append(try object(single))
          try context.limits.check(128)
        }
        return .text(JSONTree.array(objects).text)
      },
    ],
    spelling: { call in
      var values: [String] = []
      for (index, operand) in call.operands.enumerated() {
        let value = call.values[index]
        values.append(
          index % 2 == 0
            ? value : operand.isMultiple ? "druid_mv_json(\(value))" : jsonText(value, operand))
      }
      guard let place = call.operands.firstIndex(where: \.isMultiple) else {
        return "druid_json_object(\(values.joined(separator: ", ")))"
      }
      return "druid_json_objects(\(place), \(values.joined(separator: ", ")))"
    })

  static let jsonQueryArray = atPath(
    "JSON_QUERY_ARRAY", "The JSON list at a path.", .custom { _ in SQLType(.array(.json)) },
    listOf: .json
  ) { value in
    switch value {
    case nil, .null?, .object?: .null
    case .array(let elements)?: .text(JSONTree.array(elements).text)
    case let value?: .text(JSONTree.array([value]).text)
    }
  }

  /// A list made of the value at a path, which is nil if there is none.
  private static func atPath(
    _ name: String, _ summary: String, _ result: FunctionSignature.Result,
    listOf element: SQLType,
    _ list: @escaping @Sendable (JSONTree?) -> SQLValue
  ) -> Function {
    let kernel = name.lowercased()
    return Function(
      name, summary, .init([.any, .optionalText], result),
      binding: .custom { resolver, call throws(SQLFailure) in
        guard call.arguments.count == 2 else { throw .arguments(of: call, 2) }
        return try resolver.pathCall(call, [], SQLType(.array(element)))
      },
      kernels: [
        .strict(kernel, 2) { arguments, context throws(ValueFailure) in
          let path = try context.path(try arguments.text(1))
          return list(JSONTree(parsing: try arguments.text(0))?[path: path])
        }
      ],
      spelling: { $0.withJSON(kernel) })
  }

  private static func merged(
    _ arguments: [SQLValue], _ context: ValueContext
  ) throws(ValueFailure) -> SQLValue {
    guard arguments.count > 1 else {
      throw .invalid("Function[json_merge] must have at least two arguments")
    }
    guard let text = arguments[0].text else {
      throw .invalid("Function[json_merge] invalid input expected STRING but got STRING instead")
    }
    func document(_ text: String) throws(ValueFailure) -> JSONTree {
      guard let tree = JSONTree(firstOf: text) else {
        throw .invalid("Function[json_merge] bad string input [\(text)]")
      }
      return tree
    }
    var result = try document(text)
    for argument in arguments.dropFirst() {
      guard let text = argument.text else { continue }
      try context.limits.check(text.utf8.count)
      guard let merged = result.merged(with: try document(text)) else {
        throw .invalid("Function[json_merge] bad string input [\(text)]")
      }
      result = merged
    }
    return .text(result.text)
  }

  static let json: [Function] = [
    jsonObject, jsonQueryArray,
    Function(
      "JSON_VALUE", "The plain value at a path.", .init([.any, .optionalText], .varchar),
      binding: .custom { resolver, call throws(SQLFailure) in try resolver.jsonValue(call) },
      kernels: [
        // A document, a path, the name of a type, a zone.
        .strict("json_value", 4) { arguments, context throws(ValueFailure) in
          let path = try context.path(try arguments.text(1))
          guard let found = JSONTree(parsing: try arguments.text(0))?[path: path] else {
            return .null
          }
          let zone = try context.zone(try arguments.text(3))
          return try scalar(found, try arguments.text(2), zone)
        }
      ],
      spelling: { $0.withJSON("json_value") }),
    Function(
      "JSON_QUERY", "The JSON at a path.", .init([.any, .optionalText], .json),
      binding: .custom { resolver, call throws(SQLFailure) in
        guard call.json?.returning == nil else { throw .call(call.name, at: call.range) }
        return try resolver.pathCall(call, [], .json)
      },
      kernels: [
        .strict("json_query", 2) { arguments, context throws(ValueFailure) in
          let path = try context.path(try arguments.text(1))
          let found = JSONTree(parsing: try arguments.text(0))?[path: path]
          return found.flatMap { $0 == .null ? nil : .text($0.text) } ?? .null
        }
      ],
      spelling: { $0.withJSON("json_query") }),
    atPath("JSON_KEYS", "The keys of the object at a path.", .varcharArray, listOf: .varchar) {
      $0?.keys.map { .text(JSONTree(texts: $0).text) } ?? .null
    },
    Function(
      "JSON_PATHS", "The paths of a JSON value.", .init([.any], .varcharArray),
      kernels: [
        .lenient("json_paths", 1) { arguments, _ throws(ValueFailure) in
          let tree = arguments[0].text.flatMap { JSONTree(parsing: $0) } ?? .null
          return .text(JSONTree(texts: tree.paths).text)
        }
      ],
      spelling: { $0.withJSON("json_paths") }),
    Function(
      "JSON_MERGE", "Several JSON values in one.",
      .init([.any], required: 1, variadic: true, .json, nullable: true),
      binding: .signature { _, arguments, range throws(SQLFailure) in
        let isKnown = arguments.allSatisfy {
          $0.type.isCharacter || $0.type.kind == .complex("json") || $0.type.kind == .null
        }
        guard isKnown else { throw .cannotApply("JSON_MERGE", arguments.map(\.type), at: range) }
      },
      kernels: [
        .scalar("json_merge", 1...Kernel.mostArguments, isStrict: false) {
          arguments, context throws(ValueFailure) in try merged(arguments, context)
        },
        // Of constants, which fail in Druid's planner.
        .scalar("planned_json_merge", 1...Kernel.mostArguments, isStrict: false) {
          arguments, context throws(ValueFailure) in
          do throws(ValueFailure) {
            return try merged(arguments, context)
          } catch {
            if case .invalid(let words) = error { throw .uncategorized(words) }
            throw error
          }
        },
      ],
      spelling: { $0.kernel($0.whole.isConstant ? "planned_json_merge" : "json_merge") }),
    Function(
      "PARSE_JSON", "The JSON that a text spells.", .init([.string], .json, nullable: true)
    ) {
      arguments, _ throws(ValueFailure) in
      let text = try arguments.text(0)
      guard let tree = JSONTree(firstOf: text) else {
        throw .invalid("Function[parse_json] bad string input [\(text)]")
      }
      return tree == .null ? .null : .text(tree.text)
    },
    Function(
      "TRY_PARSE_JSON", "A text parsed as JSON; NULL if it is not valid.",
      .init([.string], .json, nullable: true)
    ) { arguments, _ throws(ValueFailure) in
      let tree = JSONTree(firstOf: try arguments.text(0)) ?? .null
      return tree == .null ? .null : .text(tree.text)
    },
    Function(
      "TO_JSON_STRING", "A value as JSON text.", .init([.any], .varchar, nullable: true),
      [.mapsValues, .writesNumbers],
      kernels: [
        // Any value but JSON and arrays, which are JSON already.
        .strict("json_text", 1) { arguments, _ throws(ValueFailure) in
          .text(JSONTree(arguments[0]).text)
        }
      ],
      spelling: { jsonText($0.values[0], $0.operands[0]) }),
  ]

  /// A value as JSON text.
  fileprivate static func jsonText(_ value: String, _ operand: TypedExpression) -> String {
    if operand.type.isArray || operand.type.isComplex { return value }
    if operand.isNullConstant { return "NULL" }
    return "druid_json_text(\(value))"
  }

  private static func object(_ arguments: [SQLValue]) throws(ValueFailure) -> JSONTree {
    var members: [JSONTree.Member] = []
    var places: [ExactText: Int] = [:]
    for index in stride(from: 0, to: arguments.count - 1, by: 2) {
      guard let key = arguments[index].text else {
        throw .unsupported("JSON_OBJECT with a key that is NULL")
      }
      let value = arguments[index + 1].text.flatMap { JSONTree(parsing: $0) } ?? .null
      if let place = places[ExactText(key)] {
        members[place].value = value
      } else {
        places[ExactText(key)] = members.count
        members.append(JSONTree.Member(key: key, value: value))
      }
    }
    return .object(hashed(members))
  }

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

  /// JSON_VALUE's answer in the type that it returns; `ARRAY` behind the name makes a list of it.
  private static func scalar(
    _ found: JSONTree, _ type: String, _ zone: TimeZoneTable
  ) throws(ValueFailure) -> SQLValue {
    if type.hasSuffix(" ARRAY") {
      let element = String(type.dropLast(6))
      var elements = [found]
      if case .array(let list) = found { elements = list }
      if case .object = found { return .null }
      if found == .null { return .null }
      var values: [JSONTree] = []
      for value in elements { values.append(JSONTree(try scalar(value, element, zone))) }
      return .text(JSONTree.array(values).text)
    }
    switch found {
    case .null, .object: return .null
    case .array(let elements):
      guard elements.count == 1, let only = elements.first else {
        throw .uncategorized("Invalid type, cannot cast [ARRAY<STRING>] to [STRING]")
      }
      if case .array = only { throw .unsupported("JSON_VALUE of a list in a list") }
      return try scalar(only, type, zone)
    case .boolean, .integer, .digits, .real, .string:
      let value = found.value
      switch type {
      case "BIGINT": return value.integer.map { .integer($0) } ?? .null
      case "INTEGER":
        return value.integer.map { .integer(Int64(Int32(truncatingIfNeeded: $0))) } ?? .null
      case "DOUBLE": return value.double.map { .double($0) } ?? .null
      case "BOOLEAN":
        if case .string(let text) = found { return Operator.truth(text) }
        return value.double.map { .boolean(JavaNumber.long($0) > 0) } ?? .null
      case "TIMESTAMP", "DATE":
        guard let text = value.text, let time = TimeText.parse(text, zone: zone) else {
          return .null
        }
        guard type == "DATE", let day = Period("P1D") else { return .integer(time) }
        return .integer(day.floor(time, zone: zone))
      default: return value.text.map { .text($0) } ?? .null
      }
    }
  }
}

extension Function.Spelt {
  /// The call of a kernel whose first argument is JSON.
  fileprivate func withJSON(_ kernel: String) -> String {
    let first = Function.jsonText(values[0], operands[0])
    return "druid_\(kernel)(\(([first] + values.dropFirst()).joined(separator: ", ")))"
  }
}

extension SQLFailure {
  fileprivate static func arguments(of call: Function.Call, _ count: Int) -> SQLFailure {
    SQLFailure(
      "Invalid number of arguments to function '\(call.name)'. Was expecting \(count) arguments",
      at: call.range)
  }
}

// MARK: - How calls become expressions

extension Resolver {
  /// JSON_OBJECT: what it is given to be a key must be a text.
  fileprivate func jsonObject(_ call: Function.Call) throws(SQLFailure) -> TypedExpression {
    let arguments = call.arguments
    let type = SQLType.json.nullable(false)
    let nothing = TypedExpression(.constant(.null), .json, call.range)
    guard arguments.count % 2 == 0 else { throw .call(call.name, at: call.range) }
    for key in stride(from: 0, to: arguments.count, by: 2).map({ arguments[$0] }) {
      if key.isNullConstant {
        failInPlanning(
          .planning("Cannot coerce field [v0] from type [java.util.HashMap] to type [OTHER]"))
        return nothing
      }
      guard key.type.isCharacter else {
        failInPlanning(.uncategorized("Function[json_object] field name must be a STRING"))
        return nothing
      }
      if key.isMultiple { throw .call(call.name, at: call.range) }
    }
    let multiples = Set(arguments.filter(\.isMultiple))
    guard multiples.count < 2, arguments.count(where: \.isMultiple) < 2,
      !arguments.contains(where: { $0.type.isInterval })
    else { throw .call(call.name, at: call.range) }
    return TypedExpression(.call(call.function, arguments.map(\.held)), type, call.range)
  }

  /// A function of a document and a path.
  fileprivate func pathCall(
    _ call: Function.Call, _ more: [TypedExpression], _ type: SQLType
  ) throws(SQLFailure) -> TypedExpression {
    var arguments = call.arguments
    guard arguments.count == 2, !arguments[0].isMultiple else {
      throw .call(call.name, at: call.range)
    }
    var path = arguments[1]
    if path.isNullConstant { path = text("") }
    guard path.type.isCharacter else {
      throw .cannotApply(call.name, arguments.map(\.type), at: call.range)
    }
    if let words = path.text {
      do throws(ValueFailure) {
        _ = try JSONPath(words)
      } catch {
        if case .invalidConstant(let words) = error { failInPlanning(.planning(words)) }
      }
    } else if !path.isConstant {
      failInPlanning(
        .uncategorized("JSONPath is invalid, it must start with '$'"))
    }
    arguments[1] = path
    let result = TypedExpression(.call(call.function, arguments + more), type, call.range)
    return result
  }

  /// JSON_VALUE, as the type that RETURNING says.
  fileprivate func jsonValue(_ call: Function.Call) throws(SQLFailure) -> TypedExpression {
    var type = SQLType.varchar
    if let returning = call.json?.returning { type = try self.type(returning).nullable(true) }
    for (words, behaviour) in [("EMPTY", call.json?.onEmpty), ("ERROR", call.json?.onError)] {
      guard let behaviour, behaviour != .null else { continue }
      failInPlanning(
        SQLFailure(
          "Unsupported JSON_VALUE parameter 'ON \(words)' defined - please re-issue this query "
            + "without this argument", at: nil, category: .runtimeFailure, errorCode: "general"))
    }
    let element = type.element ?? type
    var name: String
    switch element.kind {
    case .varchar, .char: name = "VARCHAR"
    case .integer: name = "INTEGER"
    case .bigint: name = "BIGINT"
    case .float, .real, .double, .decimal: name = "DOUBLE"
    case .boolean, .timestamp, .date: name = element.sqlName
    default:
      failInPlanning(
        .planning(
          "Cannot coerce field [EXPR$0] from type [java.lang.Long] to type "
            + "[\(element.sqlName)]"))
      return TypedExpression(.constant(.null), .varchar, call.range)
    }
    if type.isArray {
      guard ["VARCHAR", "BIGINT", "DOUBLE"].contains(name) else {
        throw .unknown("JSON_VALUE RETURNING \(name) ARRAY", at: call.range)
      }
      name += " ARRAY"
    }
    if call.arguments.count == 2, call.arguments[1].isNullConstant {
      return TypedExpression(.constant(.null), type, call.range)
    }
    return try pathCall(call, [text(name), text(settings.timeZone)], type)
  }
}
