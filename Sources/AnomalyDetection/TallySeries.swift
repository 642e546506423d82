import Glibc

/// The detector's result for one bucket of one series.
package struct Verdict: Sendable, Equatable {
  /// The lens that gave the result: the memory of a running sum in buckets, or a named lens.
  package enum Lens: UInt8, Sendable {
    case none = 0
    case scale1, scale2, scale3, scale4
    case jump, stuck, novelty

    /// The memory in buckets, or the lens's name.
    ///
    /// - Parameter memory: the buckets that the lens sums over.
    package func name(memory: Int) -> String {
      switch self {
      case .none: ""
      case .scale1, .scale2, .scale3, .scale4: "\(memory)"
      case .jump: "jump"
      case .stuck: "stuck"
      case .novelty: "novelty"
      }
    }
  }

  /// -ln of the expected number of such excursions per series and day by chance; -9 for no result.
  package var score = TallyRules.silentScore
  package var expected = 0.0
  package var dispersion = 0.0
  package var lens = Lens.none
  package var isUp = false
  /// The running sum of the scale with the highest score, and its expected value; for other lenses,
  /// the value and its expected value.
  package var sum = 0.0
  package var expectedSum = 0.0

  init() {}
}

/// Which numbers a series stores, and in which precision.
package protocol TallyPrecision: Sendable {
  associatedtype Real: StoredReal
  associatedtype Shape: StoredShape
}

/// Double precision, as in the reference.
package enum ExactPrecision: TallyPrecision {
  package typealias Real = Double
  package typealias Shape = ExactShape
}

/// Less than 600 bytes for a series.
package enum CompactPrecision: TallyPrecision {
  package typealias Real = Float
  package typealias Shape = ShortShape
}

/// The state of one key of one measure.
struct TallySeries<Precision: TallyPrecision>: Sendable {
  typealias Real = Precision.Real

  private var day: [24 of Precision.Shape] = .init(repeating: .zero)
  private var week: [168 of Precision.Shape] = .init(repeating: .zero)
  // Slow averages. Their steps are small, so they are always Double.
  private var amount = 0.0
  private var exposure = 0.0
  private var mean = 0.0
  private var square: [4 of Double] = .init(repeating: 0)
  private var first = Double.nan
  private var opened = 0.0
  private var sums: [4 of Real] = .init(repeating: 0)
  private var expectedSums: [4 of Real] = .init(repeating: 0)
  private var peak: [4 of Real] = .init(repeating: 0)
  private var hourAmount: Real = 0
  private var hourExpected: Real = 0
  private var shape: Real = 0
  private var unit: Real = 1
  private var phi: Real = 0
  private var slowPhi: Real = 0
  /// Incidents that this series had alone, counted with a half-life, their usual height, and the
  /// height of the one that is open.
  private var habitCount: Real = 0
  private var habitPeak: Real = 0
  private var incidentPeak: Real = 0
  /// The highest deviance of the jump lens in its excursion.
  private var jumpPeak: Real = 0
  private var jump = JumpLens<Real>()
  // These three fill the padding behind the jump lens.
  /// Bit j: the sign of scale j's peak. Bit 4 + j: whether a crowd was present in its excursion.
  private var signs: UInt8 = 0
  private var calm: UInt8 = 0
  private(set) var isOpen = false
  private var stuck = StuckLens<Real>()
  private var learnt: Int32 = 0
  private var seen: Int32 = 0
  private var hour: Int16 = -1
  private var isSharp = false
  private var wasExpected = false
  /// Whether other series were in an incident during the one that is open.
  private var isShared = false
  private var isJumpShared = false

  /// The recent ratio of the whole to its expected value. Call it after the total's step.
  func commonFactor(_ tempo: TallyTempo) -> Double {
    let last = tempo.scaleCount - 1
    let quiet = 20 * slowPhi.double
    let expected = expectedSums[last].double
    return expected > 0 ? (sums[last].double + quiet) / (expected + quiet) : 1
  }

