extension Resolver {
  func window(
    _ name: String, _ call: FunctionCall, in scope: Scope, _ place: Place, at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    if let outer = place.aggregate {
      throw SQLFailure("Aggregate expressions cannot be nested", at: outer)
    }
    guard place.allowsWindows else {
      throw SQLFailure(
        "Windowed aggregate expression is illegal in \(place.clause ?? "this") clause", at: range)
    }
    if call.isDistinct == true, let over = call.over, Function.named(name)?.isAggregate == true {
      throw SQLFailure("DISTINCT is not supported for window functions", at: over.range)
    }
    guard let over = call.over, call.isDistinct != true, call.nulls == nil, call.filter == nil,
      call.orderBy.isEmpty, call.withinGroup.isEmpty
    else { throw .unknown("This form of window function", at: range) }
    if place.prefersAliases { try refuseAliases(of: call, place, at: range) }
    var inner = place
    inner.allowsWindows = false
    inner.aliases = [:]
    let specification = try self.specification(over, place)
    let partition = try resolve(specification.partitionBy, in: scope, inner)
    var order: [OrderKey] = []
    for item in specification.orderBy {
      if case .literal = item.expression.kind {
        throw .unknown("A window ordered by a constant", at: item.range)
      }
      order.append(
        OrderKey(
          expression: try resolve(item.expression, in: scope, inner),
          isDescending: try isDescending(item)))
    }
    if (partition + order.map(\.expression)).contains(where: {
      $0.isMultiple || $0.type.isArray || $0.type.isComplex
    }) {
      throw .unknown("A window over this", at: range)
    }
    guard var function = Function.named(name) else { throw .unknown("\(name) OVER", at: range) }
    var arguments: [TypedExpression] = []
    for argument in call.arguments {
      switch argument {
      case .expression(let expression):
        arguments.append(try resolve(expression, in: scope, inner))
      case .star where function == .count: break
      default: throw .unknown("This argument of \(name)", at: range)
      }
    }
    if arguments.contains(where: { $0.isMultiple || $0.type.isArray || $0.type.isComplex }) {
      throw .unknown("\(name) OVER of this", at: range)
    }
    var frame: String?
    if let written = specification.frame {
      try checkFrame(written, function, over.range, call: call.name.range)
      frame = try self.frame(written, over.range, hasOrder: !order.isEmpty)
    }
    if isCurrentRow(function, frame, hasOrder: !order.isEmpty), arguments.count == 1 {
      // Druid replaces it by the current row, whichever rows tie with it
      // (`RewriteFirstValueLastValueRule`).
      (function, frame) = (.lag, nil)
      arguments.append(TypedExpression(.constant(.long(0)), .bigint.nullable(false)))
    }
    guard let windowType = function.windowType else { throw .unknown("\(name) OVER", at: range) }
    let type = try windowType(
      Function.WindowUse(
        name: function.name, arguments: arguments, frame: frame, hasOrder: !order.isEmpty,
        range: range))
    var result = TypedExpression(
      .window(
        WindowCall(
          function: function, arguments: arguments, partitionBy: partition, orderBy: order,
          frame: frame)), type, range)
    result.isWild = type.isReal && arguments.contains(where: \.isWild)
    return result
  }

  private func specification(
    _ over: WindowReference, _ place: Place
  ) throws(SQLFailure) -> WindowSpecification {
    switch over {
    case .specification(let specification):
      guard let base = specification.base else { return specification }
      throw .unknown("A window that refines another", at: base.range)
    case .name(let name):
      guard let named = place.windows.first(where: { $0.name == name }) else {
        throw SQLFailure("Window '\(name.text)' not found", at: name.range)
      }
      if let base = named.specification.base {
        throw .unknown("A window that refines another", at: base.range)
      }
      return named.specification
    }
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
  ) throws(SQLFailure) -> String {
    if frame.exclusion != nil { throw .unknown("EXCLUDE", at: frame.range) }
    let (start, end) = frame.bounds
    if frame.unit == .range && !frame.isPlain {
      throw SQLFailure(
        "The query contains a window frame which may return incorrect results. To disregard this "
          + "warning, set [windowingStrictValidation] to false in the query context.",
        at: window)
    }
    if !hasOrder { throw .unknown("This frame", at: frame.range) }
    let rank = (try position(start), try position(end))
    if rank.0 > rank.1 { throw .unknown("A frame that ends before it starts", at: frame.range) }
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
