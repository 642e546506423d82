package import JavaValues

/// The state of an aggregate of one group.
package protocol AggregateState: AnyObject {
  func add(_ values: [SQLValue]) throws(ValueFailure)
  /// Removes a row that has left the window's frame.
  func remove(_ values: [SQLValue]) throws(ValueFailure)
  func result() throws(ValueFailure) -> SQLValue
  /// The memory it uses, in bytes, where that grows with the rows.
  var heldBytes: Int { get }
}

extension AggregateState {
  var heldBytes: Int { 0 }

  func remove(_ values: [SQLValue]) throws(ValueFailure) {
    throw .unsupported("This aggregate over a window")
  }
}

/// The sum of longs, wrapping around.
final class LongSum: AggregateState {
  private var sum: Int64 = 0
  private var count = 0

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard let value = values.first?.integer else { return }
    sum &+= value
    count += 1
  }

  func remove(_ values: [SQLValue]) throws(ValueFailure) {
    guard let value = values.first?.integer else { return }
    sum &-= value
    count -= 1
  }

  func result() -> SQLValue { count == 0 ? .null : .integer(sum) }
}

/// SUM, AVG, MIN and MAX of doubles that may be NaN.
final class WildDoubles: AggregateState {
  private let isMean: Bool
  private let combine: (Double, Double) -> Double
  private var value = 0.0
  private var count = 0

  init(isMean: Bool = false, _ combine: @escaping (Double, Double) -> Double) {
    self.isMean = isMean
    self.combine = combine
  }

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard let next = values.first?.double else { return }
    value = count == 0 ? next : next.isNaN ? next : combine(value, next)
    count += 1
  }

  func result() -> SQLValue {
    count == 0 ? .null : .double(isMean ? value / Double(count) : value)
  }
}

/// SINGLE_VALUE: what a scalar subquery is.
final class SingleValue: AggregateState {
  private var value = SQLValue.null
  private var count = 0

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    count += 1
    if count > 1 { throw .uncategorized("Subquery expression returned more than one row") }
    value = values.first ?? .null
  }

  func result() -> SQLValue { value }
}

/// BIT_OR, BIT_XOR.
final class Bits: AggregateState {
  private let combine: (Int64, Int64) -> Int64
  private var value: Int64?

  init(_ combine: @escaping (Int64, Int64) -> Int64) { self.combine = combine }

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard let next = values.first?.integer else { return }
    value = value.map { combine($0, next) } ?? next
  }

  func result() -> SQLValue { value.map { .integer($0) } ?? .null }
}

/// Druid's estimate of COUNT(DISTINCT ...).
final class DistinctCount: AggregateState {
  private var registers = HyperLogLog()

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard values.count == 2 else { return }
    switch values[0] {
    case .null: break
    case .integer(let value): registers.add(value)
    case .real(let value):
      if values[1].integer == 1 { registers.add(Float(value)) } else { registers.add(value) }
    case .text(let text): registers.add(text)
    case .blob:
      for text in values[0].texts { text.map { registers.add($0) } }
    }
  }

  func result() -> SQLValue { .integer(registers.count) }
}

/// The number of distinct values of a multi-value column. Like a sketch, it ignores empty strings.
final class MultipleDistinctCount: AggregateState {
  private var seen: Set<ExactText> = []

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    for text in values.first?.texts ?? [] {
      if let text, !text.isEmpty { seen.insert(ExactText(text)) }
    }
  }

  func result() -> SQLValue { .integer(Int64(seen.count)) }
}

/// The exact quantile, in place of Druid's sketches.
final class Quantile: AggregateState {
  private var values: [Double] = []
  private var fraction = 0.5

  func add(_ values: [SQLValue]) throws(ValueFailure) {
    guard values.count == 2, let value = values[0].double, !value.isNaN else { return }
    self.values.append(value)
    fraction = values[1].double ?? 0.5
    guard (0...1).contains(fraction) else { throw .unsupported("A quantile outside of 0 to 1") }
  }

  func result() -> SQLValue {
    guard !values.isEmpty else { return .double(.nan) }
    values.sort()
    // Druid passes the fraction as a float; its sketch rounds the conversion error away.
    let rank = (Double(Float(fraction)) * Double(values.count) * 1e7).rounded() / 1e7
    return .double(values[min(max(Int(rank.rounded(.up)) - 1, 0), values.count - 1)])
  }
}