  private mutating func enterHour(
    _ k: Int, _ time: Double, _ tempo: TallyTempo
  ) {
    let p = Int(hour)
    if p >= 0, (p + tempo.hourStep) % 168 == k {
      let days = (time - first) / TallyRules.day
      let phi = self.phi > 0 ? self.phi.double : 1
      let gain = max(tempo.rules.dayRate, 1 / (days + 1))
      let Y = hourAmount.double
      let E = hourExpected.double
      func surprise(_ shrink: Double) -> Double {
        log((Y + shrink * phi) / (E + shrink * phi)).clamped(-2, 2)
      }
      day[p % 24] = .init(day[p % 24].value + gain * surprise(tempo.rules.dayShrink))
      if days >= tempo.rules.weekStart {
        let rate = max(tempo.rules.weekRate, tempo.rules.weekStart / (days + tempo.rules.weekStart))
        week[p] = .init(week[p].value + rate * (1 - gain) * surprise(tempo.rules.weekShrink))
      }
    }
    hourAmount = 0
    hourExpected = 0
    hour = Int16(k)
    let limit = TallyRules.largestProfile
    shape = Real(exp((day[k % 24].value + week[k].value).clamped(-limit, limit)))
  }

  /// Judges one closed bucket and learns from it.
  ///
  /// - Parameters:
  ///   - hour: the hour of the week that the bucket counts to, in local time.
  ///   - isExpected: whether a calendar has an expected event. The bucket is then judged but not
  ///     learnt.
  mutating func step(
    time: Double, hour k: Int, value: Double, exposure rawExposure: Double, isExpected: Bool,
    tempo: TallyTempo, tables: inout TailTables, crowd: inout Crowd
  ) -> Verdict {
    var verdict = Verdict()
    guard rawExposure > 0, rawExposure.isFinite, value.isFinite else { return verdict }
    if first.isNaN { first = time }
    let limit = Real.largestAmount
    let largest = TallyRules.largestExposure
    let n = rawExposure.clamped(1 / largest, largest)
    let clamped = value.clamped(-limit, limit)
    let isFirstValue = seen == 0 && clamped > 0 && tempo.rules.startsWithUnit
    if isFirstValue, learnt == 0 || clamped < 1 { rescale(by: clamped) }
    // 1. The jump lens.
    var jumped = jump.step(
      clamped, exposure: n, unit: unit.double, floor: tables.relativeFloor, isRows: tables.isRows,
      mayBeNegative: tables.mayBeNegative, learns: !isExpected, tempo: tempo)
    if isFirstValue, tables.isSum {
      jumped.score = TallyRules.silentScore
      jumped.deviance = 0
    }
    let y = max(clamped, 0)
    if wasExpected, !isExpected { forgetAll(tempo) }
    wasExpected = isExpected
    // 2. Hour profiles.
    if k != Int(hour) { enterHour(k, time, tempo) }
    let base = n * shape.double
    // 3. The expected value.
    let B = exposure
    let half = tempo.rules.halfUnit * unit.double
    let level = B > 0 ? max(amount, half) / B : max(y, half) / base
    let mu = max(level * base, TallyRules.tiny)
    verdict.expected = mu
    let isWarm = time - first < tempo.rules.warmUp
    crowd.enter(time, seconds: tempo.seconds)
    let isCrowd = crowd.isPresent(tempo.rules.crowd) || isExpected
    let floor = tables.relativeFloor * tables.relativeFloor
    let rareFloor = mean < tempo.rules.rare * unit.double ? half : 0
    var short = 0.0
    var scalePhis: [4 of Double] = .init(repeating: 0)
    for j in 0..<tempo.scaleCount {
      // 4. Running sums, dispersion, deviance.
      let a = tempo.weight[j]
      var S = (1 - a) * sums[j].double + y
      let M = (1 - a) * expectedSums[j].double + mu
      // A sum that has decayed to almost nothing becomes 0. The deviance is the same, and no number
      // is denormal.
      if S < 1e-30 * M { S = 0 }
      sums[j] = Real(S)
      expectedSums[j] = Real(M)
      let scalePhi = max(
        learnt > 0 ? square[j] * a / mean : 1, floor * mean / a, rareFloor, TallyRules.tiny)
      scalePhis[j] = scalePhi
      if j == 0 { phi = Real(scalePhi) }
      slowPhi = Real(scalePhi)
      let spread = tempo.spread[j] * scalePhi
      var d = 0.0
      if learnt > 0, mayBeExcursion(S, M, dispersion: spread) {
        d = min(max(0, deviance(S, M) / spread), TallyRules.largestDeviance)
      }
      let isUp = S > M
      // 5. Score.
      var score = -tempo.lnTests
      if d >= TailTable.lowest {
        if j < 2 { short = max(short, (2 * d).squareRoot()) }
        score -= tables.tables.span[2 * j + (isUp ? 1 : 0)].lnRate(
          d, lnRootScale: tempo.lnRootScale[j], isRows: tables.isRows, tempo: tempo)
      }
      if score > verdict.score {
        verdict.score = score
        verdict.lens = Verdict.Lens(rawValue: UInt8(1 + j)) ?? .none
        verdict.isUp = isUp
        verdict.sum = S
        verdict.expectedSum = M
      }
      // 6. Update the table.
      if !isWarm { teach(j, d, isUp, isCrowd, &tables, tempo) }
    }
    verdict.dispersion = phi.double
    if seen == 0, y == 0, tempo.rules.knowsNothingIsZero { verdict.score = -tempo.lnTests }
    // 7. The incident.
    if isWarm || jump.isSigned { verdict.score = TallyRules.silentScore }
    if isWarm || jump.isSigned { verdict.lens = .none }
    var learns = !isExpected
    if !isWarm {
      if !isExpected {
        learns = follow(
          verdict.score, short: short, time: time, isCrowd: isCrowd, tempo: tempo, crowd: &crowd)
      }
    }
    // 8. Learn.
    learn(y, mu: mu, base: base, scalePhis: scalePhis, learns: learns, tempo: tempo)
    var jumpScore = jumped.score
    if !tables.isRows, tempo.rules.learnsJumps {
      if jumped.deviance > 0, let lnRate = tables.jump.lnPower(jumped.deviance, tempo: tempo) {
        jumpScore = min(jumpScore, -lnRate - tempo.lnBuckets)
      }
      teachJump(jumped.deviance, isCrowd, &tables, tempo)
    }
    if !tables.isRows, max(verdict.score, jumpScore) > TallyTempo.promisedFrom {
      let habit = habit(at: time, tempo)
      if habit > 0 {
        verdict.score = max(verdict.score - habit, min(verdict.score, 0))
        jumpScore = max(jumpScore - habit, min(jumpScore, 0))
      }
    }
    if let slope = tempo.excess(isRows: tables.isRows), verdict.score > TallyTempo.promisedFrom {
      verdict.score =
        TallyTempo.promisedFrom + (verdict.score - TallyTempo.promisedFrom) / (1 + slope)
    }
    // 9. Take the result of the lens with the higher score.
    if jumpScore > verdict.score {
      verdict.score = jumpScore
      verdict.lens = .jump
      verdict.isUp = jumped.isUp
      verdict.expected = jumped.expected
      verdict.dispersion = jumped.dispersion
      verdict.sum = clamped
      verdict.expectedSum = jumped.expected
    }
    return verdict
  }

