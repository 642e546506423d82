import Testing

@testable import AnomalyDetection

@Suite struct AttributionTests {
  private static func evidence(_ amount: Double, _ expected: Double) -> Evidence {
    Evidence(amount: amount, expected: expected, dispersion: 2)
  }

  /// Three countries and two devices of a shop with a thousand events a bucket, changed by factors.
  private static func cause(
    whole: Double, countries: [Double], devices: [Double]
  ) -> [Int] {
    let shares = [0.5, 0.3, 0.2]
    var parts: [Attribution.Segment] = []
    for (index, factor) in countries.enumerated() {
      parts.append(
        .init(
          slot: 1 + index, breakdown: 0,
          evidence: [evidence(1000 * shares[index] * factor, 1000 * shares[index])],
          share: shares[index]))
    }
    for (index, factor) in devices.enumerated() {
      let share = [0.6, 0.4][index]
      parts.append(
        .init(
          slot: 4 + index, breakdown: 1,
          evidence: [evidence(1000 * share * factor, 1000 * share)], share: share))
    }
    return Attribution(
      whole: [evidence(1000 * whole, 1000)], traits: [.init(isSized: false, isRare: false)],
      parts: parts
    ).slots
  }

  @Test func theSmallestSetIsNamed() {
    #expect(Self.cause(whole: 0.5, countries: [0.5, 0.5, 0.5], devices: [0.5, 0.5]) == [])
    #expect(Self.cause(whole: 8, countries: [8.2, 7.9, 8], devices: [8, 8.1]) == [])
    #expect(Self.cause(whole: 0.7, countries: [1, 0, 1], devices: [0.7, 0.7]) == [2])
    #expect(Self.cause(whole: 0.64, countries: [0.64, 0.64, 0.64], devices: [0.4, 1]) == [4])
    #expect(Self.cause(whole: 1, countries: [1, 1, 1], devices: [1, 1]) == [])
  }

  /// A segment that changes a little, but very significantly, is not the cause of a large change.
  @Test func theCauseLeavesLittleOfTheChange() {
    let regular = Attribution.Segment(
      slot: 9, breakdown: 2,
      evidence: [Evidence(amount: 60, expected: 100, dispersion: 0.001)], share: 0.1)
    let country = Attribution.Segment(
      slot: 2, breakdown: 0, evidence: [Self.evidence(30, 300)], share: 0.3)
    let attribution = Attribution(
      whole: [Self.evidence(730, 1000)], traits: [.init(isSized: false, isRare: false)],
      parts: [country, regular])
    #expect(attribution.slots == [2])
  }

  /// A part of a tenth of the events, and a whole of 1,000 that has changed by a factor.
  private static func standsOut(
    _ part: Evidence, whole factor: Double?, isRare: Bool = false
  ) -> Bool {
    Attribution.standsOut(
      [part], from: factor.map { [evidence(1000 * $0, 1000)] },
      traits: [.init(isSized: false, isRare: isRare)], share: 0.1)
  }

  @Test func aPartStandsOutWhenTheWholeDoesNotExplainIt() {
    let risen = Self.evidence(150, 100)
    #expect(Self.standsOut(risen, whole: nil), "nothing to compare it with")
    #expect(Self.standsOut(risen, whole: 1.05))
    #expect(!Self.standsOut(risen, whole: 1.5), "as the whole has")
    #expect(!Self.standsOut(risen, whole: 1.4), "a little more than the whole")
    #expect(Self.standsOut(Self.evidence(40, 100), whole: 1.5), "against the whole")
    #expect(!Self.standsOut(Self.evidence(115, 100), whole: 1), "by too little")
  }

  /// Late events are expected by the part's share of all events.
  @Test func aPartOfWhatIsUsuallyZeroIsExpectedToHaveItsShare() {
    let late = Evidence(amount: 12, expected: 0.5, dispersion: 1)
    func standsOut(_ total: Double) -> Bool {
      Attribution.standsOut(
        [late], from: [Evidence(amount: total, expected: 1, dispersion: 1)],
        traits: [.init(isSized: false, isRare: true)], share: 0.1)
    }
    #expect(!standsOut(110), "a tenth of the late events")
    #expect(standsOut(14), "nearly all late events")
  }

  /// What the whole does not have or never expects explains nothing.
  @Test func aPartStandsOutWhereTheWholeHasNoEvidence() {
    for whole in [nil, Evidence(amount: 5, expected: 0, dispersion: 1)] {
      #expect(
        Attribution.standsOut(
          [Self.evidence(150, 100)], from: [whole],
          traits: [.init(isSized: false, isRare: false)], share: 0.1))
    }
    #expect(
      !Attribution.standsOut(
        [nil], from: [Self.evidence(1500, 1000)], traits: [.init(isSized: false, isRare: false)],
        share: 0.1), "no evidence of its own")
  }
}
