import AnomalyDetection
import Plumbing

/// A report of an incident at one moment.
struct IncidentLine {
  enum State: String { case open, worse, close, expected }

  struct Related {
    let key: String
    let measure: String
    let score: Double
    let isUp: Bool
  }

  struct Segment {
    let key: String
    let value: Double
    let expected: Double
    /// Its share of the whole's change; nil without a total.
    let share: Double?
  }

  /// Numerator and denominator of a ratio or a mean, each with its expected or usual value.
  struct Parts {
    let numerator: Double
    let expectedNumerator: Double
    let denominator: Double
    let usualDenominator: Double?
  }

  var state: State
  var id: String
  /// Milliseconds since 1970.
  var start: Int64
  var end: Int64?
  var time: Int64
  var key: String
  var filter: [(field: String, value: String)]
  var measure: String
  var value: Double?
  var expected: Double?
  var score: Double?
  /// Expected number of days between two such excursions by chance.
  var days: Double?
  var isUp: Bool?
  var scale: String
  var why: String
  var impact: Double?
  var kind: String?
  var parts: Parts?
  var segments: [Segment] = []
  var related: [Related] = []

  static let csvHeader =
    "version,state,id,start,end,time,key,measure,value,expected,score,once_in,direction,scale,why,impact"

  private var onceIn: String? { days.map(spanText) }
  private var direction: String? { isUp.map { $0 ? "up" : "down" } }

  func text(_ format: Settings.OutputFormat) -> String {
    switch format {
    case .ndjson: return json
    case .csv:
      let cells: [String] = [
        "1", state.rawValue, id, stamp(start), end.map(stamp) ?? "", stamp(time), key, measure,
        value.map(numberText) ?? "", expected.map(numberText) ?? "",
        score.map { rounded($0, 3) } ?? "", onceIn ?? "", direction ?? "", scale, why,
        impact.map(numberText) ?? "",
      ]
      return cells.map(csvText).joined(separator: ",")
    case .table:
      let said = state == .worse ? time : state == .close ? end ?? time : start
      let moment = String(stamp(said).prefix(16))
        .split(separator: "T").joined(separator: " ")
      return moment + "  " + padded(state.rawValue, 9) + shown(why)
    }
  }

  private func stamp(_ milliseconds: Int64) -> String {
    TimePoint(milliseconds: milliseconds).iso8601
  }

  var json: String {
    var out = "{\"version\":1,\"state\":\"\(state.rawValue)\",\"id\":"
    JSONValue.write(id, to: &out)
    out += ",\"start\":\"\(stamp(start))\",\"end\":\(end.map { "\"\(stamp($0))\"" } ?? "null")"
    out += ",\"time\":\"\(stamp(time))\",\"key\":"
    JSONValue.write(key, to: &out)
    out += ",\"measure\":"
    JSONValue.write(measure, to: &out)
    out += ",\"value\":\(value.map(numberText) ?? "null")"
    out += ",\"expected\":\(expected.map(numberText) ?? "null")"
    out += ",\"score\":\(score.map { rounded($0, 3) } ?? "null")"
    out += ",\"once_in\":\(onceIn.map { "\"\($0)\"" } ?? "null")"
    out += ",\"direction\":\(direction.map { "\"\($0)\"" } ?? "null"),\"scale\":\"\(scale)\""
    out += ",\"why\":"
    JSONValue.write(why, to: &out)
    out += ",\"impact\":\(impact.map { numberText($0) } ?? "null")"
    if let kind {
      out += ",\"kind\":"
      JSONValue.write(kind, to: &out)
    }
    out += ",\"filter\":{"
    for (index, one) in filter.enumerated() {
      if index > 0 { out += "," }
      JSONValue.write(one.field, to: &out)
      out += ":"
      JSONValue.write(one.value, to: &out)
    }
    out += "}"
    if let parts {
      out += ",\"numerator\":{\"value\":\(numberText(parts.numerator)),\"expected\":"
      out += numberText(parts.expectedNumerator) + "},\"denominator\":{\"value\":"
      out += numberText(parts.denominator) + ",\"expected\":"
      out += (parts.usualDenominator.map(numberText) ?? "null") + "}"
    }
    out += ",\"segments\":["
    for (index, one) in segments.enumerated() {
      out += (index > 0 ? "," : "") + "{\"key\":"
      JSONValue.write(one.key, to: &out)
      out += ",\"value\":\(numberText(one.value)),\"expected\":\(numberText(one.expected))"
      out += ",\"share\":\(one.share.map { rounded($0, 3) } ?? "null")}"
    }
    out += "],\"related\":["
    for (index, one) in related.enumerated() {
      out += (index > 0 ? "," : "") + "{\"key\":"
      JSONValue.write(one.key, to: &out)
      out += ",\"measure\":"
      JSONValue.write(one.measure, to: &out)
      out += ",\"score\":\(rounded(one.score, 3)),\"direction\":\"\(one.isUp ? "up" : "down")\"}"
    }
    return out + "]}"
  }
}

/// A number of days in a suitable unit: `40m`, `9h`, `12d`.
func spanText(_ days: Double) -> String {
  let capped = min(max(days, 1.0 / 1440), 1e9)
  if capped < 1.0 / 12 { return "\(Int((capped * 1440).rounded()))m" }
  if capped < 2 { return "\(Int((capped * 24).rounded()))h" }
  return "\(Int(capped.rounded()))d"
}

/// How rare something is that chance brings once in this number of days, in words.
func rarity(_ days: Double) -> String {
  let unit: (size: Double, name: String)
  switch days {
  case ..<(1.0 / 12): unit = (1.0 / 1440, "minutes")
  case ..<2: unit = (1.0 / 24, "hours")
  case ..<730: unit = (1, "days")
  case ..<36_525: unit = (365.25, "years")
  default: return "less than once in 100 years"
  }
  let count = Int(max(1, (days / unit.size).rounded()))
  return "once in \(count) \(count == 1 ? String(unit.name.dropLast()) : unit.name)"
}
