import Plumbing
import Testing

@testable import EventGeneration

@Suite struct PlanTests {
  private static let now: Int64 = 1_800_000_000

  private func plan(_ change: (inout Plan.Request) -> Void) throws -> Plan {
    var request = Plan.Request()
    change(&request)
    return try Plan(request, now: Self.now)
  }

  @Test func nothingSaidIsLive() throws {
    let plan = try plan { _ in }
    #expect(plan.extent == .from(Self.now, end: nil, count: nil))
    #expect(plan.pace == .clock)
    #expect(plan.rate == 10)
  }

  @Test func aCountAloneIsTheLastBeforeNow() throws {
    let plan = try plan { $0.count = 5 }
    #expect(plan.extent == .last(5, before: Self.now))
    #expect(plan.pace == .unlimited)
  }

  @Test func aCountBeforeAnEnd() throws {
    let past = try plan {
      $0.count = 5
      $0.to = 1000
    }
    #expect(past.extent == .last(5, before: 1000))
    let future = try plan {
      $0.count = 5
      $0.to = Self.now + 10
    }
    #expect(future.extent == .from(Self.now, end: Self.now + 10, count: 5))
    #expect(future.pace == .clock)
  }

  @Test func aPastStartCatchesUpAndThenFollowsTheClock() throws {
    #expect(try plan { $0.from = 0 }.extent == .from(0, end: nil, count: nil))
    #expect(try plan { $0.from = 0 }.pace == .clock)
    let limited = try plan {
      $0.from = 0
      $0.count = 3
    }
    #expect(limited.extent == .from(0, end: nil, count: 3))
    let ended = try plan {
      $0.from = 0
      $0.to = Self.now
    }
    #expect(ended.pace == .unlimited)
  }

  @Test func bothEndsAndACountSpread() throws {
    let spread = try plan {
      $0.from = 0
      $0.to = 1000
      $0.count = 3
    }
    #expect(spread.extent == .spread(3, over: 0..<1000))
    #expect(spread.pace == .unlimited)
    let rated = try plan {
      $0.from = 0
      $0.to = 1000
      $0.count = 3
      $0.rate = 1
    }
    #expect(rated.extent == .from(0, end: 1000, count: 3))
  }

  @Test func durations() throws {
    let alone = try plan { $0.duration = 60 }
    #expect(alone.extent == .from(Self.now, end: Self.now + 60, count: nil))
    #expect(alone.pace == .clock)
    let after = try plan {
      $0.from = 0
      $0.duration = 60
    }
    #expect(after.extent == .from(0, end: 60, count: nil))
    let before = try plan {
      $0.to = 100
      $0.duration = 60
    }
    #expect(before.extent == .from(40, end: 100, count: nil))
    #expect(throws: UsageFailure.self) {
      try plan {
        $0.from = 0
        $0.to = 100
        $0.duration = 60
      }
    }
  }

  @Test func theFutureIsWrittenAtOnceWhenItIsLimited() throws {
    let limited = try plan {
      $0.from = Self.now + 1_000_000
      $0.count = 3
    }
    #expect(limited.pace == .unlimited)
    #expect(try plan { $0.from = Self.now + 5 }.pace == .clock)
    let asked = try plan {
      $0.from = Self.now + 1_000_000
      $0.count = 3
      $0.pace = .times(2)
    }
    #expect(asked.pace == .times(2))
  }

  @Test func backwardSpansAreRefused() {
    #expect(throws: UsageFailure.self) {
      try plan {
        $0.from = 10
        $0.to = 9
      }
    }
    #expect(throws: UsageFailure.self) { try plan { $0.to = 9 } }
  }

  @Test func theLastEventsAreTheEndOfTheStream() throws {
    for (seed, count) in [1, 2, 17, 400, 3000].enumerated() {
      var settings = Model.Settings()
      settings.seed = UInt64(seed)
      settings.products = 100
      let plan = try plan { $0.count = count }
      let (model, part) = try plan.resolve(settings)
      let found = run(model, part).lines
      #expect(found.count == count)
      let all = run(model, EventStream.Part(start: part.start, end: Self.now)).lines
      #expect(all.suffix(count).elementsEqual(found))
    }
  }

  @Test(
    arguments: [
      (1, 60), (2, 1000), (10, 86_400), (1000, 60), (5000, 86_400), (20_000, 7200), (0, 60),
    ] as [(Int, Int64)])
  func aSpreadHasExactlySoManyEvents(count: Int, length: Int64) throws {
    for seed: UInt64 in 1...2 {
      var settings = Model.Settings()
      settings.seed = seed
      settings.products = 100
      let plan = try plan {
        $0.from = monday
        $0.to = monday + length
        $0.count = count
      }
      let (model, part) = try plan.resolve(settings)
      let times = try records(run(model, part).lines).map(\.timestamp)
      #expect(times.count == count, "seed \(seed)")
      #expect(times.allSatisfy { $0 >= monday && $0 < monday + length })
      if count >= 5000 {
        // They end a little before the span does.
        #expect((times.last ?? 0) - monday > length * 96 / 100, "seed \(seed)")
        #expect((times.first ?? 0) - monday < length / 50, "seed \(seed)")
      }
    }
  }

  @Test func whatHasNoRoomIsRefused() {
    #expect(throws: UsageFailure.self) {
      let plan = try plan {
        $0.from = monday
        $0.to = monday
        $0.count = 1
      }
      _ = try plan.resolve(Model.Settings())
    }
    #expect(throws: UsageFailure.self) {
      let plan = try plan {
        $0.count = 1_000_000_000
        $0.rate = 0.001
      }
      _ = try plan.resolve(Model.Settings())
    }
  }
}
