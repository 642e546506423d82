import AnomalyDetection
import Glibc
import Plumbing

/// Groups alarms into incidents, finds their causes, and reports when they open, get worse and
/// close.
struct IncidentKeeper {
  /// A series with an alarm.
  struct Member {
    var peak: Double
    var lens: Verdict.Lens
    var isUp: Bool
    /// The sum of the differences to the expected values so far.
    var impact: Double
    /// The bucket of its last alarm, in milliseconds.
    var lastAlarm: Int64
  }

  struct Incident {
    var id: String
    var start: Int64
    var lastAlarm: Int64
    var members: [Int: Member] = [:]
    var peak = 0.0
    /// The score that was reported last; nil before the first report.
    var told: Double?
    /// The leading series, and the slots that explain the incident; empty for the total.
    var lead = 0
    var cause: [Int] = []
    /// The highest score and the number of series when the cause was found.
    var attributedPeak = 0.0
    var attributedSize = 0
    /// The impact on the total, by measure.
    var totalImpact: [Double] = []
    /// The kind of the expected event that covers it; nil for an anomaly.
    var kind: String?
    /// What is reported: the bucket with the highest score so far.
    var line: IncidentLine?

    /// Whether there is more evidence than when the cause was found: a higher score, or more series
    /// while the score is about as high. What alarms when it has fallen is a consequence.
    func hasGrown(_ verdicts: [Verdict]) -> Bool {
      if peak > attributedPeak * 1.1 { return true }
      return members.count > attributedSize
        && members.keys.contains { verdicts[$0].score >= 0.8 * attributedPeak }
    }

    /// The series with the highest score.
    var strongest: Int? {
      members.max {
        $0.value.peak != $1.value.peak ? $0.value.peak < $1.value.peak : $0.key > $1.key
      }?.key
    }

    /// What the incident amounts to so far in the leading series; nil if that is not known.
    var impact: Double? {
      members[lead]?.impact ?? (totalImpact.indices.contains(lead) ? totalImpact[lead] : nil)
    }

    /// Adds an alarm of a series.
    mutating func join(_ series: Int, _ verdict: Verdict, start: Int64) {
      lastAlarm = start
      if var member = members[series] {
        if verdict.score > member.peak {
          member.peak = verdict.score
          member.lens = verdict.lens
          member.isUp = verdict.isUp
        }
        member.lastAlarm = start
        members[series] = member
      } else {
        // A long memory's excess has accumulated before the alarm.
        members[series] = Member(
          peak: verdict.score, lens: verdict.lens, isUp: verdict.isUp,
          impact: verdict.sum - verdict.expectedSum, lastAlarm: start)
      }
      peak = max(peak, verdict.score)
    }
  }

  private static let group: Int64 = 1_800_000
  /// A key with this share of the total's events is not named for a change that it doesn't explain.
  private static let largePart = 0.3

  private let settings: Settings
  private let measures: [Measure]
  private(set) var open: [Incident] = []
  private var lastStart: Int64 = .min
  private var sequence = 0
  private(set) var raised = 0
  /// Start times of the incidents so far, for backtests, in milliseconds.
  private(set) var starts: [Int64] = []
  private(set) var lines: [IncidentLine] = []
  private let keepsLines: Bool

  init(_ settings: Settings) {
    self.settings = settings
    measures = settings.plan.measures
    keepsLines = settings.mode == .backtest || settings.reportPath != nil
  }

  /// The score from which on a series raises an alarm.
  func threshold(series count: Int) -> Double {
    if let score = settings.score { return score }
    if settings.lens == .novelty { return 1 }
    if let days = settings.daysPerFalseAlarm { return log(Double(max(1, count)) * days) }
    if settings.breakdowns.isEmpty { return 3 }
    return max(3, log(Double(max(1, count))))
  }

  mutating func forget(slot: Int, measures count: Int) {
    for index in open.indices {
      for series in slot * count..<(slot + 1) * count {
        open[index].members.removeValue(forKey: series)
      }
      open[index].cause.removeAll { $0 == slot }
    }
  }

