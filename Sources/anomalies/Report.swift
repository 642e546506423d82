import AnomalyDetection
import Plumbing

extension Watch {
  /// Writes the page that `--report` asks for.
  func writeReport(to path: String) throws {
    guard let history else { return }
    let page = ReportPage(
      history: history, lines: incidents.lines, measures: settings.plan.measures, rows: rows)
    try SmallFile.replace(path, with: Array(page.html.utf8))
  }
}

/// One self-contained page: the series of the total and of the incidents, and a card for each incident.
struct ReportPage {
  let history: ReportHistory
  let lines: [IncidentLine]
  let measures: [Measure]
  let rows: Int

  private static let width = 960.0
  private static let height = 150.0

  /// The latest report of each incident, by start.
  private var cards: [IncidentLine] {
    var cards: [IncidentLine] = []
    for line in lines {
      if let index = cards.firstIndex(where: { $0.id == line.id }) {
        var newer = line
        if newer.state == .worse { newer.end = nil }
        cards[index] = newer
      } else {
        cards.append(line)
      }
    }
    return cards
  }

  var html: String {
    let cards = self.cards
    var out = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>anomalies: \(cards.count) incidents</title>
      <style>
      :root { color-scheme: light dark; --ink: #1c2330; --soft: #667085; --paper: #ffffff; --card: #f5f7fa;
        --line: #2563eb; --band: #2563eb22; --alarm: #dc2626; --known: #d97706; --grid: #d0d5dd; }
      @media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #98a2b3; --paper: #11151c;
        --card: #1b212c; --line: #60a5fa; --band: #60a5fa33; --alarm: #f87171; --known: #fbbf24; --grid: #344054; } }
      body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
        font: 15px/1.5 system-ui, sans-serif; }
      h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
      p.sub { color: var(--soft); margin: 0 0 1rem; }
      figure { margin: 0 0 1.25rem; } figcaption { font-weight: 600; font-size: .9rem; }
      svg { display: block; width: 100%; height: auto; }
      .value { fill: none; stroke: var(--line); stroke-width: 1.2; } .range { fill: var(--line); opacity: .25; }
      .band { fill: var(--band); } .axis { stroke: var(--grid); } .alarm { fill: var(--alarm); opacity: .18; }
      .known { fill: var(--known); opacity: .18; } text { fill: var(--soft); font-size: 11px; }
      article { background: var(--card); border-left: 4px solid var(--alarm); border-radius: 6px; padding: .75rem 1rem;
        margin: 0 0 1rem; } article.expected { border-color: var(--known); }
      article h3 { font-size: 1rem; margin: 0; } article p { margin: .25rem 0; }
      table { border-collapse: collapse; font-size: .85rem; } td, th { text-align: left; padding: .1rem 1rem .1rem 0; }
      td.n { text-align: right; font-variant-numeric: tabular-nums; } .soft { color: var(--soft); font-size: .85rem; }
      </style>
      </head>
      <body>
      <h1>\(cards.filter { $0.state != .expected }.count) incidents</h1>
      <p class="sub">\(rows) rows, \(escaped(spanWords))</p>

      """
    out += "<h2>Dashboard</h2>\n"
    for measure in measures.indices { out += figure(measure, cards: cards) }
    out += "<h2>Incidents</h2>\n"
    if cards.isEmpty { out += "<p>Nothing was unusual.</p>\n" }
    for card in cards { out += article(card) }
    return out + "</body>\n</html>\n"
  }

  private var spanWords: String {
    let points = history.series.values.flatMap { [$0.first, $0.last] }.compactMap { $0?.time }
    guard let first = points.min(), let last = points.max() else { return "no bucket was closed" }
    return "\(stamp(first)) to \(stamp(last)) UTC"
  }

  private func stamp(_ milliseconds: Int64) -> String {
    String(TimePoint(milliseconds: milliseconds).iso8601.prefix(16))
      .split(separator: "T").joined(separator: " ")
  }

  private func escaped(_ text: String) -> String {
    let escapes: [Unicode.Scalar: String] = [
      "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;",
    ]
    return Plumbing.escaped(text.unicodeScalars) { escapes[$0] }
  }

  /// The chart of one series, with the incidents that affect it.
  private func figure(_ series: Int, cards: [IncidentLine]) -> String {
    let points = history.series[series] ?? []
    // A measure such as late events, which is always 0, has nothing to show.
    guard points.count > 1, points.contains(where: { $0.low != 0 || $0.high != 0 }) else {
      return ""
    }
    let name = "\(measures[series % measures.count].name) of \(history.labels[series] ?? "")"
    let key = history.labels[series] ?? "total"
    let own = cards.filter { card in
      card.measure == measures[series % measures.count].name
        && (card.key == key || key == "total") || card.key == key
    }
    return "<figure><figcaption>\(escaped(name))</figcaption>\n" + chart(points, own, name)
      + "</figure>\n"
  }

  private func chart(
    _ points: [ReportHistory.Point], _ cards: [IncidentLine], _ name: String
  ) -> String {
    let first = points[0].time
    let last = max(points[points.count - 1].time, first + 1)
    let top = points.lazy.map { max($0.high, $0.expected) }.max() ?? 1
    let bottom = min(0, points.lazy.map(\.low).min() ?? 0)
    let range = top > bottom ? top - bottom : 1
    func x(_ time: Int64) -> Double {
      let part = Double(time - first) / Double(last - first)
      return 50 + min(1, max(0, part)) * (Self.width - 60)
    }
    func y(_ value: Double) -> Double {
      10 + (1 - min(1, max(0, (value - bottom) / range))) * (Self.height - 30)
    }
    func pair(_ time: Int64, _ value: Double) -> String {
      rounded(x(time), 1) + "," + rounded(y(value), 1)
    }
    var out =
      "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" aria-label=\"\(escaped(name))\">\n"
    for card in cards {
      let left = x(card.start)
      let right = max(left + 2, x(card.end ?? card.time))
      let style = card.state == .expected ? "known" : "alarm"
      out +=
        "<rect class=\"\(style)\" x=\"\(rounded(left, 1))\" y=\"10\" width=\"\(rounded(right - left, 1))\""
      out += " height=\"\(Int(Self.height - 30))\"><title>\(escaped(card.why))</title></rect>\n"
    }
    let upper = points.map { pair($0.time, $0.expected + $0.spread) }
    let lower = points.reversed().map { pair($0.time, $0.expected - $0.spread) }
    out += "<path class=\"band\" d=\"M\((upper + lower).joined(separator: "L"))Z\"/>\n"
    let highs = points.map { pair($0.time, $0.high) }
    let lows = points.reversed().map { pair($0.time, $0.low) }
    out += "<path class=\"range\" d=\"M\((highs + lows).joined(separator: "L"))Z\"/>\n"
    let middle = points.map { pair($0.time, $0.value) }
    out += "<path class=\"value\" d=\"M\(middle.joined(separator: "L"))\"/>\n"
    out +=
      "<line class=\"axis\" x1=\"50\" x2=\"\(Int(Self.width - 10))\" y1=\"\(Int(Self.height - 20))\""
    out += " y2=\"\(Int(Self.height - 20))\"/>\n"
    out += "<text x=\"44\" y=\"18\" text-anchor=\"end\">\(escaped(shortText(top)))</text>\n"
    out +=
      "<text x=\"44\" y=\"\(Int(Self.height - 20))\" text-anchor=\"end\">\(escaped(shortText(bottom)))</text>\n"
    out += "<text x=\"50\" y=\"\(Int(Self.height - 6))\">\(stamp(first))</text>\n"
    out +=
      "<text x=\"\(Int(Self.width - 10))\" y=\"\(Int(Self.height - 6))\" text-anchor=\"end\">\(stamp(last))</text>\n"
    return out + "</svg>\n"
  }

  private func shortText(_ number: Double) -> String {
    if abs(number) >= 10_000_000 { return rounded(number / 1_000_000, 1) + "M" }
    if abs(number) >= 10_000 { return rounded(number / 1000, 1) + "k" }
    return rounded(number, abs(number) < 10 ? 3 : 1)
  }

  /// The card of one incident: its sentence, its impact, and the segments that explain it.
  private func article(_ card: IncidentLine) -> String {
    let isExpected = card.state == .expected
    var out = "<article\(isExpected ? " class=\"expected\"" : "") id=\"\(escaped(card.id))\">\n"
    out += "<h3>\(escaped(card.measure)) of \(escaped(card.key))</h3>\n"
    out += "<p class=\"soft\">\(stamp(card.start)) to \(card.end.map(stamp) ?? "now") UTC"
    if let score = card.score { out += ", score \(rounded(score, 1))" }
    out += "</p>\n<p>\(escaped(card.why))</p>\n"
    if let impact = card.impact {
      out +=
        "<p>Impact: <strong>\(impact < 0 ? "−" : "+")\(escaped(shortText(abs(impact))))</strong></p>\n"
    }
    if !card.segments.isEmpty {
      out += "<table><tr><th>segment</th><th>value</th><th>expected</th><th>share</th></tr>\n"
      for one in card.segments {
        out += "<tr><td>\(escaped(one.key))</td><td class=\"n\">\(shortText(one.value))</td>"
        out += "<td class=\"n\">\(shortText(one.expected))</td>"
        out += "<td class=\"n\">\(one.share.map { rounded($0 * 100, 0) + " %" } ?? "")</td></tr>\n"
      }
      out += "</table>\n"
    }
    if !card.related.isEmpty {
      let words = card.related.prefix(8).map { "\($0.measure) of \($0.key) \($0.isUp ? "↑" : "↓")" }
      out += "<p class=\"soft\">Also: \(escaped(words.joined(separator: ", ")))</p>\n"
    }
    if let series = seriesIndex(of: card), series >= measures.count {
      out += figure(series, cards: [card])
    }
    return out + "</article>\n"
  }

  private func seriesIndex(of card: IncidentLine) -> Int? {
    guard let measure = measures.firstIndex(where: { $0.name == card.measure }) else { return nil }
    let key = card.key.split(separator: "|").first.map(String.init) ?? card.key
    return history.labels.first { $0.key % measures.count == measure && $0.value == key }?.key
  }
}
