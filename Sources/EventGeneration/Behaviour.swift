/// Decides how a session continues: the next event, the time until then, and the quantity bought.
///
/// A Markov chain fitted to published funnels: five events per session, three sessions in ten with
/// a click, one in fourteen with a purchase; desktops convert better than phones. A click is on the
/// product viewed last and a purchase is of the product clicked; a view may turn to another
/// product.
struct Behaviour {
  /// The value of ``next(after:device:chance:)`` at the end of a session.
  static let end: UInt8 = 3
  /// Above this many events per second, sessions have shorter think times, so that about a million
  /// are in flight at most.
  static let fullThinkRate = 20_000
  static let longestSession = 1800
  /// Seconds between two events on average: a median of 20, spread log-normally.
  static let meanGap = 33.0
  /// The value of ``meanEvents`` up to that rate, stored because computing it takes milliseconds.
  static let fullThinkMean: Int64 = 21_694_818_056

  /// Three ascending 16-bit thresholds per row, `type * 4 + device`: values below the first are a
  /// view, below the second a click, below the third a purchase, else the end.
  let transitions: [UInt64]
  /// Seconds between two events, in 1,024 equally likely steps.
  let gaps: [UInt16]
  /// The maximum length of a session, in seconds.
  let sessionLimit: UInt16
  /// The mean number of events per session, in Q32.
  let meanEvents: Int64

  /// Of 65,536 sessions, those below the first begin with a view, those below the second with a click, the others with a
  /// purchase; `nil`: all with a view.
  private let firstThresholds: (click: UInt64, purchase: UInt64)?

  /// - Parameters:
  ///   - rate: mean events per second of event time, in Q32.
  ///   - funnel: a chain that was fitted; `nil`: the usual one.
  init(rate: Int64, quantiles: [Int64], funnel: Funnel? = nil) {
    let fullRate = Int64(Behaviour.fullThinkRate) * FixedPoint.one
    // Q16: 1 up to 20,000 per second, then inversely proportional to the rate.
    let scale = rate <= fullRate ? 1 << 16 : fullRate / (rate >> 16)
    sessionLimit = UInt16(max(30, (Int64(Behaviour.longestSession) * scale) >> 16))
    gaps = quantiles.map { quantile in
      let seconds = (20 * FixedPoint.exp(quantile)) >> 16
      return UInt16(max(1, min(600, (seconds * scale + (1 << 31)) >> 32)))
    }
    transitions = EventType.allCases.flatMap { type in
      (0..<4).map { code in
        let device = Device(rawValue: UInt8(code)) ?? .mobile
        return funnel.map { Behaviour.thresholds($0.shares(after: type, device)) }
          ?? Behaviour.row(type, device)
      }
    }
    let devices = Population.shares(funnel?.devices)
    if let funnel {
      firstThresholds = (
        UInt64((funnel.firsts[0] * 65_536).rounded()),
        UInt64(((funnel.firsts[0] + funnel.firsts[1]) * 65_536).rounded())
      )
      meanEvents = Behaviour.meanEvents(
        transitions, gaps, limit: Int(sessionLimit), devices: devices, firsts: funnel.firsts)
    } else {
      firstThresholds = nil
      meanEvents =
        rate <= fullRate
        ? Behaviour.fullThinkMean
        : Behaviour.meanEvents(transitions, gaps, limit: Int(sessionLimit), devices: devices)
    }
  }

  /// The type code of a session's first event.
  @inline(__always)
  func first(_ bits: @autoclosure () -> UInt64) -> UInt8 {
    guard let firstThresholds else { return EventType.view.rawValue }
    let chance = bits() & 0xffff
    return (chance >= firstThresholds.click ? 1 : 0) &+ (chance >= firstThresholds.purchase ? 1 : 0)
  }

  /// - Parameter shares: of views, clicks and purchases; the rest is the end.
  private static func thresholds(_ shares: [Double]) -> UInt64 {
    var (sum, row) = (0.0, UInt64(0))
    for (index, share) in shares.enumerated() {
      sum += share
      row |= UInt64(min(65_535, (sum * 65_536).rounded())) << UInt64(16 * index)
    }
    return row
  }

  /// Shares in ten-thousandths of what follows an event of a type: views, clicks, purchases.
  static func usualShares(after type: EventType, _ device: Device) -> [UInt64] {
    let buying: UInt64 =
      switch device {
      case .mobile: 1476
      case .desktop: 2448
      case .tablet: 2052
      }
    let (view, click, purchase): (UInt64, UInt64, UInt64) =
      switch type {
      case .view: (7300, 800, 0)
      case .click: (5500, 800, buying)
      case .purchase: (2500, 0, 0)
      }
    return [view, click, purchase]
  }

  private static func row(_ type: EventType, _ device: Device) -> UInt64 {
    let shares = usualShares(after: type, device)
    let (view, click, purchase) = (shares[0], shares[1], shares[2])
    func threshold(_ share: UInt64) -> UInt64 { share * 65_536 / 10_000 }
    return threshold(view) | threshold(view + click) << 16
      | threshold(view + click + purchase) << 32
  }

  /// The type code of the next event, or ``end``.
  @inline(__always)
  static func next(_ row: UInt64, chance: UInt64) -> UInt8 {
    let chance = chance & 0xffff
    return (chance >= row & 0xffff ? 1 : 0) &+ (chance >= (row >> 16) & 0xffff ? 1 : 0)
      &+ (chance >= (row >> 32) & 0xffff ? 1 : 0)
  }

  /// The quantity bought: 1, 2, 3 or 4 in 80, 13, 4 and 3 % of purchases.
  @inline(__always)
  static func quantity(_ bits: UInt64) -> UInt8 {
    let chance = bits & 0xffff
    return 1 &+ (chance >= 52_429 ? 1 : 0) &+ (chance >= 60_948 ? 1 : 0)
      &+ (chance >= 63_570 ? 1 : 0)
  }
}
