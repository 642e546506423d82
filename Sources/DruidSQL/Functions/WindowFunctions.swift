extension Function {
  static let rowNumber = ranking("ROW_NUMBER", "The row's number in its window.", .bigint)
  static let lag = neighbour("LAG", "The value of a row before.")
  static let lead = neighbour("LEAD", "The value of a row behind.")
  static let firstValue = end("FIRST_VALUE", "The value of the window's first row.") {
    $0.frame?.contains("BETWEEN UNBOUNDED PRECEDING") ?? true
  }
  static let lastValue = end("LAST_VALUE", "The value of the window's last row.") {
    $0.frame?.contains("AND UNBOUNDED FOLLOWING") ?? !$0.hasOrder
  }
  static let ntile = Function(
    "NTILE", "The number of the row's bucket.", .init([.constantInteger], .bigint),
    .unlisted,
    binding: .window,
    windowType: { use throws(SQLFailure) in
      guard use.arguments.count == 1, use.arguments[0].type.isIntegral else {
        throw .call("NTILE", at: use.range)
      }
      guard case .long(let buckets)? = use.arguments[0].constant else {
        throw .notLiteral("NTILE", at: use.range)
      }
      if buckets < 1 {
        use.resolver.failInPlanning(
          .uncategorized("numBuckets[\(buckets)] must be greater than zero"))
      }
      return .bigint.nullable(false)
    })

  static let windows: [Function] = [
    rowNumber, lag, firstValue, lastValue, ntile,
    lead,
    ranking("RANK", "The row's rank, with gaps behind ties.", .bigint),
    ranking("DENSE_RANK", "The row's rank, without gaps.", .bigint),
    ranking("PERCENT_RANK", "The row's rank between 0 and 1.", .double),
    ranking("CUME_DIST", "The share of rows up to this one.", .double),
  ]

  /// The value at one end of a window whose frame reaches to the end of its partition.
  private static func end(
    _ name: String, _ summary: String, isReached: @escaping @Sendable (WindowUse) -> Bool
  ) -> Function {
    Function(
      name, summary, .init([.any], .argument(0)), .unlisted, binding: .window,
      windowType: { use throws(SQLFailure) in
        guard use.arguments.count == 1, let first = use.first else {
          throw .windowFunction(name, at: use.range)
        }
        guard isReached(use) else { throw .unknown("This frame of \(name)", at: use.range) }
        return first.nullable(true)
      })
  }

  private static func ranking(_ name: String, _ summary: String, _ type: SQLType) -> Function {
    Function(
      name, summary, .init([.any], required: 0, .bigint), .unlisted, binding: .window,
      windowType: { use throws(SQLFailure) in
        guard use.arguments.isEmpty else { throw .windowFunction(name, at: use.range) }
        if use.frame != nil { throw .unknown("A frame of \(name)", at: use.range) }
        if !use.hasOrder && name != "ROW_NUMBER" {
          throw SQLFailure(
            "RANK or DENSE_RANK functions require ORDER BY clause in window specification",
            at: use.window)
        }
        return type.nullable(false)
      })
  }

  private static func neighbour(_ name: String, _ summary: String) -> Function {
    Function(
      name, summary, .init([.any, .constantInteger, .any], required: 1, .argument(0)), .unlisted,
      binding: .window,
      windowType: { use throws(SQLFailure) in
        guard let first = use.first else { throw .windowFunction(name, at: use.range) }
        if use.arguments[0].isConstant {
          use.resolver.failInPlanning(.uncategorized("index (1) must be less than size (1)"))
        }
        if use.arguments.count > 1 {
          let offset = use.arguments[1]
          if offset.isNullConstant || offset.type.isCharacter || !offset.isConstant {
            use.resolver.failInPlanning(.uncategorized("Index -3 out of bounds for length 0"))
          }
        }
        return first.nullable(true)
      })
  }
}