  // MARK: A bucket

  /// Handles the verdicts on a bucket.
  mutating func take(
    start: Int64, every: Int64, values: borrowing BucketValues, detector: any Detector,
    slots: [Slot], order: [Int], events: [Label], expected: [Bool], output: inout ResultOutput
  ) throws {
    let width = measures.count
    let verdicts = detector.verdicts
    let limit = threshold(series: order.count * width)
    if open.isEmpty, !Self.reaches(limit, verdicts) { return }
    var alarms: [Int] = []
    for slot in order {
      for measure in 0..<width {
        let index = slot * width + measure
        guard values.exposures[index] > 0 else { continue }
        let verdict = verdicts[index]
        if verdict.score >= limit,
          isWanted(verdict, slots[slot], start: start, memory: detector.memory(of: verdict.lens))
        {
          alarms.append(index)
        }
      }
    }
    if alarms.isEmpty, open.isEmpty { return }
    for index in open.indices { measure(&open[index], values, verdicts) }
    let near = max(Self.group, every)
    let peaks = open.map(\.peak)
    var touched: Set<Int> = []
    // Alarms that go on belong to their incident. Of the others, those on expected events are apart.
    var fresh: [Bool: [Int]] = [:]
    for series in alarms {
      let isExpected = !expected.isEmpty && expected[series / width]
      let place = open.firstIndex { incident in
        guard let member = incident.members[series], (incident.kind != nil) == isExpected else {
          return false
        }
        return start - member.lastAlarm <= near
      }
      if let place {
        touched.insert(place)
        open[place].join(series, verdicts[series], start: start)
      } else {
        fresh[isExpected, default: []].append(series)
      }
    }
    for isExpected in [false, true] {
      guard let group = fresh[isExpected] else { continue }
      let kind = isExpected ? events.first?.kind ?? "event" : nil
      let known = open.count
      let place = self.place(
        of: group, verdicts, start: start, near: near, kind: kind, detector: detector, slots: slots,
        order: order)
      if open.count > known { measureTotal(&open[place], values, verdicts) }
      touched.insert(place)
      for series in group { open[place].join(series, verdicts[series], start: start) }
    }
    let run = Double(max(1, order.count * width))
    for place in touched.sorted() {
      // What comes later may be a consequence: the cause is that of the incident's beginning.
      let isYoung = start - open[place].start <= near
      let isUnknown = open[place].line == nil || (isYoung && open[place].hasGrown(verdicts))
      if isUnknown {
        let age = (start - open[place].start) / max(1, every) + 1
        attribute(&open[place], age: age, detector: detector, slots: slots, order: order)
      }
      if isUnknown || open[place].peak > peaks[place] {
        open[place].line = line(
          open[place], .open, start: start, every: every, values: values, detector: detector,
          slots: slots, run: run)
      } else {
        let impact = open[place].impact
        open[place].line?.impact = impact
      }
      try tell(place, events: events, output: &output)
    }
    try close(start: start, every: every, output: &output)
  }

  private static func reaches(_ limit: Double, _ verdicts: [Verdict]) -> Bool {
    for index in verdicts.indices where verdicts[index].score >= limit { return true }
    return false
  }

  private func isWanted(_ verdict: Verdict, _ slot: Slot, start: Int64, memory: Int) -> Bool {
    if let direction = settings.direction, verdict.isUp != direction { return false }
    if settings.warm > 0, start - slot.firstBucket < settings.warm { return false }
    switch settings.smallestChange {
    case nil: return true
    case .absolute(let change):
      return abs(verdict.sum - verdict.expectedSum) / Double(memory) >= change
    case .share(let share):
      return abs(verdict.sum - verdict.expectedSum) >= share * abs(verdict.expectedSum)
    }
  }

