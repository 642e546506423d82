import JavaValues

extension Function {
  static let coalesce = Function(
    "COALESCE", aliases: ["NVL", "IFNULL"], "The first of several values that is not NULL.",
    .init([.any], variadic: true, .common), .mapsValues,
    binding: .custom { resolver, call throws(SQLFailure) in
      try resolver.coalesce(call.name, call.arguments, at: call.range)
    },
    spelling: { "COALESCE(" + $0.values.joined(separator: ", ") + ")" })
  static let greatest = extreme("GREATEST", "The greatest of several values, ignoring NULL.") {
    $1.isNull || $1.precedes($0) ? $0 : $1
  }
  static let least = extreme("LEAST", "The least of several values, ignoring NULL.") {
    $1.isNull || !$0.isNull && !$1.precedes($0) ? $0 : $1
  }

  static let choices: [Function] = [
    coalesce, greatest, least,
    Function(
      "NULLIF", "NULL where two values are equal, else the first.",
      .init([.any, .any], .argument(0)),
      binding: .custom { resolver, call throws(SQLFailure) in
        try resolver.nullIf(call.arguments, at: call.range)
      }),
  ]

  private static func extreme(
    _ name: String, _ summary: String,
    _ choose: @escaping @Sendable (SQLValue, SQLValue) -> SQLValue
  ) -> Function {
    Function(
      name, summary, .init([.any], required: 1, variadic: true, .common),
      binding: .custom { resolver, call throws(SQLFailure) in
        try resolver.extreme(call.function, call.arguments, at: call.range)
      },
      kernels: [
        .scalar(name.lowercased(), 1...Kernel.mostArguments, isStrict: false) {
          arguments, _ throws(ValueFailure) in arguments.reduce(.null, choose)
        }
      ])
  }
}
