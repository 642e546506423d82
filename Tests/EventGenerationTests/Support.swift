import Foundation
import Testing

@testable import EventGeneration

/// 2026-01-05, a Monday, midnight UTC.
let monday: Int64 = 1_767_571_200

/// A small shop that a debug build creates quickly.
func shop(
  seed: UInt64 = 1, rate: Double = 3, _ change: (inout Model.Settings) -> Void = { _ in }
) -> Model {
  var settings = Model.Settings()
  settings.seed = seed
  settings.rate = rate
  settings.products = 200
  change(&settings)
  return Model(settings)
}

/// The output of a run.
struct Printed {
  var bytes: [UInt8] = []
  var labels = ""

  var lines: [String] {
    bytes.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
  }
}

/// Runs a stream to its end; time advances in steps of `step` / 2^32 seconds.
func run(
  _ model: Model, _ part: EventStream.Part, anomalies: [Anomaly] = [],
  random: RandomAnomalies? = nil, dirt: Dirt = Dirt(), step: UInt64? = nil,
  store: (any BlockStore)? = nil
) -> Printed {
  var stream = EventStream(
    model, part, anomalies: anomalies, random: random, dirt: dirt, store: store)
  stream.recordsDirt = true
  var block = LineBlock()
  var printed = Printed()
  var due = step == nil ? Moment.distantFuture : Moment(second: part.start - 1, fraction: 0)
  while true {
    guard let pause = try? stream.fill(&block, through: due) else {
      Issue.record("the store failed")
      return printed
    }
    unsafe block.bytes.withUnsafeBytes { unsafe printed.bytes.append(contentsOf: $0) }
    block.removeAll()
    printed.labels += stream.takeLabels()
    switch pause {
    case .ended: return printed
    case .full: break
    case .wait(let moment):
      let fraction = max(due, moment).fraction + (step ?? 0)
      due = Moment(
        second: max(due, moment).second + Int64(fraction >> 32), fraction: fraction & 0xffff_ffff)
    }
  }
}

/// A line as a consumer decodes it.
struct Record: Decodable, Hashable {
  let user_id: Int
  let event_type: String
  let country: String
  let city: String
  let device: String
  let product_id: Int
  let price: Double
  let quantity: Int
  let timestamp: Int64
}

/// Parses lines by their fixed form, which is many times faster than a JSON decoder; other tests
/// check that they are JSON.
func records(_ lines: [String]) throws -> [Record] {
  try lines.map { line in
    let values = line.utf8.dropFirst().dropLast().split(separator: UInt8(ascii: ",")).map { field in
      let colon = field.firstIndex(of: UInt8(ascii: ":")) ?? field.endIndex
      return String(Substring(field[colon...].dropFirst())).filter { $0 != "\"" }
    }
    guard values.count == 9, let user = Int(values[0]), let product = Int(values[5]),
      let price = Double(values[6]), let quantity = Int(values[7]), let time = Int64(values[8])
    else { throw NotARecord(line: line) }
    return Record(
      user_id: user, event_type: values[1], country: values[2], city: values[3],
      device: values[4], product_id: product, price: price, quantity: quantity, timestamp: time)
  }
}

struct NotARecord: Error {
  let line: String
}

/// The lines of one run that the other lacks, each as often as it is missing.
func difference(_ left: [String], _ right: [String]) -> [String] {
  var counts: [String: Int] = [:]
  for line in right { counts[line, default: 0] += 1 }
  return left.filter { line in
    counts[line, default: 0] -= 1
    return counts[line, default: 0] < 0
  }
}

/// An anomaly from its spec, in a run that starts at ``monday``.
func anomaly(_ spec: String, rate: Double = 3) throws -> Anomaly {
  try AnomalySpec(spec, rate: rate, products: 200, now: monday)
    .anomaly(id: spec, runStart: monday)
}