  /// The incident that new alarms belong to: one that is beginning, one with the same cause, one of
  /// which they are a weaker consequence, or a new one.
  private mutating func place(
    of alarms: [Int], _ verdicts: [Verdict], start: Int64, near: Int64, kind: String?,
    detector: any Detector, slots: [Slot], order: [Int]
  ) -> Int {
    if let place = open.lastIndex(where: {
      $0.kind == kind && (kind != nil || start - $0.start <= near)
    }) {
      return place
    }
    var candidate = Incident(
      id: "", start: start, lastAlarm: start,
      totalImpact: [Double](repeating: 0, count: measures.count), kind: kind)
    for series in alarms { candidate.join(series, verdicts[series], start: start) }
    if kind == nil, !open.isEmpty {
      attribute(&candidate, age: 1, detector: detector, slots: slots, order: order)
      let own = Set(candidate.cause)
      let affected = Set(alarms.map { $0 / measures.count })
      if let place = open.firstIndex(where: { incident in
        guard incident.kind == nil else { return false }
        if own.isEmpty ? incident.cause.isEmpty : !own.isDisjoint(with: incident.cause) {
          return true
        }
        return candidate.peak < incident.peak
          && incident.members.contains { series, member in
            affected.contains(series / measures.count) && start - member.lastAlarm <= near
          }
      }) {
        return place
      }
    }
    sequence = start == lastStart ? sequence + 1 : 1
    lastStart = start
    let stamp = TimePoint(milliseconds: start).iso8601.filter { $0 != "-" && $0 != ":" }
    candidate.id = String(stamp.prefix(15)) + "Z-\(sequence)"
    open.append(candidate)
    return open.count - 1
  }

  /// Adds a bucket's differences to the expected values.
  private func measure(
    _ incident: inout Incident, _ values: borrowing BucketValues, _ verdicts: [Verdict]
  ) {
    for series in incident.members.keys where values.exposures[series] > 0 {
      incident.members[series]?.impact += values.amounts[series] - verdicts[series].expected
    }
    measureTotal(&incident, values, verdicts)
  }

  private func measureTotal(
    _ incident: inout Incident, _ values: borrowing BucketValues, _ verdicts: [Verdict]
  ) {
    for measure in measures.indices where incident.totalImpact.indices.contains(measure) {
      guard values.exposures.indices.contains(measure), values.exposures[measure] > 0 else {
        continue
      }
      incident.totalImpact[measure] += values.amounts[measure] - verdicts[measure].expected
    }
  }

  // MARK: Causes

  /// Finds the segments that explain an incident, and the measure that shows it best.
  ///
  /// - Parameter age: buckets since the incident's start.
  private func attribute(
    _ incident: inout Incident, age: Int64, detector: any Detector, slots: [Slot], order: [Int]
  ) {
    let width = measures.count
    incident.attributedPeak = incident.peak
    incident.attributedSize = incident.members.count
    let strongest = incident.strongest
    let lens = strongest.flatMap { incident.members[$0]?.lens } ?? .scale1
    let hasTotal = slots.first?.breakdown == -1
    if settings.breakdowns.isEmpty || (hasTotal && order.count > 100_000) {
      incident.cause = settings.breakdowns.isEmpty ? [] : [(strongest ?? 0) / width]
    } else if settings.lens == .novelty || !hasTotal || lens == .stuck {
      // Without a total, each series is its own cause. The strongest ones are reported.
      let ranked = incident.members.sorted {
        $0.value.peak != $1.value.peak ? $0.value.peak > $1.value.peak : $0.key < $1.key
      }
      var chosen: [Int] = []
      for one in ranked where one.value.peak >= 0.5 * incident.peak {
        let slot = one.key / width
        if !chosen.contains(slot), chosen.count < 5 { chosen.append(slot) }
      }
      incident.cause = chosen
    } else {
      incident.cause = explanation(
        incident, lens: lens, age: age, detector: detector, slots: slots, order: order)
    }
    let causes = incident.cause.isEmpty ? [0] : incident.cause
    let own = incident.members.filter { causes.contains($0.key / width) }
    let best = own.max {
      $0.value.peak != $1.value.peak ? $0.value.peak < $1.value.peak : $0.key > $1.key
    }
    if let best {
      incident.lead = best.key
    } else {
      incident.lead = causes[0] * width + (strongest ?? 0) % width
    }
  }

