import Glibc

/// Finds the smallest set of segments that explains a change.
///
/// A change of the whole multiplies every part by the same factor. A change of one segment changes
/// that segment and, through it, the parts of all other breakdowns evenly. The two explanations
/// therefore differ only within the segment's own breakdown. There, the attribution compares two
/// reductions of the deviance: by a separate factor for the segment, and by one factor for all
/// parts.
package struct Attribution: Sendable, Equatable {
  /// A part of the whole: a key of one breakdown, with the evidence of each measure that changed.
  package struct Segment: Sendable {
    package let slot: Int
    package let breakdown: Int
    package let evidence: [Evidence?]

    package init(slot: Int, breakdown: Int, evidence: [Evidence?]) {
      self.slot = slot
      self.breakdown = breakdown
      self.evidence = evidence
    }
  }

  /// The slots that explain the change, strongest first. Empty when the whole has changed.
  package var slots: [Int] = []
  /// How much better this explanation is than a change of the whole, in half deviance.
  package var gain = 0.0

  /// The deviance that each further segment must explain.
  private static let price = 4.0
  private static let largestSet = 5

  /// - Parameters:
  ///   - whole: the total's evidence by measure; nil without a total.
  ///   - parts: all segments of all breakdowns.
  package init(whole: [Evidence?]?, parts: [Segment]) {
    let breakdowns = Set(parts.map(\.breakdown)).sorted()
    for breakdown in breakdowns {
      let members = parts.filter { $0.breakdown == breakdown }
      var own: [(slot: Int, deviance: Double)] = []
      var even = 0.0
      for member in members {
        var alone = 0.0
        for (measure, evidence) in member.evidence.enumerated() {
          guard let evidence, evidence.expected > 0, evidence.dispersion > 0 else { continue }
          let before = Self.half(evidence, factor: 1)
          alone += before
          if let total = whole?[measure], total.expected > 0 {
            even += before - Self.half(evidence, factor: max(total.amount / total.expected, 1e-6))
          }
        }
        own.append((member.slot, alone))
      }
      own.sort { $0.deviance != $1.deviance ? $0.deviance > $1.deviance : $0.slot < $1.slot }
      let price = Self.price + log(Double(max(1, members.count)))
      var explained = 0.0
      var chosen: [Int] = []
      for one in own.prefix(Self.largestSet) {
        // A weaker segment is a consequence or chance, unless it is significant by itself.
        guard chosen.isEmpty || one.deviance > max(price, 0.25 * own[0].deviance) else { break }
        explained += one.deviance - price
        chosen.append(one.slot)
      }
      let gain = explained - max(0, even)
      if gain > self.gain {
        self.gain = gain
        slots = chosen
      }
    }
  }

  private static func half(_ evidence: Evidence, factor: Double) -> Double {
    let amount = max(0, evidence.amount)
    return min(1e6, max(0, deviance(amount, evidence.expected * factor) / evidence.dispersion))
  }
}
