internal import Plumbing

/// Tracks which anomalies are active in each second, how many lines each has changed, and their
/// labels.
struct AnomalySchedule {
  private struct Entry {
    let anomaly: Anomaly
    var touched = 0
    var isOpen = false
  }

  private let model: Model
  private let random: RandomAnomalies?
  /// Future and active anomalies; finished ones are removed.
  private var entries: [Entry] = []
  private var lastDay = Int64.min
  /// The first second in which an anomaly opens, closes or is to be drawn.
  private var nextChange = Int64.min
  private(set) var hasOpen = false
  /// The labels that were not taken yet, one per line.
  private(set) var labels = ""

  init(_ anomalies: [Anomaly], random: RandomAnomalies?, model: Model) {
    self.model = model
    self.random = random
    if anomalies.isEmpty, random == nil { nextChange = .max }
    for (index, anomaly) in anomalies.enumerated() {
      let twin = anomalies[..<index].filter { earlier in
        var earlier = earlier
        earlier.id = anomaly.id
        return earlier == anomaly
      }.count
      var settled = anomaly
      settled.settle(in: model, twin: twin)
      entries.append(Entry(anomaly: settled))
    }
  }

  /// Opens and closes anomalies up to this second.
  @inline(__always)
  mutating func turn(to second: Int64) {
    if second >= nextChange { change(at: second) }
  }

  private mutating func change(at second: Int64) {
    let day = second.floorDivided(by: 86_400)
    drawDays(upTo: day)
    for index in entries.indices {
      let anomaly = entries[index].anomaly
      if entries[index].isOpen, !anomaly.isActive(at: second) {
        label(entries[index], state: "closed")
      } else if !entries[index].isOpen, anomaly.isActive(at: second) {
        entries[index].isOpen = true
        label(entries[index], state: "open")
      }
    }
    entries.removeAll { ($0.anomaly.end ?? .max) <= second }
    hasOpen = entries.contains { $0.isOpen }
    nextChange = random == nil ? .max : (day + 1) * 86_400
    for entry in entries {
      nextChange = min(nextChange, entry.isOpen ? entry.anomaly.end ?? .max : entry.anomaly.start)
    }
  }

  private mutating func drawDays(upTo day: Int64) {
    guard let random else { return }
    for next in [day - 1, day] where next > lastDay {
      entries += random.anomalies(ofDay: next, in: model).map { Entry(anomaly: $0) }
      lastDay = next
    }
  }

  /// Applies all open anomalies to the lines of a second, in order.
  mutating func apply(to lines: inout [Line], at second: Int64) {
    for index in entries.indices where entries[index].isOpen {
      entries[index].touched += entries[index].anomaly.apply(to: &lines, at: second, in: model)
    }
  }

  /// Labels the anomalies that are still open at the end of the run.
  mutating func cut() {
    for index in entries.indices where entries[index].isOpen {
      entries[index].isOpen = false
      label(entries[index], state: "cut")
    }
  }

  mutating func takeLabels() -> String {
    if labels.isEmpty { return "" }
    defer { labels = "" }
    return labels
  }

  private mutating func label(_ entry: Entry, state: String) {
    labels += entry.anomaly.label(state: state, events: entry.touched)
  }
}

extension Anomaly {
  /// The label as a JSON line.
  func label(state: String, events: Int) -> String {
    let value = strength.value
    let magnitude = value == value.rounded() ? "\(Int(value))" : "\(value)"
    return
      "{\"id\":\"\(id)\",\"state\":\"\(state)\",\"kind\":\"\(kind.rawValue)\",\"start\":\(start),"
      + "\"end\":\(end.map { "\($0)" } ?? "null"),\"filter\":{\(conditions)},"
      + "\"magnitude\":\(magnitude),\"unit\":\"\(strength.unit)\",\"events\":\(events)"
      + (ramp > 0 && kind != .drift ? ",\"ramp\":\(ramp)" : "")
      + (kind.isExpected ? ",\"expected\":true" : "") + "}\n"
  }
}
