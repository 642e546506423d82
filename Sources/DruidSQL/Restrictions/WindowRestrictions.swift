/// A window function whose arguments and window are bound.
struct BoundWindow {
  let name: String
  let function: Function
  let arguments: [TypedExpression]
  let partition: [TypedExpression]
  let order: [OrderKey]
  let call: PlacedCall
}

/// The frame of a window function.
struct FramedCall {
  let frame: WindowFrame
  let function: Function
  /// Whether the window has ORDER BY. Without it every row sees its whole partition.
  let hasOrder: Bool
  /// Where the window stands, and where the function's name.
  let window: SourceRange
  let name: SourceRange
}

extension Restrictions {
  /// Where a window function may not stand.
  static let windowPlaces: [Restriction<PlacedCall>] = [
    Restriction(
      "window function inside an aggregate",
      druid: "Refuses it as an aggregate in another, at the outer one."
    ) { placed throws(SQLFailure) in
      if let outer = placed.place.aggregate { throw .nestedAggregate(at: outer) }
    },
    Restriction(
      "window function in a clause that takes none",
      druid: "Refuses it in WHERE, GROUP BY, ON and FROM."
    ) { placed throws(SQLFailure) in
      guard let clause = placed.place.clause else { return }
      throw SQLFailure(
        "Windowed aggregate expression is illegal in \(clause) clause", at: placed.name)
    },
    Restriction(
      "window function inside a window",
      druid: "Refuses it in the arguments of a window function and in OVER alike."
    ) { placed throws(SQLFailure) in
      if placed.place.isInWindow {
        throw SQLFailure("ORDER BY expression should not contain OVER clause", at: placed.range)
      }
    },
  ]

  /// What a call with OVER may not be.
  static let windowedCalls: [Restriction<PlacedCall>] = [
    Restriction(
      "IGNORE NULLS or RESPECT NULLS of a window function", druid: "Has no such functions."
    ) { placed throws(SQLFailure) in try placed.refuseNulls() },
    Restriction(
      "OVER behind anything but an aggregate",
      druid: "Refuses it, and an aggregate with FILTER as well."
    ) { placed throws(SQLFailure) in
      let isAggregate = placed.function?.isAggregate == true || placed.function?.isWindow == true
      if placed.call.filter != nil || !isAggregate {
        throw SQLFailure("OVER must be applied to aggregate function", at: placed.name)
      }
    },
    Restriction(
      "DISTINCT with OVER", druid: "Refuses it, at the window."
    ) { placed throws(SQLFailure) in
      if placed.call.isDistinct == true {
        throw SQLFailure(
          "DISTINCT is not supported for window functions", at: placed.call.over?.range)
      }
    },
    Restriction(
      "ORDER BY or WITHIN GROUP of a window function",
      druid: "Not recorded."
    ) { placed throws(SQLFailure) in
      if !placed.call.orderBy.isEmpty || !placed.call.withinGroup.isEmpty {
        throw .unknown("This form of window function", at: placed.range)
      }
    },
    Restriction(
      "window function in HAVING", druid: "Refuses it."
    ) { placed throws(SQLFailure) in
      if !placed.place.allowsWindows {
        throw SQLFailure("Window functions are not allowed in HAVING", at: placed.name)
      }
    },
    aliases("alias inside a window function"),
  ]

  /// What a window may not be made of.
  static let windows: [Restriction<BoundWindow>] = [
    Restriction(
      "window over a list",
      druid: "Not recorded."
    ) { bound throws(SQLFailure) in
      if (bound.partition + bound.order.map(\.expression)).contains(where: \.isList) {
        throw .unknown("A window over this", at: bound.call.range)
      }
    },
    Restriction(
      "number of arguments of a window function",
      druid: "Refuses the call, and names the fewest arguments."
    ) { bound throws(SQLFailure) in
      let signature = bound.function.signature
      if bound.function != .count, !signature.accepts(count: bound.arguments.count) {
        throw .argumentCount(of: bound.name, max(1, signature.required), at: bound.call.name)
      }
    },
    Restriction(
      "window function of a list", druid: "Cannot hold multi-value columns in its frames."
    ) { bound throws(SQLFailure) in
      if bound.arguments.contains(where: \.isList) {
        throw .unknown("\(bound.name) OVER of this", at: bound.call.range)
      }
    },
  ]

  /// What Druid refuses of frames: first Calcite's validator, then
  /// `DruidSqlValidator.validateWindow`.
  static let frames: [Restriction<FramedCall>] = frameBounds + framedFunctions

