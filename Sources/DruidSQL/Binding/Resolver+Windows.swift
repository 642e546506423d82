extension Resolver {
  func window(
    _ call: FunctionCall, over: WindowReference, in scope: Scope, _ place: Place,
    at range: SourceRange
  ) throws(SQLFailure) -> TypedExpression {
    let (name, here) = (call.function, call.range)
    let named = Function.named(name)
    let placed = PlacedCall(call: call, function: named, place: place, range: range)
    try Restrictions.windowPlaces.check(placed)
    let plain = try self.arguments(call, named, in: scope, place)
    guard let named else { throw noFunction(call.name.text, plain, at: here) }
    try Restrictions.windowedCalls.check(placed)
    var inner = place
    inner.isInWindow = true
    inner.aliases = [:]
    let specification = try self.specification(over, place)
    if named.isNeighbour, let frame = specification.frame {
      throw .frameOfRank(at: frame.range)
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
    try Restrictions.windows.check(
      BoundWindow(
        name: name, function: named, arguments: plain, partition: partition, order: order,
        call: placed))
    var function = named
    var arguments = plain
    var frame: String?
    if let written = specification.frame {
      try Restrictions.frames.check(
        FramedCall(
          frame: written, function: function, hasOrder: !order.isEmpty, window: over.range,
          name: call.name.range))
      if !order.isEmpty { frame = self.frame(written) }
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
        throw .windowFunction(name, at: range)
      }
      var window = WindowCall(
        function: aggregate.function, arguments: aggregate.arguments, partitionBy: partition,
        orderBy: order, frame: frame)
      window.isSpelt = true
      var result = TypedExpression(.window(window), bound.type, range)
      result.isWild = bound.isWild
      return result
    }
    guard let windowType = function.windowType else { throw .windowFunction(name, at: range) }
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
      case .star(let position): throw .unknownIdentifier("*", at: position.range)
      default: throw .argument(of: call.function, at: call.range)
      }
    }
    return arguments
  }

  private func specification(
    _ over: WindowReference, _ place: Place
  ) throws(SQLFailure) -> WindowSpecification {
    switch over {
    case .specification(let specification): return try refined(specification, place)
    case .name(let name):
      guard let named = place.windows.first(where: { $0.name == name }) else {
        throw .windowNotFound(name.text, at: name.range)
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
      throw .windowNotFound(base.text, at: base.range)
    }
    let under = try refined(named.specification, place, depth: depth + 1)
    guard under.frame == nil, specification.partitionBy.isEmpty,
      under.orderBy.isEmpty || specification.orderBy.isEmpty
    else { throw .uncertain(.refinedWindow, at: base.range) }
    var whole = specification
    whole.base = nil
    whole.partitionBy = under.partitionBy
    if whole.orderBy.isEmpty { whole.orderBy = under.orderBy }
    return whole
  }

  func isDescending(_ item: OrderItem) throws(SQLFailure) -> Bool {
    if !item.isDescending, item.nulls == .last {
      throw .invalid(.nullsLast, at: item.range)
    }
    if item.isDescending, item.nulls == .first {
      throw .invalid(.nullsFirst, at: item.range)
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

  /// The frame in SQLite's syntax.
  private func frame(_ frame: WindowFrame) -> String {
    let (start, end) = frame.bounds
    return "\(frame.unit.rawValue) BETWEEN \(bound(start)) AND \(bound(end))"
  }

  private func bound(_ bound: WindowFrame.Bound) -> String {
    switch bound {
    case .unboundedPreceding: "UNBOUNDED PRECEDING"
    case .unboundedFollowing: "UNBOUNDED FOLLOWING"
    case .currentRow: "CURRENT ROW"
    case .preceding(let distance): "\(distance.rows ?? 0) PRECEDING"
    case .following(let distance): "\(distance.rows ?? 0) FOLLOWING"
    }
  }
}

extension Function {
  /// LAG and LEAD.
  fileprivate var isNeighbour: Bool { self == .lag || self == .lead }
}
