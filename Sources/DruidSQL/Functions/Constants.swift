import JavaValues

/// Calls of constants, which Druid's planner works out: what fails in one fails before any row is read.
extension Resolver {
  /// Notes the failure of a call of constants.
  func failInPlanning(_ call: TypedExpression) {
    guard call.isConstant, case .call(let function, _) = call.node, function.isPlain else { return }
    do throws(ValueFailure) {
      _ = try call.constantValue(ValueContext(limits: Self.planningLimits()) { _ in nil })
    } catch {
      switch error {
      case .invalid(let words): failInPlanning(.uncategorized(words))
      case .uncategorized(let words):
        var failure = SQLFailure.uncategorized(words)
        if words.hasSuffix("encountered unknown exception.") { failure.category = .defensive }
        failInPlanning(failure)
      case .invalidConstant(let words): failInPlanning(.planning(words))
      case .divisionByZero, .unsupported, .overflow, .interrupted: break
      }
    }
  }

  /// Some milliseconds of work: what takes longer shows whether it fails when the statement runs.
  private static func planningLimits() -> QueryLimits {
    var looks = 0
    return QueryLimits {
      looks += 1
      return looks > 20
    }
  }
}

extension Function {
  /// Whether a call is one of the kernel that has the function's name, and no zone has a part in it.
  fileprivate var isPlain: Bool { spelling == nil && plainKernel != nil && !usesZone }

  fileprivate var plainKernel: Kernel? {
    kernels.first { $0.name == "druid_" + name.lowercased() }
  }

  private var usesZone: Bool { name.hasPrefix("TIME_") }
}

extension TypedExpression {
  /// The value of a constant; nil where that takes more than is known here.
  fileprivate func constantValue(_ context: ValueContext) throws(ValueFailure) -> SQLValue? {
    switch node {
    case .constant(let constant): return constant.value
    case .call(let function, let operands):
      guard function.isPlain, let kernel = function.plainKernel,
        var values = try Self.values(operands, context)
      else { return nil }
      let missing = function.signature.operands.count - values.count
      for text in missing > 0 ? function.signature.defaults.suffix(missing) : [] {
        values.append(
          Int64(text).map { .integer($0) }
            ?? .text(String(text.dropFirst().dropLast())))
      }
      guard kernel.arity.contains(values.count) else { return nil }
      return try kernel(values, context)
    case .operation(.concat, let operands):
      guard let values = try Self.values(operands, context) else { return nil }
      let texts = values.compactMap(\.text)
      return texts.count == values.count ? .text(texts.joined()) : .null
    case .operation(.print, let operands):
      guard let value = try operands[0].constantValue(context) else { return nil }
      return value.text.map { .text($0) } ?? .null
    default: return nil
    }
  }

  private static func values(
    _ operands: [TypedExpression], _ context: ValueContext
  ) throws(ValueFailure) -> [SQLValue]? {
    var values: [SQLValue] = []
    for operand in operands {
      guard let value = try operand.constantValue(context) else { return nil }
      values.append(value)
    }
    return values
  }
}

extension TypedExpression.Constant {
  fileprivate var value: SQLValue? {
    switch self {
    case .null: .null
    case .text(let text): .text(text)
    case .long(let value): .integer(value)
    case .double(let value): .double(value)
    case .boolean(let value): .boolean(value)
    case .localTime: nil
    }
  }
}