  private static let frameBounds: [Restriction<FramedCall>] = [
    Restriction(
      "frame bound other than a number", druid: "Takes a number, a name, or an interval in RANGE."
    ) { framed throws(SQLFailure) in
      let frame = framed.frame
      for (bound, range) in [
        (frame.start, frame.startRange), (frame.end ?? .currentRow, frame.endRange),
      ] {
        switch bound.distance?.kind {
        case nil, .literal(.integer), .name: break
        case .literal(.interval) where frame.unit == .range: break
        default:
          throw SQLFailure(
            "\(frame.unit.rawValue) value must be a non-negative integral constant",
            at: range)
        }
      }
    },
    Restriction(
      "frame that starts at its end", druid: "Refuses UNBOUNDED FOLLOWING as the lower bound."
    ) { framed throws(SQLFailure) in
      if framed.frame.end != nil, case .unboundedFollowing = framed.frame.start {
        throw SQLFailure(
          "UNBOUNDED FOLLOWING cannot be specified for the lower frame boundary",
          at: framed.frame.startRange)
      }
    },
    Restriction(
      "frame whose bounds are the wrong way round",
      druid: "Names the upper bound that cannot follow the lower one."
    ) { framed throws(SQLFailure) in
      guard let end = framed.frame.end else { return }
      let words: String
      switch (framed.frame.start, end) {
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
      throw SQLFailure(words, at: framed.frame.endRange)
    },
  ]

  private static let framedFunctions: [Restriction<FramedCall>] = [
    Restriction(
      "frame bound that is computed", druid: "Takes whole numbers alone."
    ) { framed throws(SQLFailure) in
      let bounds = [framed.frame.start, framed.frame.end ?? .currentRow]
      for case .some(let distance) in bounds.map(\.distance) {
        if case .literal(.integer) = distance.kind { continue }
        throw .computedFrame(at: framed.window)
      }
    },
    Restriction("frame of NTILE", druid: "Refuses it.") { framed throws(SQLFailure) in
      if framed.function == .ntile {
        throw SQLFailure("Framing of NTILE is not supported.", at: framed.name)
      }
    },
    Restriction(
      "frame of FIRST_VALUE or LAST_VALUE that counts rows",
      druid: "Takes UNBOUNDED and CURRENT ROW alone for them."
    ) { framed throws(SQLFailure) in
      let isEdge = framed.function == .firstValue || framed.function == .lastValue
      if isEdge, !framed.frame.isPlain {
        throw SQLFailure(
          "Framing of FIRST_VALUE/LAST_VALUE is only allowed with UNBOUNDED or CURRENT ROW.",
          at: framed.name)
      }
    },
    Restriction(
      "RANGE that counts values",
      druid: "Refuses it unless windowingStrictValidation is false, for its results are not right."
    ) { framed throws(SQLFailure) in
      if framed.frame.unit == .range, !framed.frame.isPlain {
        throw SQLFailure(
          "The query contains a window frame which may return incorrect results. To disregard this "
            + "warning, set [windowingStrictValidation] to false in the query context.",
          at: framed.window)
      }
    },
    Restriction(
      "frame bound of a billion rows", druid: "Not recorded; refused here as a computed bound is."
    ) { framed throws(SQLFailure) in
      let (start, end) = framed.frame.bounds
      for case .some(let distance) in [start, end].map(\.distance)
      where framed.hasOrder && distance.rows == nil {
        throw .computedFrame(at: distance.range)
      }
    },
    Restriction(
      "frame that ends before it starts",
      druid: "Has no rows in it when both bounds lie on one side; the rest is not recorded."
    ) { framed throws(SQLFailure) in
      let (start, end) = (framed.frame.bounds.0.position, framed.frame.bounds.1.position)
      if framed.hasOrder, start > end, start.signum() != end.signum() || start == 0 {
        throw .unknown("A frame that ends before it starts", at: framed.frame.range)
      }
    },
  ]
}

extension SQLFailure {
  fileprivate static func computedFrame(at range: SourceRange) -> SQLFailure {
    SQLFailure(
      "Window frames with expression based lower/upper bounds are not supported.", at: range)
  }
}

extension TypedExpression {
  /// Whether it may hold more than one value, or a sketch.
  fileprivate var isList: Bool { isMultiple || type.isArray || type.isComplex }
}

extension Expression {
  /// The number of rows of a frame's bound, less than a billion.
  var rows: Int64? {
    guard case .literal(.integer(let digits)) = kind, let count = Int64(digits),
      count < 1_000_000_000
    else { return nil }
    return count
  }
}

extension WindowFrame.Bound {
  /// How far from the current row it is.
  var distance: Expression? {
    switch self {
    case .preceding(let distance), .following(let distance): distance
    case .unboundedPreceding, .currentRow, .unboundedFollowing: nil
    }
  }

  fileprivate var position: Int64 {
    switch self {
    case .unboundedPreceding: .min
    case .unboundedFollowing: .max
    case .currentRow: 0
    case .preceding(let distance): -(distance.rows ?? 0)
    case .following(let distance): distance.rows ?? 0
    }
  }
}

extension WindowFrame {
  /// Start and end of the frame. An omitted bound is the current row: the start if the given bound
  /// is FOLLOWING, else the end.
  var bounds: (Bound, Bound) {
    switch (start, end) {
    case (_, let end?): (start, end)
    case (.following, nil), (.unboundedFollowing, nil): (.currentRow, start)
    default: (start, .currentRow)
    }
  }

  /// Whether it has no bound that counts rows.
  fileprivate var isPlain: Bool {
    [start, end ?? .currentRow].allSatisfy { $0.distance == nil }
  }
}

extension WindowReference {
  var range: SourceRange {
    switch self {
    case .specification(let specification): specification.range
    case .name(let name): name.range
    }
  }
}
