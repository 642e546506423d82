import Glibc

/// Finds the segments that explain a change, as few as possible.
///
/// A change of the whole multiplies every part by the same factor. A change of one segment changes
/// that segment and, through it, the parts of all other breakdowns evenly. Within a breakdown, two
/// reductions of the deviance are therefore compared: by separate factors for a few segments, and by
/// one factor for all parts. Between breakdowns, the set is preferred that leaves the least of the
/// whole's own change.
package struct Attribution: Sendable, Equatable {
  /// The properties of a measure that attribution needs.
  package struct Trait: Sendable {
    /// Whether a part can be more regular than the whole, as the price of one product is. Its own
    /// dispersion would then exaggerate every difference.
    let isSized: Bool
    /// Whether the measure is usually 0, so that parts are expected to have their share of events.
    let isRare: Bool

    package init(isSized: Bool, isRare: Bool) {
      self.isSized = isSized
      self.isRare = isRare
    }
  }

  /// A part of the whole: a key of one breakdown, with the evidence of each measure that changed.
  package struct Segment: Sendable {
    package let slot: Int
    let breakdown: Int
    package let evidence: [Evidence?]
    /// Its usual share of the whole's events.
    package let share: Double

    package init(slot: Int, breakdown: Int, evidence: [Evidence?], share: Double) {
      self.slot = slot
      self.breakdown = breakdown
      self.evidence = evidence
      self.share = share
    }
  }

  /// The slots that explain the change, strongest first. Empty when the whole has changed.
  package var slots: [Int] = []
  /// How much better this explanation is than a change of the whole, in half deviance.
  package var gain = 0.0

  /// The deviance that each further segment must explain.
  private static let price = 4.0
  private static let largestSet = 5
  /// Relative differences of this size between parts are normal when the whole changes.
  private static let unevenness = 0.15
  /// Half the deviance from which on the whole's own change must be explained, and the share of it.
  private static let visible = 6.0
  private static let explained = 0.5
  /// Half the deviance from which on a part differs from the whole.
  private static let distinct = 4.0
  /// Several segments that are more of the whole than this are the whole.
  private static let largestShare = 0.7

  /// - Parameters:
  ///   - whole: the total's evidence by measure; nil without a total.
  ///   - parts: all segments of all breakdowns.
  package init(whole: [Evidence?]?, traits: [Trait], parts: [Segment]) {
    var best = -Double.infinity
    for breakdown in Set(parts.map(\.breakdown)).sorted() {
      let members = parts.filter { $0.breakdown == breakdown }
      var own: [(member: Segment, deviance: Double)] = []
      var even = 0.0
      for member in members {
        var alone = 0.0
        for (measure, evidence) in member.evidence.enumerated() {
          guard var evidence, evidence.expected > 0, evidence.dispersion > 0 else { continue }
          let total = whole?[measure]
          if traits[measure].isSized, let total {
            evidence.dispersion = max(evidence.dispersion, total.dispersion)
          }
          let before = Self.half(evidence)
          alone += before
          if let total, total.expected > 0 {
            even += before - Self.evenHalf(evidence, total, traits[measure], member.share)
          }
        }
        own.append((member, alone))
      }
      own.sort {
        $0.deviance != $1.deviance ? $0.deviance > $1.deviance : $0.member.slot < $1.member.slot
      }
      let price = Self.price + log(Double(max(1, members.count)))
      var gain = -max(0, even)
      var chosen: [Segment] = []
      for one in own.prefix(Self.largestSet) {
        guard chosen.isEmpty || one.deviance > price else { break }
        gain += one.deviance - price
        // A weaker segment is a consequence, or another change at the same time.
        if chosen.isEmpty || one.deviance > 0.25 * own[0].deviance { chosen.append(one.member) }
      }
      guard gain > 0 else { continue }
      if chosen.count > 1, chosen.reduce(0, { $0 + $1.share }) > Self.largestShare { continue }
      let remaining = Self.remaining(whole, without: chosen)
      guard remaining <= 1 - Self.explained else { continue }
      // What leaves less of the whole's change wins by far; among equals, the larger gain does.
      let merit = (1 - remaining) * 20 + log(gain)
      if merit > best {
        best = merit
        self.gain = gain
        slots = chosen.map(\.slot)
      }
    }
  }

  /// Whether a part deviates from what an even change of the whole would make of it. Otherwise the
  /// part's alarm is a consequence of the whole's change.
  ///
  /// - Parameter share: the part's usual share of the whole's events.
  package static func standsOut(
    _ part: [Evidence?], from whole: [Evidence?]?, traits: [Trait], share: Double
  ) -> Bool {
    guard let whole else { return true }
    for (measure, evidence) in part.enumerated() {
      guard let evidence, evidence.expected > 0, evidence.dispersion > 0 else { continue }
      guard let total = whole[measure], total.expected > 0 else { return true }
      // With the whole's factor, and without it.
      let rest = evenHalf(evidence, total, traits[measure], share)
      let own = evenHalf(evidence, total, traits[measure], share, isEven: false)
      if rest >= 0.5 * own, half(evidence) >= distinct { return true }
    }
    return false
  }

  /// Whether the whole deviates from what was expected by less than a standard deviation.
  package static func isAsUsual(_ whole: [Evidence?]) -> Bool {
    whole.allSatisfy { $0.map { $0.dispersion > 0 && half($0) < 0.5 } ?? true }
  }

  /// The share of the whole's deviance that is left when the changes of some segments are undone; 0
  /// when the whole shows no change.
  private static func remaining(_ whole: [Evidence?]?, without chosen: [Segment]) -> Double {
    guard let whole else { return 0 }
    var before = 0.0
    var after = 0.0
    for (measure, total) in whole.enumerated() {
      guard var total, total.expected > 0, total.dispersion > 0 else { continue }
      before += half(total)
      for segment in chosen {
        guard let part = segment.evidence[measure] else { continue }
        total.amount -= part.amount - part.expected
      }
      after += half(total)
    }
    return before > visible ? after / before : 0
  }

  /// Half the deviance from the expected value.
  private static func half(_ evidence: Evidence) -> Double {
    let amount = max(0, evidence.amount)
    return min(1e6, max(0, deviance(amount, evidence.expected) / evidence.dispersion))
  }

  /// Half the deviance from the value that the part has when the whole's change is even.
  private static func evenHalf(
    _ evidence: Evidence, _ total: Evidence, _ trait: Trait, _ share: Double, isEven: Bool = true
  ) -> Double {
    let factor = max(total.amount / total.expected, 1e-6)
    let isRare = trait.isRare || factor > 50
    let expected = isRare ? total.amount * share : evidence.expected * factor
    guard expected > 0 else { return half(evidence) }
    let dispersion =
      max(evidence.dispersion, isRare ? 1 : 0) * max(1, min(factor, 10))
      + unevenness * unevenness * expected
    let amount = max(0, evidence.amount)
    return min(1e6, max(0, deviance(amount, isEven ? expected : evidence.expected) / dispersion))
  }
}
