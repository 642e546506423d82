import JavaValues

extension Function {
  static let coalesce = Function(
    "COALESCE", aliases: ["NVL", "IFNULL"], "The first of several values that is not NULL.",
    .init([.any], variadic: true, .common), .mapsValues,
    binding: .custom { resolver, call throws(SQLFailure) in
      try resolver.coalesce(call.name, call.arguments, at: call.range)
    },
    spelling: { "COALESCE(" + $0.values.joined(separator: ", ") + ")" })
  static let greatest = extreme(
    "GREATEST", "The greatest of several values; NULL does not count.",
    { $1.isNull || $1.precedes($0) ? $0 : $1 },
    { $0 == $1 ? ($0.sign == .minus ? $1 : $0) : Swift.max($0, $1) })
  static let least = extreme(
    "LEAST", "The least of several values; NULL does not count.",
    { $1.isNull || !$0.isNull && !$1.precedes($0) ? $0 : $1 },
    { $0 == $1 ? ($0.sign == .minus ? $0 : $1) : Swift.min($0, $1) })

  static let choices: [Function] = [
    coalesce, greatest, least,
    Function(
      "NULLIF", "NULL where two values are equal, else the first.",
      .init([.any, .any], .argument(0)),
      binding: .custom { resolver, call throws(SQLFailure) in
        try resolver.nullIf(call.arguments, at: call.range)
      }),
  ]

  /// One body for doubles, which are Java's `Math.max` and `Math.min`, and one for all others.
  private static func extreme(
    _ name: String, _ summary: String,
    _ choose: @escaping @Sendable (SQLValue, SQLValue) -> SQLValue,
    _ chooseDouble: @escaping @Sendable (Double, Double) -> Double
  ) -> Function {
    let kernel = name.lowercased()
    return Function(
      name, summary, .init([.any], required: 0, variadic: true, .common), .mapsValues,
      binding: .custom { resolver, call throws(SQLFailure) in
        try resolver.extreme(call.function, call.arguments, at: call.range)
      },
      kernels: [
        .scalar(kernel, 1...Kernel.mostArguments, isStrict: false) {
          arguments, _ throws(ValueFailure) in arguments.reduce(.null, choose)
        },
        .scalar(kernel + "_double", 1...Kernel.mostArguments, isStrict: false) {
          arguments, _ throws(ValueFailure) in
          let values = arguments.compactMap(\.double)
          guard let first = values.first else { return .null }
          return .double(
            values.dropFirst().reduce(first) { one, other in
              one.isNaN || other.isNaN ? .nan : chooseDouble(one, other)
            })
        },
      ],
      spelling: { $0.kernel($0.whole.type.isReal ? kernel + "_double" : kernel) })
  }
}
