import Foundation

/// Compares two lists of rows: numbers as numbers, and rows that tie in the order as a set.
extension RecordedAnswer {
  private var isApproximate: Bool {
    flags.contains("loose") || sql.contains(/(?i)count\s*\(\s*distinct|approx_/)
  }
  /// The sample's median is at a step, so a sketch may answer either side of it.
  private var tolerance: Double {
    isApproximate ? (sql.uppercased().contains("QUANTILE") ? 0.8 : 0.03) : 1e-9
  }
  private var isOrdered: Bool { sql.contains(/(?i)order\s+by(?!.*over\s*\()/.dotMatchesNewlines()) }

  func compare(_ recorded: [String], _ actual: [String], _ format: String) -> Verdict {
    let heads = ["arrayLinesTyped": 3, "csv": 1][format] ?? 0
    guard recorded.prefix(heads) == actual.prefix(heads) else {
      return .different("\(format): header \(actual.prefix(heads))")
    }
    guard recorded.count == actual.count else {
      return .different("\(format): \(actual.count - heads) rows for \(recorded.count - heads)")
    }
    var old = Array(recorded.dropFirst(heads))
    var new = Array(actual.dropFirst(heads))
    if !isOrdered || isApproximate || onlyTiesMoved(old, new, format) {
      let key = { (row: String) in isApproximate ? row.replacing(Self.number, with: "#") + row : row
      }
      old.sort { key($0) < key($1) }
      new.sort { key($0) < key($1) }
    }
    for (want, have) in zip(old, new) where !areClose(want, have) {
      return .different("\(format): \(have) for \(want)")
    }
    return .equal
  }

  /// Whether the rows are the same and at least one column with more than one value is in the same
  /// order.
  private func onlyTiesMoved(_ old: [String], _ new: [String], _ format: String) -> Bool {
    guard old.sorted() == new.sorted() else { return false }
    guard format.hasPrefix("array") else { return true }
    let before = old.compactMap(Self.cells)
    let after = new.compactMap(Self.cells)
    guard before.count == old.count, after.count == new.count, let width = before.first?.count
    else {
      return false
    }
    return (0..<width).contains { column in
      let values = before.map { $0[column] }
      return values == after.map { $0[column] } && Set(values).count > 1
    }
  }

  private static func cells(_ row: String) -> [String]? {
    guard let list = try? JSONSerialization.jsonObject(with: Data(row.utf8)) as? [Any] else {
      return nil
    }
    return list.map { "\($0)" }
  }

  private static var number: Regex<Substring> { /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/ }

  /// Whether the text is the same except for close numbers: whole numbers must be equal unless the
  /// query requests estimates.
  private func areClose(_ want: String, _ have: String) -> Bool {
    if want == have { return true }
    guard want.replacing(Self.number, with: "#") == have.replacing(Self.number, with: "#") else {
      return false
    }
    let pairs = zip(want.matches(of: Self.number), have.matches(of: Self.number))
    return pairs.allSatisfy { left, right in
      if left.output == right.output { return true }
      guard let a = Double(left.output), let b = Double(right.output) else { return false }
      let areWhole = Int(left.output) != nil || Int(right.output) != nil
      if areWhole, !isApproximate { return false }
      return abs(a - b) <= max(tolerance * max(abs(a), abs(b)), isApproximate ? 2 : 1e-12)
    }
  }
}
