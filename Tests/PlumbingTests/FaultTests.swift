import TestSupport
import Testing

@testable import Plumbing

private let kinds = [
  FaultKind("cut@bytes", .count(0...1_000_000), targets: ["sql"], meaning: "the answer ends early"),
  FaultKind("429", targets: ["sql"], meaning: "too many requests"),
  FaultKind("503+Retry-After", .count(0...3600, fallback: 1), targets: ["sql"], meaning: "busy"),
  FaultKind("throttle", .span(), targets: ["produce", "fetch"], meaning: "a quota"),
]

@Suite struct FaultTests {
  @Test func everyPartOfASpecificationIsRead() throws {
    let fault = try Fault("throttle=300ms,x3,p=0.25,seed=7,after=5s,on=fetch", among: kinds)
    #expect(fault.kind.name == "throttle")
    #expect(fault.span == .milliseconds(300))
    #expect(fault.times == 3)
    #expect(fault.probability == 0.25)
    #expect(fault.seed == 7)
    #expect(fault.delay == .seconds(5))
    #expect(fault.target == "fetch")
    #expect(try Fault("503+Retry-After", among: kinds).count == 1)
    #expect(try Fault("cut@bytes=100", among: kinds).count == 100)
  }

  @Test(arguments: [
    ("", "expected a fault", 0),
    ("thottle=1s", "unknown fault 'thottle'", 0),
    ("429=1", "429 takes no value", 4),
    ("throttle", "throttle needs a value", 8),
    ("throttle=soon", "'soon' is not a span of time", 9),
    ("cut@bytes=-1", "'-1' is not a number from 0 to 1000000", 10),
    ("429,x0", "'0' is not a number from 1 to 1000000000", 5),
    ("429,p=2", "'2' is not a share from 0 to 1", 6),
    ("429,x1,x2", "'x2' is given twice", 7),
    ("429,on=fetch", "429 does not affect 'fetch'", 7),
    ("429,", "expected a setting", 4),
    ("429,seed", "expected a value", 8),
    ("429,often", "unknown setting 'often'", 4),
  ])
  func whatIsWrongIsSaidWithItsPlace(text: String, message: String, place: Int) {
    do throws(UsageFailure) {
      _ = try Fault(text, among: kinds)
      Issue.record("no error")
    } catch {
      #expect(error.message == "--fault: " + message)
      #expect(error.details.last == "  " + String(repeating: " ", count: place) + "^")
    }
  }

  /// Whatever is written, it is read or refused with a place inside of the text.
  @Test func theGrammarIsFuzzed() {
    let words = [
      "cut@bytes", "429", "503+Retry-After", "throttle", "=", "=", ",", ",", "x", "x3", "p",
      "p=0.1",
      "seed=7", "after=5s", "on=sql", "on=fetch", "-1", "0", "1e9", "300ms", "99999999999999999999",
      "h", "d", "1.5", "\u{301}", "é", "\0", "\n", " ", "=\u{301}", ",\u{301}", "nan", "inf",
    ]
    Fuzzing.run("faults") { generator in
      for _ in 0..<200 {
        let count = Int.random(in: 0...12, using: &generator)
        let text = (0..<count).map { _ in words.randomElement(using: &generator) ?? "" }.joined()
        do throws(UsageFailure) {
          let fault = try Fault(text, among: kinds)
          #expect(fault.text == text && (0...1).contains(fault.probability))
          #expect(fault.times ?? 1 > 0 && fault.delay >= .zero && fault.span >= .zero)
          #expect(fault.target.isEmpty || fault.kind.targets.contains(fault.target))
          let faults = Faults()
          faults.order(fault)
          _ = faults.strike(fault.target.isEmpty ? "sql" : fault.target)
        } catch {
          let caret = error.details.last ?? ""
          #expect(caret.hasSuffix("^") && caret.count <= text.count + 3, "\(text.debugDescription)")
        }
      }
    }
  }

  @Test func aFaultStrikesItsRequestsAndNoMore() throws {
    let faults = Faults()
    let start = ContinuousClock.now
    #expect(faults.strike("sql", now: start) == nil)
    faults.order(try Fault("429,x2,after=5s", among: kinds), now: start)
    #expect(faults.strike("sql", now: start + .seconds(4)) == nil)
    #expect(faults.strike("produce", now: start + .seconds(5)) == nil)
    #expect(faults.strike("sql", now: start + .seconds(5))?.kind.name == "429")
    #expect(faults.strike("sql", now: start + .seconds(5)) { $0.name != "429" } == nil)
    #expect(faults.strike("sql", now: start + .seconds(6)) != nil)
    #expect(faults.strike("sql", now: start + .seconds(7)) == nil)
    #expect(faults.all.map(\.struck) == [2])
    #expect(faults.all.map(\.isSpent) == [true])
  }

  @Test func aShareOfTheRequestsIsTheSameForTheSameSeed() throws {
    func pattern(_ seed: Int) throws -> [Bool] {
      let faults = Faults()
      faults.order(try Fault("429,p=0.3,seed=\(seed)", among: kinds))
      return (0..<2000).map { _ in faults.strike("sql") != nil }
    }
    let first = try pattern(7)
    #expect(try pattern(7) == first)
    #expect(try pattern(8) != first)
    let share = Double(first.count { $0 }) / 2000
    #expect(abs(share - 0.3) < 0.05)
  }
}