  /// Converts what was learnt from zeros, with a unit of 1, to the unit of the first other value.
  private mutating func rescale(by factor: Double) {
    unit = Real(factor)
    amount *= factor
    mean *= factor
    for j in 0..<4 {
      square[j] *= factor * factor
      sums[j] = Real(sums[j].double * factor)
      expectedSums[j] = Real(expectedSums[j].double * factor)
    }
    hourAmount = Real(hourAmount.double * factor)
    hourExpected = Real(hourExpected.double * factor)
    phi = Real(phi.double * factor)
    slowPhi = Real(slowPhi.double * factor)
    jump.rescale(by: factor)
  }

  private mutating func teach(
    _ j: Int, _ d: Double, _ isUp: Bool, _ isCrowd: Bool, _ tables: inout TailTables,
    _ tempo: TallyTempo
  ) {
    tables.tables[2 * j + (isUp ? 1 : 0)].countBucket(tempo)
    let sign = signs >> UInt8(j) & 1
    let crowdBit: UInt8 = 16 << UInt8(j)
    if peak[j] > 0, d < TailTable.lowest || (isUp ? 1 : 0) != sign {
      if signs & crowdBit == 0, !isCrowd {
        tables.tables[2 * j + Int(sign)].add(peak: peak[j].double)
      }
      peak[j] = 0
      signs &= ~crowdBit
    }
    guard d >= TailTable.lowest else { return }
    if isCrowd { signs |= crowdBit }
    if d > peak[j].double {
      peak[j] = Real(min(d, Real.largestAmount))
      signs = signs & ~(1 << UInt8(j)) | (isUp ? 1 : 0) << UInt8(j)
    }
  }