  /// The segments that explain an incident best at this bucket; none for the total.
  private func explanation(
    _ incident: Incident, lens: Verdict.Lens, age: Int64, detector: any Detector, slots: [Slot],
    order: [Int]
  ) -> [Int] {
    let changed = Set(incident.members.keys.map { $0 % measures.count }).sorted()
    let traits = changed.map { measure in
      let kind = measures[measure].kind
      return Attribution.Trait(
        isSized: kind == .sum || kind == .mean, isRare: kind == .late)
    }
    var best: (cause: [Int], gain: Double) = ([], 0)
    for lens in lenses(for: lens, age: age, detector) {
      let found = Attribution(
        whole: evidence(0, lens, changed, detector), traits: traits,
        parts: parts(lens, changed, detector, slots, order))
      if found.gain > best.gain { best = (found.slots, found.gain) }
    }
    guard best.cause.isEmpty, let strongest = incident.strongest else { return best.cause }
    // An incident of the total stays one when the total is as usual again.
    let wasTotal = incident.line != nil && incident.cause.isEmpty
    if !wasTotal, Attribution.isAsUsual(evidence(0, lens, changed, detector)) {
      return alone(incident, strongest)
    }
    let parts = parts(lens, changed, detector, slots, order)
    guard let part = parts.first(where: { $0.slot == strongest / measures.count }),
      part.share < Self.largePart,
      Attribution.standsOut(
        part.evidence, from: evidence(0, lens, changed, detector), traits: traits, share: part.share
      )
    else { return [] }
    return alone(incident, strongest)
  }

  /// The lenses whose evidence is compared: that of the strongest alarm, and longer memories while
  /// they are filled by the incident.
  private func lenses(
    for lens: Verdict.Lens, age: Int64, _ detector: any Detector
  ) -> [Verdict.Lens] {
    let scales: [Verdict.Lens] = [.scale1, .scale2, .scale3, .scale4]
    let own = scales.contains(lens) ? lens : .scale1
    let memory = detector.memory(of: own)
    return scales.filter {
      let longer = detector.memory(of: $0)
      return $0 == own || (longer > memory && Int64(longer) <= 2 * age)
    }
  }

  private func evidence(
    _ slot: Int, _ lens: Verdict.Lens, _ changed: [Int], _ detector: any Detector
  ) -> [Evidence?] {
    changed.map { detector.evidence(series: slot * measures.count + $0, lens: lens) }
  }

  /// All keys but the total, each with its usual share of the events.
  private func parts(
    _ lens: Verdict.Lens, _ changed: [Int], _ detector: any Detector, _ slots: [Slot],
    _ order: [Int]
  ) -> [Attribution.Segment] {
    let events = measures.firstIndex { $0.kind == .count } ?? measures.firstIndex { $0.isAdditive }
    let whole = events.flatMap { detector.evidence(series: $0, lens: .scale4)?.expected } ?? 0
    return order.filter { slots[$0].breakdown >= 0 }.map { slot in
      let own = events.flatMap {
        detector.evidence(series: slot * measures.count + $0, lens: .scale4)?.expected
      }
      return Attribution.Segment(
        slot: slot, breakdown: slots[slot].breakdown,
        evidence: evidence(slot, lens, changed, detector), share: whole > 0 ? (own ?? 0) / whole : 0
      )
    }
  }

  // MARK: Lines

