/// What a function takes and answers: the part of it that the analysis knows.
package struct FunctionSignature: Sendable {
  package enum Operand: Sendable {
    case any, number, integer, string, time, boolean, array, json
    /// A string constant, such as a period or a pattern; NULL as well.
    case constantText
    case constantInteger
    /// A string column that may hold several values.
    case multiple
    /// Strings or numbers: what can stand in an array.
    case scalar
    /// An array, or a string column as the array of its values.
    case arrayOrText
    /// What CONCAT takes: strings, and numbers as their text.
    case printable
    case address
  }

  package enum Result: Sendable {
    case boolean, integer, bigint, double, varchar, timestamp, json
    /// The type of the argument at that index.
    case argument(Int)
    case arrayOf(Int)
    case elementOf(Int)
    case varcharArray
    /// The least restrictive of all arguments.
    case common
    case custom(@Sendable ([TypedExpression]) -> SQLType?)
  }

  package var operands: [Operand]
  /// How many of the operands must be there; the last repeats when `isVariadic`.
  package var required: Int
  package var isVariadic: Bool
  package var result: Result
  /// Whether the answer may be NULL although no argument is.
  package var isNullable: Bool
  /// The answer may be infinite or not a number.
  package var isWild: Bool

  init(
    _ operands: [Operand], required: Int? = nil, variadic: Bool = false, _ result: Result,
    nullable: Bool = false, wild: Bool = false
  ) {
    self.operands = operands
    self.required = required ?? operands.count
    self.isVariadic = variadic
    self.result = result
    self.isNullable = nullable
    self.isWild = wild
  }

  func operand(at index: Int) -> Operand { operands[min(index, operands.count - 1)] }

  func accepts(count: Int) -> Bool {
    count >= required && (isVariadic || count <= operands.count)
  }

  package static let scalars: [String: FunctionSignature] = {
    var table = numeric
    table.merge(string) { first, _ in first }
    table.merge(time) { first, _ in first }
    table.merge(multiple) { first, _ in first }
    table.merge(array) { first, _ in first }
    table.merge(nested) { first, _ in first }
    return table
  }()

  private static let numeric: [String: FunctionSignature] = {
    var table: [String: FunctionSignature] = [
      "ABS": .init([.number], .argument(0)),
      "ROUND": .init([.number, .constantInteger], required: 1, .argument(0)),
      "TRUNCATE": .init([.number, .constantInteger], required: 1, .argument(0)),
      "TRUNC": .init([.number, .constantInteger], required: 1, .argument(0)),
      "FLOOR": .init([.number], .argument(0)), "CEIL": .init([.number], .argument(0)),
      "CEILING": .init([.number], .argument(0)),
      "MOD": .init([.integer, .integer], .argument(1)),
      "POWER": .init([.number, .number], .double, wild: true),
      "ATAN2": .init([.number, .number], .double),
      "DIV": .init(
        [.integer, .integer], .custom { SQLType.arithmetic("/", $0[0].type, $0[1].type) }),
      "BITWISE_COMPLEMENT": .init([.integer], .bigint),
      "BITWISE_CONVERT_LONG_BITS_TO_DOUBLE": .init([.integer], .double, wild: true),
      "BITWISE_CONVERT_DOUBLE_TO_LONG_BITS": .init([.number], .bigint),
      "SAFE_DIVIDE": .init(
        [.number, .number],
        .custom { SQLType.arithmetic("/", $0[0].type, $0[1].type)?.nullable(true) }),
    ]
    for name in ["SQRT", "LN", "LOG10", "ASIN", "ACOS", "EXP", "COT", "TAN", "SIN", "COS"] {
      table[name] = .init([.number], .double, wild: true)
    }
    for name in ["ATAN", "DEGREES", "RADIANS"] { table[name] = .init([.number], .double) }
    for name in ["AND", "OR", "XOR", "SHIFT_LEFT", "SHIFT_RIGHT"] {
      table["BITWISE_" + name] = .init([.integer, .integer], .bigint)
    }
    return table
  }()

  private static let string: [String: FunctionSignature] = {
    var table: [String: FunctionSignature] = [
      "UPPER": .init([.string], .argument(0)), "LOWER": .init([.string], .argument(0)),
      "SUBSTRING": .init(
        [.string, .integer, .integer], required: 2, .argument(0), nullable: true),
      "SUBSTR": .init([.string, .integer, .integer], required: 2, .argument(0), nullable: true),
      "LEFT": .init([.string, .integer], .varchar), "RIGHT": .init([.string, .integer], .varchar),
      "CONCAT": .init([.printable], variadic: true, .varchar),
      "TEXTCAT": .init([.string, .string], .varchar),
      "REPLACE": .init([.string, .string, .string], .varchar),
      "LTRIM": .init([.string, .string], required: 1, .varchar),
      "RTRIM": .init([.string, .string], required: 1, .varchar),
      "BTRIM": .init([.string, .string], required: 1, .varchar),
      "REVERSE": .init([.string], .varchar),
      "REPEAT": .init([.string, .integer], .varchar),
      "LPAD": .init([.string, .integer, .string], required: 2, .varchar),
      "RPAD": .init([.string, .integer, .string], required: 2, .varchar),
      "POSITION": .init([.string, .string, .integer], required: 2, .integer),
      "STRPOS": .init([.string, .string], .integer),
      "CONTAINS_STRING": .init([.string, .constantText], .boolean),
      "ICONTAINS_STRING": .init([.string, .constantText], .boolean),
      "REGEXP_LIKE": .init([.string, .constantText], .boolean),
      "REGEXP_EXTRACT": .init(
        [.string, .constantText, .constantInteger], required: 2, .varchar, nullable: true),
      "REGEXP_REPLACE": .init([.string, .constantText, .string], .varchar),
      "STRING_FORMAT": .init([.string, .any], required: 1, variadic: true, .varchar),
      "PARSE_LONG": .init([.string, .constantInteger], required: 1, .bigint, nullable: true),
      "DECODE_BASE64_UTF8": .init([.string], .varchar),
      "IPV4_MATCH": .init([.address, .constantText], .boolean),
      "IPV4_PARSE": .init([.address], .integer, nullable: true),
      "IPV4_STRINGIFY": .init([.address], .varchar, nullable: true),
    ]
    for name in ["BINARY_BYTE", "DECIMAL_BYTE", "DECIMAL"] {
      table["HUMAN_READABLE_\(name)_FORMAT"] = .init(
        [.number, .constantInteger], required: 1, .varchar)
    }
    for name in ["CHAR_LENGTH", "CHARACTER_LENGTH", "LENGTH", "STRLEN"] {
      table[name] = .init([.string], .integer)
    }
    return table
  }()

  private static let time: [String: FunctionSignature] = [
    "TIME_FLOOR": .init([.time, .constantText, .time, .constantText], required: 2, .timestamp),
    "TIME_CEIL": .init([.time, .constantText, .time, .constantText], required: 2, .timestamp),
    "TIME_SHIFT": .init([.time, .constantText, .integer, .constantText], required: 3, .timestamp),
    "TIME_EXTRACT": .init([.time, .constantText, .constantText], required: 2, .bigint),
    "TIME_PARSE": .init(
      [.string, .constantText, .constantText], required: 1, .timestamp, nullable: true),
    "TIME_FORMAT": .init([.time, .constantText, .constantText], required: 1, .varchar),
    "TIME_IN_INTERVAL": .init([.time, .string], .boolean),
    "DATE_TRUNC": .init([.constantText, .time], .timestamp),
    "TIMESTAMP_TO_MILLIS": .init([.time], .bigint),
    "MILLIS_TO_TIMESTAMP": .init([.integer], .timestamp),
  ]

  private static let multiple: [String: FunctionSignature] = [
    "MV_LENGTH": .init([.multiple], .integer),
    "MV_CONTAINS": .init([.multiple, .any], .boolean),
    "MV_OVERLAP": .init([.multiple, .any], .boolean),
    "MV_TO_STRING": .init([.multiple, .constantText], .varchar),
    "MV_SLICE": .init([.multiple, .integer, .integer], required: 2, .varchar, nullable: true),
    "MV_OFFSET": .init([.multiple, .constantInteger], .varchar, nullable: true),
    "MV_ORDINAL": .init([.multiple, .constantInteger], .varchar, nullable: true),
    "MV_FILTER_ONLY": .init([.multiple, .array], .varchar, nullable: true),
    "MV_FILTER_NONE": .init([.multiple, .array], .varchar, nullable: true),
    "MV_TO_ARRAY": .init([.multiple], .varcharArray),
    "MV_APPEND": .init([.multiple, .string], .varchar),
    "MV_PREPEND": .init([.string, .multiple], .varchar),
    "MV_CONCAT": .init([.multiple, .multiple], .varchar),
    "MV_OFFSET_OF": .init([.multiple, .string], .integer, nullable: true),
    "MV_ORDINAL_OF": .init([.multiple, .string], .integer, nullable: true),
    "STRING_TO_MV": .init([.string, .constantText], .varchar),
    "ARRAY_TO_MV": .init([.array], .varchar, nullable: true),
  ]

  private static let array: [String: FunctionSignature] = [
    "ARRAY_LENGTH": .init([.arrayOrText], .integer),
    "ARRAY_OFFSET": .init([.arrayOrText, .integer], .elementOf(0), nullable: true),
    "ARRAY_ORDINAL": .init([.arrayOrText, .integer], .elementOf(0), nullable: true),
    "ARRAY_CONTAINS": .init([.arrayOrText, .any], .boolean),
    "ARRAY_OVERLAP": .init([.arrayOrText, .arrayOrText], .boolean),
    "ARRAY_CONCAT": .init([.arrayOrText, .arrayOrText], .argument(0)),
    "ARRAY_APPEND": .init([.arrayOrText, .scalar], .argument(0)),
    "ARRAY_PREPEND": .init([.scalar, .arrayOrText], .argument(1)),
    "ARRAY_SLICE": .init(
      [.arrayOrText, .integer, .integer], required: 2, .argument(0), nullable: true),
    "ARRAY_QUANTILE": .init([.array, .number], .double, nullable: true),
    "ARRAY_TO_STRING": .init([.arrayOrText, .constantText], .varchar),
    "STRING_TO_ARRAY": .init([.string, .constantText], .varcharArray),
    "ARRAY_OFFSET_OF": .init([.arrayOrText, .scalar], .integer, nullable: true),
    "ARRAY_ORDINAL_OF": .init([.arrayOrText, .scalar], .integer, nullable: true),
  ]

  private static let nested: [String: FunctionSignature] = [
    "TO_JSON_STRING": .init([.json], .varchar), "PARSE_JSON": .init([.string], .json),
    "TRY_PARSE_JSON": .init([.string], .json, nullable: true),
  ]

  /// Functions that exist in Druid and are refused here by name, so that the error is not "no such function".
  package static let unsupported: Set<String> = [
    "LOOKUP", "JSON_PATHS", "JSON_MERGE", "BLOOM_FILTER_TEST", "IPV6_MATCH",
    "COMPLEX_DECODE_BASE64", "DECODE_BASE64_COMPLEX", "HLL_SKETCH_ESTIMATE",
    "THETA_SKETCH_ESTIMATE",
    "APPROX_QUANTILE", "APPROX_QUANTILE_FIXED_BUCKETS", "DS_HLL", "DS_THETA", "DS_QUANTILES_SKETCH",
    "DS_GET_QUANTILE", "DS_RANK", "DS_CDF", "DS_HISTOGRAM", "JSON_QUERY_ARRAY", "OVERLAY",
    "TRANSLATE", "EXTRACT",
    "JSON_EXISTS", "JSON_ARRAY", "JSON_OBJECTAGG", "JSON_ARRAYAGG", "NVL2", "DECODE", "IF",
    "CONVERT", "OCTET_LENGTH", "CARDINALITY", "ELEMENT", "CHR", "HOUR", "MINUTE", "SECOND", "YEAR",
    "MONTH", "QUARTER", "WEEK", "DAYOFMONTH", "DAYOFWEEK", "DAYOFYEAR", "CURRENT_TIME",
    "LOCALTIME", "USER", "CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "LOCALTIMESTAMP",
    "VAR_POP", "TABLE_APPEND", "EXTERN", "INLINE", "HTTP", "LOCALFILES", "S3", "RAND", "RANDOM",
    "ROW", "MULTISET", "COLLECT", "GROUPING_ID", "GROUP_ID", "SOME", "EVERY", "FUSION", "MODE",
    "NTH_VALUE", "CLASSIFIER", "MATCH_NUMBER", "RUNNING", "PREV", "NEXT", "FIRST", "LAST",
    "PERCENTILE_CONT", "PERCENTILE_DISC", "SESSION", "HOP", "TUMBLE", "APPROX_TOP_K",
    "SPECIFIC", "NEW", "PERIOD", "UNIQUE", "MIN_BY", "MAX_BY", "ARG_MIN", "ARG_MAX", "DATEDIFF",
  ]
}