  /// Adds an excursion of the jump lens to its table when it ends.
  private mutating func teachJump(
    _ d: Double, _ isCrowd: Bool, _ tables: inout TailTables, _ tempo: TallyTempo
  ) {
    tables.jump.countBucket(tempo)
    if d >= TailTable.lowest {
      if isCrowd { isJumpShared = true }
      if d > jumpPeak.double { jumpPeak = Real(min(d, Real.largestAmount)) }
    } else if jumpPeak > 0 {
      if !isJumpShared, !isCrowd { tables.jump.add(peak: jumpPeak.double) }
      jumpPeak = 0
      isJumpShared = false
    }
  }

  /// Opens, updates and closes the series' own incident. Returns whether the bucket may be learnt.
  private mutating func follow(
    _ score: Double, short: Double, time: Double, isCrowd: Bool, tempo: TallyTempo,
    crowd: inout Crowd
  ) -> Bool {
    if score >= tempo.rules.open {
      crowd.join()
      if !isOpen {
        isOpen = true
        habitCount = Real(habitCount.double * exp2((opened - time) / TallyRules.habitHalfLife))
        incidentPeak = 0
        isShared = false
        opened = time
        calm = 0
        isSharp = false
      }
    }
    guard isOpen else { return true }
    let age = time - opened
    if short >= tempo.rules.sharp { isSharp = true }
    if score > incidentPeak.double { incidentPeak = Real(min(score, TallyRules.habitLimit)) }
    if isCrowd { isShared = true }
    calm = score < 0 || (isSharp && short < tempo.rules.quiet) ? calm + 1 : 0
    if calm >= tempo.rules.calm {
      isOpen = false
      if isSharp { forget(tempo) }
      if !isShared { learnHabit() }
    } else if age >= tempo.accept {
      // After a day, the changed values are the new level.
      let last = tempo.scaleCount - 1
      amount *= (sums[last].double / expectedSums[last].double).clamped(0.05, 20)
      for j in 0..<tempo.scaleCount { expectedSums[j] = sums[j] }
      isOpen = false
    }
    return age > tempo.freeze
  }

  /// Removes a short event from the long memories.
  private mutating func learnHabit() {
    habitCount = Real(habitCount.double + 1)
    let difference = incidentPeak.double - habitPeak.double
    habitPeak = Real(habitPeak.double + (difference > 0 ? 0.5 : 0.1) * difference)
  }

  /// By how much scores are reduced because the series often has such incidents alone, and its
  /// measure's tables, which all keys share, don't know it.
  private func habit(at time: Double, _ tempo: TallyTempo) -> Double {
    guard tempo.rules.learnsHabits, habitCount >= 2 else { return 0 }
    let count = habitCount.double * exp2((opened - time) / TallyRules.habitHalfLife)
    guard count >= 2 else { return 0 }
    let days = TallyRules.habitHalfLife / TallyRules.day / log(2)
    return max(0, habitPeak.double + log(count / days))
  }