  private func line(
    _ incident: Incident, _ state: IncidentLine.State, start: Int64, every: Int64,
    values: borrowing BucketValues, detector: any Detector, slots: [Slot], run: Double
  ) -> IncidentLine {
    let width = measures.count
    let series = incident.lead
    let verdict = detector.verdicts[series]
    let measure = measures[series % width]
    let member = incident.members[series]
    let amount = values.amounts[series]
    let exposure = values.exposures[series]
    let isQuotient = measure.exposure != nil && exposure > 0
    let causes = incident.cause.isEmpty ? [series / width] : incident.cause
    let key = causes.map { slots[$0].label }.joined(separator: "|")
    let score = incident.peak
    let isUp = member?.isUp ?? verdict.isUp
    // A cause may have no alarm itself: then its evidence is that of the lens that raised one.
    let lens = member?.lens ?? incident.strongest.flatMap { incident.members[$0]?.lens } ?? .none
    let memory = detector.memory(of: lens)
    let isEmpty = measure.exposure != nil && !(exposure > 0)
    var result = IncidentLine(
      state: state, id: incident.id, start: incident.start, end: nil, time: start + every, key: key,
      filter: causes.count == 1 ? slots[causes[0]].filter : [], measure: measure.name,
      value: isEmpty ? nil : isQuotient ? amount / exposure : amount,
      expected: isEmpty ? nil : isQuotient ? verdict.expected / exposure : verdict.expected,
      score: score,
      days: settings.lens == .novelty ? nil : exp(min(50, score)) / run, isUp: isUp,
      scale: lens.name(memory: memory), why: "",
      impact: incident.impact, kind: incident.kind)
    if isQuotient {
      result.parts = .init(
        numerator: amount, expectedNumerator: verdict.expected, denominator: exposure,
        usualDenominator: usualDenominator(
          measure, slot: series / width, series: series, detector: detector))
    }
    let total =
      slots.first?.breakdown == -1
      ? detector.evidence(series: series % width, lens: lens) : nil
    for cause in causes {
      guard
        let evidence = detector.evidence(
          series: cause * width + series % width, lens: lens)
      else { continue }
      let change = evidence.amount - evidence.expected
      let share = total.flatMap { total -> Double? in
        let whole = total.amount - total.expected
        return measure.isAdditive && whole != 0 ? min(9.999, max(-9.999, change / whole)) : nil
      }
      result.segments.append(
        .init(
          key: slots[cause].label, value: evidence.amount, expected: evidence.expected, share: share
        ))
    }
    let others = incident.members.filter { $0.key != series }.sorted {
      $0.value.peak != $1.value.peak ? $0.value.peak > $1.value.peak : $0.key < $1.key
    }
    result.related = others.prefix(20).map {
      .init(
        key: slots[$0.key / width].label, measure: measures[$0.key % width].name,
        score: $0.value.peak, isUp: $0.value.isUp)
    }
    result.why = sentence(
      result, measure, verdict, lens, memory: memory, isAlarm: member != nil)
    return result
  }

  /// The cause of an incident that no segment explains: the strongest series' key when neither the
  /// total nor several keys of a breakdown have alarms, otherwise the total.
  private func alone(_ incident: Incident, _ strongest: Int) -> [Int] {
    let slots = Set(incident.members.keys.map { $0 / measures.count })
    return slots.contains(0) || slots.count >= 5 ? [] : [strongest / measures.count]
  }

  /// The usual denominator of a ratio or mean: what was expected of the measure that counts it, if
  /// there is one, otherwise its average over the last day.
  private func usualDenominator(
    _ measure: Measure, slot: Int, series: Int, detector: any Detector
  ) -> Double? {
    let twin = measures.firstIndex { $0.exposure == nil && $0.amount == measure.exposure }
    if let twin {
      let verdict = detector.verdicts[slot * measures.count + twin]
      if verdict.expected > 0 { return verdict.expected }
    }
    return detector.usualExposure(series: series)
  }

  /// A value beside the expected one, with the difference as long as that is easy to read.
  private func compared(_ value: Double?, _ expected: Double?) -> String {
    let words = beside(value, expected)
    guard let value, let expected, value >= 0, expected > 0, value / expected < 1000 else {
      return words
    }
    return words + " (\(change(value / expected)))"
  }

