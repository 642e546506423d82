extension Resolver {
  func window(
    _ name: String, _ call: FunctionCall, in scope: Scope, _ place: Place, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let here = call.position.range
    if let outer = place.aggregate {
      throw SQLFailure("Aggregate expressions cannot be nested", at: outer)
    }
    if let clause = place.clause {
      throw SQLFailure("Windowed aggregate expression is illegal in \(clause) clause", at: here)
    }
    if place.isInWindow {
      throw SQLFailure("ORDER BY expression should not contain OVER clause", at: range)
    }
    guard let over = call.over else { throw .unknown("This form of window function", at: range) }
    let named = Function.named(name)
    let plain = try self.arguments(call, named, in: scope, place)
    guard let named else { throw noFunction(call.name.text, plain, at: here) }
    if let nulls = call.nulls {
      throw SQLFailure(
        "No match found for function signature \(nulls.rawValue)", at: call.nullsPosition.range)
    }
    if call.filter != nil || !named.isAggregate && !named.isWindow {
      throw SQLFailure("OVER must be applied to aggregate function", at: here)
    }
    if call.isDistinct == true {
      throw SQLFailure("DISTINCT is not supported for window functions", at: over.range)
    }
    guard call.orderBy.isEmpty, call.withinGroup.isEmpty else {
      throw .unknown("This form of window function", at: range)
    }
    if !place.allowsWindows {
      throw SQLFailure("Window functions are not allowed in HAVING", at: here)
    }
    if place.prefersAliases { try refuseAliases(of: call, place, at: range) }
    var inner = place
    inner.isInWindow = true
    inner.aliases = [:]
    let specification = try self.specification(over, place)
    if named.isNeighbour, let frame = specification.frame {
      throw SQLFailure(
        "ROW/RANGE not allowed with RANK, DENSE_RANK, ROW_NUMBER or PERCENTILE_CONT/DISC functions",
        at: frame.range)
    }
    let partition = try resolve(specification.partitionBy, in: scope, inner)
    var order: [OrderKey] = []
    for item in specification.orderBy {
      let key = try resolve(item.expression, in: scope, inner)
      let isDescending = try self.isDescending(item)
      // A constant orders nothing.
      if key.isConstant { continue }
      order.append(OrderKey(expression: key, isDescending: isDescending))
    }
    if (partition + order.map(\.expression)).contains(where: {
      $0.isMultiple || $0.type.isArray || $0.type.isComplex
    }) {
      throw .unknown("A window over this", at: range)
    }
    var function = named
    var arguments = plain
    if function != .count, !function.signature.accepts(count: arguments.count) {
      throw SQLFailure(
        "Invalid number of arguments to function '\(name)'. Was expecting "
          + "\(max(1, function.signature.required)) arguments", at: here)
    }
    if arguments.contains(where: { $0.isMultiple || $0.type.isArray || $0.type.isComplex }) {
      throw .unknown("\(name) OVER of this", at: range)
    }
    var frame: String?
    if let written = specification.frame {
      try checkBounds(written)
      try checkFrame(written, function, over.range, call: call.name.range)
      frame = try self.frame(written, over.range, hasOrder: !order.isEmpty)
    }
    if isCurrentRow(function, frame, hasOrder: !order.isEmpty), arguments.count == 1 {
      // Druid replaces it by the current row, whichever rows tie with it
      // (`RewriteFirstValueLastValueRule`).
      (function, frame) = (.lag, nil)
      arguments.append(TypedExpression(.constant(.long(0)), .bigint.nullable(false)))
    }
    let isPlain = arguments.allSatisfy { $0.type.isNumeric || $0.type.isTime }
    let isTotal = function == .sum || function.name == "AVG"
    if case .aggregate(let bind) = function.binding,
      function.windowType == nil || isTotal && !isPlain
    {
      // As the aggregate is without a window.
      let bound = try bind(
        self,
        Function.AggregateUse(
          function: function, name: name, arguments: arguments, isDistinct: false, filter: nil,
          scope: scope, range: range))
      guard case .aggregate(let aggregate) = bound.node else {
        throw .unknown("\(name) OVER", at: range)
      }
      var window = WindowCall(
        function: aggregate.function, arguments: aggregate.arguments, partitionBy: partition,
        orderBy: order, frame: frame)
      window.isSpelt = true
      var result = TypedExpression(.window(window), bound.type, range)
      result.isWild = bound.isWild
      return result
    }
    guard let windowType = function.windowType else { throw .unknown("\(name) OVER", at: range) }
    let type = try windowType(
      Function.WindowUse(
        name: function.name, arguments: arguments, frame: frame, hasOrder: !order.isEmpty,
        range: here, window: over.range, resolver: self))
    if function.isNeighbour { (function, arguments) = neighbours(function, arguments) }
    var result = TypedExpression(
      .window(
        WindowCall(
          function: function, arguments: arguments, partitionBy: partition, orderBy: order,
          frame: frame)), type, range)
    result.isWild = type.isReal && arguments.contains(where: \.isWild)
    return result
  }

  /// LAG and LEAD without what stands in for a row that is not there, which Druid passes over; a negative offset goes the
  /// other way.
  private func neighbours(
    _ function: Function, _ arguments: [TypedExpression]
  ) -> (Function, [TypedExpression]) {
    var kept = Array(arguments.prefix(2))
    guard kept.count > 1 else { return (function, kept) }
    var function = function
    switch kept[1].constant {
    case .long(let offset) where offset < 0:
      function = function == .lag ? .lead : .lag
      kept[1].node = .constant(.long(0 &- offset))
    case .double(let offset):
      kept[1] = long(Int64(exactly: offset.rounded(.towardZero)) ?? 0)
    default: break
    }
    return (function, kept)
  }

  /// The arguments of a window function; COUNT(*) has none.
  private func arguments(
    _ call: FunctionCall, _ function: Function?, in scope: Scope, _ place: Place
  ) throws(SQLFailure) -> [TypedExpression] {
    var inner = place
    inner.isInWindow = true
    inner.aliases = [:]
    var arguments: [TypedExpression] = []
    for argument in call.arguments {
      switch argument {
      case .expression(let expression):
        arguments.append(try resolve(expression, in: scope, inner))
      case .star where function == .count: break
      case .star(let position):
        throw SQLFailure("Unknown identifier '*'", at: position.range)
      default: throw .unknown("This argument of \(call.function)", at: call.position.range)
      }
    }
    return arguments
  }

  /// What Calcite refuses of a frame's bounds.
  private func checkBounds(_ frame: WindowFrame) throws(SQLFailure) {
    for (bound, position) in [
      (frame.start, frame.startPosition), (frame.end ?? .currentRow, frame.endPosition),
    ] {
      switch bound {
      case .preceding(let count), .following(let count):
        switch count.kind {
        case .literal(.integer), .name: break
        case .literal(.interval) where frame.unit == .range: break
        default:
          throw SQLFailure(
            "\(frame.unit.rawValue) value must be a non-negative integral constant",
            at: position.range)
        }
      default: break
      }
    }
    guard let end = frame.end else { return }
    if case .unboundedFollowing = frame.start {
      throw SQLFailure(
        "UNBOUNDED FOLLOWING cannot be specified for the lower frame boundary",
        at: frame.startPosition.range)
    }
    let words: String
    switch (frame.start, end) {
    case (_, .unboundedPreceding):
      words = "UNBOUNDED PRECEDING cannot be specified for the upper frame boundary"
    case (.currentRow, .preceding):
      words = "Upper frame boundary cannot be PRECEDING when lower boundary is CURRENT ROW"
    case (.following, .currentRow):
      words = "Upper frame boundary cannot be CURRENT ROW when lower boundary is FOLLOWING"
    case (.following, .preceding):
      words = "Upper frame boundary cannot be PRECEDING when lower boundary is FOLLOWING"
    default: return
    }
    throw SQLFailure(words, at: frame.endPosition.range)
  }

  private func specification(
    _ over: WindowReference, _ place: Place
  ) throws(SQLFailure) -> WindowSpecification {
    switch over {
    case .specification(let specification): return try refined(specification, place)
    case .name(let name):
      guard let named = place.windows.first(where: { $0.name == name }) else {
        throw SQLFailure("Window '\(name.text)' not found", at: name.range)
      }
      return try refined(named.specification, place)
    }
  }

  /// A window with what the named one that it builds on has.
  private func refined(
    _ specification: WindowSpecification, _ place: Place, depth: Int = 0
  ) throws(SQLFailure) -> WindowSpecification {
    guard let base = specification.base else { return specification }
    guard depth < 20, let named = place.windows.first(where: { $0.name == base }) else {
      throw SQLFailure("Window '\(base.text)' not found", at: base.range)
    }
    let under = try refined(named.specification, place, depth: depth + 1)
    guard under.frame == nil, specification.partitionBy.isEmpty,
      under.orderBy.isEmpty || specification.orderBy.isEmpty
    else { throw .unknown("A window that refines another", at: base.range) }
    var whole = specification
    whole.base = nil
    whole.partitionBy = under.partitionBy
    if whole.orderBy.isEmpty { whole.orderBy = under.orderBy }
    return whole
  }

  func isDescending(_ item: OrderItem) throws(SQLFailure) -> Bool {
    if !item.isDescending, item.nulls == .last {
      throw SQLFailure("ASCENDING ordering with NULLS LAST is not supported!", at: item.range)
    }
    if item.isDescending, item.nulls == .first {
      throw SQLFailure("DESCENDING ordering with NULLS FIRST is not supported!", at: item.range)
    }
    return item.isDescending
  }

  /// Whether FIRST_VALUE starts, or LAST_VALUE ends, at the current row.
  private func isCurrentRow(_ function: Function, _ frame: String?, hasOrder: Bool) -> Bool {
    switch function {
    case .firstValue: hasOrder && frame?.contains("BETWEEN CURRENT ROW") == true
    case .lastValue: hasOrder && frame?.hasSuffix("AND CURRENT ROW") ?? true
    default: false
    }
  }

  /// Refuses the frames that `DruidSqlValidator.validateWindow` refuses.
  private func checkFrame(
    _ frame: WindowFrame, _ function: Function, _ window: SourceRange, call: SourceRange
  ) throws(SQLFailure) {
    for bound in [frame.start, frame.end ?? .currentRow] {
      switch bound {
      case .preceding(let count), .following(let count):
        if case .literal(.integer) = count.kind { continue }
        throw SQLFailure(
          "Window frames with expression based lower/upper bounds are not supported.", at: window)
      default: continue
      }
    }
    if function == .ntile { throw SQLFailure("Framing of NTILE is not supported.", at: call) }
    if function == .firstValue || function == .lastValue, !frame.isPlain {
      throw SQLFailure(
        "Framing of FIRST_VALUE/LAST_VALUE is only allowed with UNBOUNDED or CURRENT ROW.",
        at: call)
    }
  }

  private func frame(
    _ frame: WindowFrame, _ window: SourceRange, hasOrder: Bool
  ) throws(SQLFailure) -> String? {
    if frame.exclusion != nil { throw .unknown("EXCLUDE", at: frame.range) }
    let (start, end) = frame.bounds
    if frame.unit == .range && !frame.isPlain {
      throw SQLFailure(
        "The query contains a window frame which may return incorrect results. To disregard this "
          + "warning, set [windowingStrictValidation] to false in the query context.",
        at: window)
    }
    // Without an order every row sees its whole partition.
    if !hasOrder { return nil }
    let rank = (try position(start), try position(end))
    if rank.0 > rank.1 {
      // A frame that ends before it starts is empty.
      let (one, other) = rank.0 > 0 ? (1, 1) : (-1, -1)
      guard rank.0.signum() == one, rank.1.signum() == other else {
        throw .unknown("A frame that ends before it starts", at: frame.range)
      }
    }
    return
      "\(frame.unit.rawValue) BETWEEN \(try bound(start)) AND \(try bound(end))"
  }

  private func position(_ bound: WindowFrame.Bound) throws(SQLFailure) -> Int64 {
    switch bound {
    case .unboundedPreceding: .min
    case .unboundedFollowing: .max
    case .currentRow: 0
    case .preceding(let count): -(try self.count(count))
    case .following(let count): try self.count(count)
    }
  }

  private func bound(_ bound: WindowFrame.Bound) throws(SQLFailure) -> String {
    switch bound {
    case .unboundedPreceding: "UNBOUNDED PRECEDING"
    case .unboundedFollowing: "UNBOUNDED FOLLOWING"
    case .currentRow: "CURRENT ROW"
    case .preceding(let count): "\(try self.count(count)) PRECEDING"
    case .following(let count): "\(try self.count(count)) FOLLOWING"
    }
  }

  private func count(_ expression: Expression) throws(SQLFailure) -> Int64 {
    guard case .literal(.integer(let digits)) = expression.kind, let value = Int64(digits),
      value < 1_000_000_000
    else {
      throw SQLFailure(
        "Window frames with expression based lower/upper bounds are not supported.",
        at: expression.range)
    }
    return value
  }
}

extension Function {
  /// LAG and LEAD.
  fileprivate var isNeighbour: Bool { self == .lag || self == .lead }
}

extension WindowFrame {
  /// Start and end of the frame. An omitted bound is the current row: the start if the given bound
  /// is FOLLOWING, else the end.
  fileprivate var bounds: (Bound, Bound) {
    switch (start, end) {
    case (_, let end?): (start, end)
    case (.following, nil), (.unboundedFollowing, nil): (.currentRow, start)
    default: (start, .currentRow)
    }
  }

  /// Whether it has no bound that counts rows.
  fileprivate var isPlain: Bool {
    [start, end ?? .currentRow].allSatisfy {
      switch $0 {
      case .unboundedPreceding, .unboundedFollowing, .currentRow: true
      default: false
      }
    }
  }
}

extension WindowReference {
  fileprivate var range: SourceRange {
    switch self {
    case .specification(let specification): specification.range
    case .name(let name): name.range
    }
  }
}