  private mutating func forget(_ tempo: TallyTempo) {
    for j in 1..<tempo.scaleCount { sums[j] = expectedSums[j] }
  }

  /// Removes an expected event from all memories.
  private mutating func forgetAll(_ tempo: TallyTempo) {
    for j in 0..<tempo.scaleCount { sums[j] = expectedSums[j] }
  }

  private mutating func learn(
    _ y: Double, mu: Double, base: Double, scalePhis: [4 of Double], learns: Bool, tempo: TallyTempo
  ) {
    let phi = self.phi.double
    var taught = y
    if learnt > tempo.rules.fullWeight {
      let clip = tempo.rules.clip
      // Within ``clip`` standard deviations, nothing is clipped.
      if (y - mu) * (y - mu) > clip * clip * phi * mu {
        let z = clip * ((phi * mu).squareRoot() + phi)
        taught = y.clamped(mu - z, mu + z)
      }
    }
    learnt = min(learnt + 1, 1 << 30)
    if learns {
      let rate = tempo.dispersionRate[learnt]
      mean += rate * (mu - mean)
      let error = taught - mu
      square[0] += rate * (error * error - square[0])
      for j in 1..<tempo.scaleCount {
        let a = tempo.weight[j]
        let M = expectedSums[j].double
        let difference = sums[j].double - M
        var x = difference * difference * (2 - a)
        if learnt > tempo.rules.fullWeight {
          x = min(x, 1.5 * tempo.rules.clip * tempo.rules.clip * scalePhis[j] * M)
        }
        square[j] += rate * (x - square[j])
      }
    } else {
      taught = mu
    }
    if y > 0 {
      seen = min(seen + 1, 1 << 30)
      unit = Real(unit.double + tempo.unitRate[seen] * (y - unit.double))
    }
    amount = amount * tempo.levelDecay + taught
    exposure = exposure * tempo.levelDecay + base
    hourAmount = Real(hourAmount.double + taught)
    hourExpected = Real(hourExpected.double + mu)
  }

  /// The dispersion of a scale, as in step 4.
  private func scalePhi(_ j: Int, relativeFloor: Double, _ tempo: TallyTempo) -> Double {
    let a = tempo.weight[j]
    let floor = relativeFloor * relativeFloor
    let unit = self.unit.double
    return max(
      // `learnt` already includes this bucket.
      learnt > 1 ? square[j] * a / mean : 1, floor * mean / a,
      mean < tempo.rules.rare * unit ? tempo.rules.halfUnit * unit : 0, TallyRules.tiny)
  }

  var bucketCount: Int { Int(learnt) }
  var usualValue: Double { mean }

  /// Converts what was learnt to a scale that begins lower. The spread and the distances between the
  /// hours stay.
  mutating func moveOrigin(by depth: Double, tempo: TallyTempo) {
    guard learnt > 0 else { return }
    let known = Double(learnt)
    let level = exposure > 0 ? amount / exposure : 0
    func raised(_ height: Double) -> Double { (level * exp(height) + depth) / (level + depth) }
    for j in 0..<24 {
      let old = day[j].value
      day[j] = .init(log(raised(old)))
      for k in stride(from: j, to: 168, by: 24) {
        week[k] = .init(log(raised(old + week[k].value) / raised(old)))
      }
    }
    exposure = (1 - pow(tempo.levelDecay, known)) / (1 - tempo.levelDecay)
    amount = (level + depth) * exposure
    mean += depth
    unit = Real(unit.double + depth)
    for j in 0..<tempo.scaleCount {
      let a = tempo.weight[j]
      let added = depth * (1 - pow(1 - a, known)) / a
      sums[j] = Real(sums[j].double + added)
      expectedSums[j] = Real(expectedSums[j].double + added)
    }
    hourAmount = 0
    hourExpected = 0
    hour = -1
    jump.moveOrigin(by: depth)
  }