  private func beside(_ value: Double?, _ expected: Double?) -> String {
    "\(value.map(shortText) ?? "?") instead of \(expected.map(shortText) ?? "?")"
  }

  /// A ratio of a value to the expected one, in percent or, if it is large, as a factor.
  private func change(_ ratio: Double) -> String {
    if ratio >= 11 { return "\(rounded(ratio, 0)) times" }
    return (ratio < 1 ? "" : "+") + rounded((ratio - 1) * 100, 0) + " %"
  }

  private func sentence(
    _ line: IncidentLine, _ measure: Measure, _ verdict: Verdict, _ lens: Verdict.Lens,
    memory: Int, isAlarm: Bool
  ) -> String {
    let isSingle = settings.hasValues && settings.breakdowns.isEmpty
    var words = isSingle ? line.measure : "\(line.measure) of \(line.key)"
    // The verdict is of one series and the lens of this bucket.
    let isVerdict = isAlarm && verdict.lens == lens && line.segments.count < 2
    let sum = isVerdict ? verdict.sum : line.segments.reduce(0) { $0 + $1.value }
    let expected =
      isVerdict ? verdict.expectedSum : line.segments.reduce(0) { $0 + $1.expected }
    if lens == .stuck {
      words += " has not changed from \(line.value.map(shortText) ?? "?")"
    } else if memory == 1 && isVerdict || line.segments.isEmpty || !(expected > 0) {
      words += " is \(compared(line.value, line.expected))"
    } else {
      if measure.exposure != nil {
        let ratio = sum / expected
        words += ratio < 11 ? " is off by \(change(ratio))" : " is \(change(ratio)) the expected"
      } else if settings.hasValues, memory > 1 {
        // Rows are often levels, such as a temperature, whose sum means nothing.
        let size = Double(memory)
        words += " averages \(compared(sum / size, expected / size))"
      } else {
        words += " is \(compared(sum, expected))"
      }
      if memory > 1 { words += " over the last \(memory) buckets" }
      if memory > 1, line.segments.count == 1, line.value != nil {
        words += ", \(beside(line.value, line.expected)) in the last one"
      }
    }
    if lens != .stuck, let share = line.segments.first?.share, line.key != "total",
      line.segments.count == 1, (0.01...1.5).contains(share)
    {
      words += ", \(rounded(share * 100, 0)) % of the whole's change"
    }
    if let days = line.days { words += "; by chance \(rarity(days))" }
    if let kind = line.kind { words += "; expected: \(kind)" }
    return words
  }

  /// Writes a line when there is something new to report.
  private mutating func tell(
    _ place: Int, events: [Label], output: inout ResultOutput
  ) throws {
    guard var line = open[place].line else { return }
    if settings.smallestImpact > 0, abs(line.impact ?? 0) < settings.smallestImpact { return }
    if open[place].kind != nil {
      guard open[place].told == nil else { return }
      line.state = .expected
      line.end = events.first.map(\.end)
    } else if let told = open[place].told {
      guard open[place].peak >= 2 * told else { return }
      line.state = .worse
    } else {
      raised += 1
      starts.append(open[place].start)
    }
    open[place].told = open[place].peak
    try write(line, &output)
  }

  private mutating func write(_ line: IncidentLine, _ output: inout ResultOutput) throws {
    if keepsLines { lines.append(line) }
    if settings.mode == .watch { try output.write(.incident(line)) }
  }

  /// Closes incidents after enough buckets without an alarm.
  private mutating func close(
    start: Int64, every: Int64, output: inout ResultOutput
  ) throws {
    let quiet = max(Self.group, 3 * every)
    for incident in open where start - incident.lastAlarm >= quiet {
      guard var line = incident.line, incident.told != nil, incident.kind == nil else { continue }
      line.state = .close
      line.end = incident.lastAlarm + every
      line.time = start + every
      line.score = incident.peak
      try write(line, &output)
    }
    open.removeAll { start - $0.lastAlarm >= quiet }
  }

