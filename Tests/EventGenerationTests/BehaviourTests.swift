import Testing

@testable import EventGeneration

@Suite struct BehaviourTests {
  private let quantiles = FixedPoint.normalQuantiles(1024)

  @Test func theMeanThatIsKeptIsTheOneThatIsComputed() {
    let behaviour = Behaviour(rate: FixedPoint.one, quantiles: quantiles)
    let computed = Behaviour.meanEvents(
      behaviour.transitions, behaviour.gaps, limit: 1800,
      devices: Population.shares(nil))
    #expect(Behaviour.fullThinkMean == computed)
  }
}