  /// The average exposure of the last day.
  func usualExposure(_ tempo: TallyTempo) -> Double? {
    guard learnt > 1 else { return nil }
    let weight = (1 - pow(tempo.levelDecay, Double(learnt))) / (1 - tempo.levelDecay)
    return exposure / weight
  }

  /// Amount, expected amount and dispersion over the memory of a scale.
  func evidence(
    _ scale: Int, factor: Double, relativeFloor: Double, origin: Double, tempo: TallyTempo
  ) -> Evidence? {
    guard learnt > 1 else { return nil }
    let below = origin / tempo.weight[scale]
    return Evidence(
      amount: sums[scale].double - below,
      expected: expectedSums[scale].double / max(factor, 1e-9) - below,
      dispersion: scalePhi(scale, relativeFloor: relativeFloor, tempo) * tempo.spread[scale])
  }

  /// Updates the lens for runs of equal values.
  mutating func stuckScore(_ value: Double, tempo: TallyTempo) -> Double {
    stuck.step(value, tempo: tempo)
  }

  /// Whether the current run of equal values is significant: at least three values, in a series
  /// that is known to vary.
  var isStuck: Bool { stuck.runLength >= 3 && stuck.knowsVariation }

  func encode(to bytes: inout StateWriter) {
    for j in 0..<24 { day[j].encode(to: &bytes) }
    for j in 0..<168 { week[j].encode(to: &bytes) }
    for number in [amount, exposure, mean, first, opened] { bytes.put(number) }
    for j in 0..<4 {
      bytes.put(square[j])
      sums[j].encode(to: &bytes)
      expectedSums[j].encode(to: &bytes)
      peak[j].encode(to: &bytes)
    }
    for number in [
      hourAmount, hourExpected, shape, unit, phi, slowPhi, habitCount, habitPeak, incidentPeak,
      jumpPeak,
    ] {
      number.encode(to: &bytes)
    }
    jump.encode(to: &bytes)
    stuck.encode(to: &bytes)
    bytes.put(Int(learnt))
    bytes.put(Int(seen))
    bytes.put(hour)
    bytes.put(signs)
    bytes.put(calm)
    bytes.put(isOpen)
    bytes.put(isSharp)
    bytes.put(wasExpected)
    bytes.put(isShared)
    bytes.put(isJumpShared)
  }

  mutating func decode(from bytes: inout StateReader) throws(StateDamage) {
    for j in 0..<24 { day[j] = try .init(from: &bytes) }
    for j in 0..<168 { week[j] = try .init(from: &bytes) }
    amount = try bytes.double()
    exposure = try bytes.double()
    mean = try bytes.double()
    first = try bytes.double()
    opened = try bytes.double()
    for j in 0..<4 {
      square[j] = try bytes.double()
      sums[j] = try Real(from: &bytes)
      expectedSums[j] = try Real(from: &bytes)
      peak[j] = try Real(from: &bytes)
    }
    hourAmount = try Real(from: &bytes)
    hourExpected = try Real(from: &bytes)
    shape = try Real(from: &bytes)
    unit = try Real(from: &bytes)
    phi = try Real(from: &bytes)
    slowPhi = try Real(from: &bytes)
    habitCount = try Real(from: &bytes)
    habitPeak = try Real(from: &bytes)
    incidentPeak = try Real(from: &bytes)
    jumpPeak = try Real(from: &bytes)
    try jump.decode(from: &bytes)
    try stuck.decode(from: &bytes)
    learnt = try Int32.stored(&bytes)
    seen = try Int32.stored(&bytes)
    hour = try bytes.short()
    guard hour >= -1, hour < 168 else { throw StateDamage() }
    signs = try bytes.byte()
    calm = try bytes.byte()
    isOpen = try bytes.bool()
    isSharp = try bytes.bool()
    wasExpected = try bytes.bool()
    isShared = try bytes.bool()
    isJumpShared = try bytes.bool()
  }
}