  /// Opens the incident of a key that has fallen silent.
  mutating func beginSilence(
    of slot: Slot, every: Int64, keys: Int, at time: Int64, tells: Bool,
    output: inout ResultOutput
  ) throws {
    guard tells, let since = slot.silentSince else { return }
    // The gap's own buckets don't count: they are what is being judged.
    let gap = max(1, Double((time - since) / max(1, every)))
    let before = max(0, Double(slot.buckets) - gap)
    let empty = max(0, Double(slot.emptyBuckets) - gap)
    // Of many keys whose buckets were empty this often before, the share whose next ones are all
    // empty: after few buckets, even a long gap is likely.
    let lasts =
      lgamma(empty + 1 + gap) - lgamma(empty + 1) + lgamma(before + 2) - lgamma(before + 2 + gap)
    // A silence begins after each bucket with rows.
    let begins = log((before + 1 - min(empty, before)) / (before + 2))
    let score = -lasts - begins - log(86_400_000 / Double(every))
    var line = silence(of: slot, since: since, at: time)
    line.score = score
    line.days = exp(min(50, score)) / Double(max(1, keys))
    if let days = line.days { line.why += "; by chance \(rarity(days))" }
    raised += 1
    starts.append(since)
    try write(line, &output)
  }

  /// Closes the incident of a key that has rows again.
  mutating func endSilence(
    of slot: Slot, since: Int64, end: Int64, at time: Int64, tells: Bool,
    output: inout ResultOutput
  ) throws {
    guard tells else { return }
    var line = silence(of: slot, since: since, at: end)
    line.state = .close
    line.end = end
    line.time = time
    try write(line, &output)
  }

  private func silence(of slot: Slot, since: Int64, at time: Int64) -> IncidentLine {
    let stamp = TimePoint(milliseconds: since).iso8601.filter { $0 != "-" && $0 != ":" }
    let span = spanText(Double(time - since) / 86_400_000)
    return IncidentLine(
      state: .open, id: String(stamp.prefix(15)) + "Z-silent-" + slot.label, start: since,
      end: nil, time: time, key: slot.label, filter: slot.filter, measure: "rows", value: 0,
      expected: nil, score: nil, days: nil, isUp: false, scale: "silence",
      why: "\(slot.label) has had no row for \(span)", impact: nil)
  }

  // MARK: State

  func encode(to bytes: inout StateWriter) {
    bytes.put(Int(lastStart))
    bytes.put(sequence)
    bytes.put(raised)
    bytes.put(open.count)
    for one in open {
      bytes.put(one.id)
      bytes.put(Int(one.start))
      bytes.put(Int(one.lastAlarm))
      bytes.put(one.members.count)
      for (series, member) in one.members.sorted(by: { $0.key < $1.key }) {
        bytes.put(series)
        bytes.put(member.peak)
        bytes.put(member.lens.rawValue)
        bytes.put(member.isUp)
        bytes.put(member.impact)
        bytes.put(Int(member.lastAlarm))
      }
      bytes.put(one.peak)
      bytes.put(one.told ?? -.infinity)
      bytes.put(one.lead)
      bytes.put(one.cause.map(Double.init))
      bytes.put(one.attributedPeak)
      bytes.put(one.attributedSize)
      bytes.put(one.totalImpact)
      bytes.put(one.kind ?? "")
      if let line = one.line {
        bytes.put(true)
        line.encode(to: &bytes)
      } else {
        bytes.put(false)
      }
    }
  }

  mutating func decode(from bytes: inout StateReader) throws(StateDamage) {
    lastStart = Int64(try bytes.integer())
    sequence = try bytes.integer()
    raised = try bytes.integer()
    for _ in 0..<(try bytes.listCount(of: 32)) {
      let id = try bytes.text()
      let start = Int64(try bytes.integer())
      var one = Incident(id: id, start: start, lastAlarm: Int64(try bytes.integer()))
      for _ in 0..<(try bytes.listCount(of: 34)) {
        let series = try bytes.integer()
        guard series >= 0 else { throw StateDamage() }
        let peak = try bytes.double()
        guard let lens = Verdict.Lens(rawValue: try bytes.byte()) else { throw StateDamage() }
        one.members[series] = Member(
          peak: peak, lens: lens, isUp: try bytes.bool(), impact: try bytes.double(),
          lastAlarm: Int64(try bytes.integer()))
      }
      one.peak = try bytes.double()
      let told = try bytes.double()
      one.told = told == -.infinity ? nil : told
      one.lead = try bytes.integer()
      guard one.lead >= 0 else { throw StateDamage() }
      for slot in try bytes.doubles() {
        guard slot >= 0, slot < 1e9 else { throw StateDamage() }
        one.cause.append(Int(slot))
      }
      one.attributedPeak = try bytes.double()
      one.attributedSize = try bytes.integer()
      one.totalImpact = try bytes.doubles()
      let kind = try bytes.text()
      one.kind = kind.isEmpty ? nil : kind
      if try bytes.bool() { one.line = try IncidentLine(from: &bytes) }
      open.append(one)
    }
  }
}

extension IncidentLine {
  func encode(to bytes: inout StateWriter) {
    for text in [state.rawValue, id, key, measure, scale, why, kind ?? ""] { bytes.put(text) }
    for number in [start, end ?? .min, time] { bytes.put(Int(number)) }
    bytes.put(filter.count)
    for one in filter {
      bytes.put(one.field)
      bytes.put(one.value)
    }
    for number in [value, expected, score, days, impact] { bytes.put(number ?? .nan) }
    bytes.put(isUp.map { $0 ? 1.0 : 0 } ?? 2)
    let numbers =
      parts.map {
        [$0.numerator, $0.expectedNumerator, $0.denominator, $0.usualDenominator ?? .nan]
      }
    bytes.put(numbers ?? [])
    bytes.put(segments.count)
    for one in segments {
      bytes.put(one.key)
      for number in [one.value, one.expected, one.share ?? .nan] { bytes.put(number) }
    }
    bytes.put(related.count)
    for one in related {
      bytes.put(one.key)
      bytes.put(one.measure)
      bytes.put(one.score)
      bytes.put(one.isUp)
    }
  }

  init(from bytes: inout StateReader) throws(StateDamage) {
    guard let state = State(rawValue: try bytes.text()) else { throw StateDamage() }
    self.state = state
    id = try bytes.text()
    key = try bytes.text()
    measure = try bytes.text()
    scale = try bytes.text()
    why = try bytes.text()
    let kind = try bytes.text()
    self.kind = kind.isEmpty ? nil : kind
    start = Int64(try bytes.integer())
    let end = Int64(try bytes.integer())
    self.end = end == .min ? nil : end
    time = Int64(try bytes.integer())
    filter = []
    for _ in 0..<(try bytes.listCount(of: 16)) {
      filter.append((field: try bytes.text(), value: try bytes.text()))
    }
    func optional(_ number: Double) -> Double? { number.isNaN ? nil : number }
    value = optional(try bytes.double())
    expected = optional(try bytes.double())
    score = optional(try bytes.double())
    days = optional(try bytes.double())
    impact = optional(try bytes.double())
    let up = try bytes.double()
    isUp = up == 2 ? nil : up == 1
    let numbers = try bytes.doubles()
    if numbers.count == 4 {
      parts = Parts(
        numerator: numbers[0], expectedNumerator: numbers[1], denominator: numbers[2],
        usualDenominator: optional(numbers[3]))
    }
    for _ in 0..<(try bytes.listCount(of: 32)) {
      segments.append(
        Segment(
          key: try bytes.text(), value: try bytes.double(), expected: try bytes.double(),
          share: optional(try bytes.double())))
    }
    for _ in 0..<(try bytes.listCount(of: 25)) {
      related.append(
        Related(
          key: try bytes.text(), measure: try bytes.text(), score: try bytes.double(),
          isUp: try bytes.bool()))
    }
  }
}
