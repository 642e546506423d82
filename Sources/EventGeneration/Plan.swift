package import Plumbing

/// Which events a command line requests, and how fast: the combined meaning of `--count`, `--from`,
/// `--to`, `--duration`, `--rate` and `--speed`. The clock is an argument.
package struct Plan: Equatable, Sendable {
  /// The given options; `nil` for those left out. Times are seconds since 1970.
  package struct Request: Equatable, Sendable {
    package var count: Int?
    package var from: Int64?
    package var to: Int64?
    package var duration: Int64?
    package var rate: Double?
    package var pace: Pace?

    package init() {}
  }

  /// How event time advances.
  package enum Pace: Equatable, Sendable {
    /// As fast as lines can be written.
    case unlimited
    /// With the clock: past events at once, future events when they are due.
    case clock
    /// A multiple of real time, starting with the first event.
    case times(Double)
  }

  /// The requested events, before they are counted.
  enum Extent: Equatable, Sendable {
    /// From a second on, up to the end, a number of events, or without an end.
    case from(Int64, end: Int64?, count: Int?)
    /// The last events before a second.
    case last(Int, before: Int64)
    /// An exact number of events between two seconds, at the rate that results.
    case spread(Int, over: Range<Int64>)
  }

  static let defaultRate = 10.0

  let extent: Extent
  package let pace: Pace
  package let rate: Double

  /// - Parameter now: the current time in whole seconds.
  package init(_ request: Request, now: Int64) throws(UsageFailure) {
    var request = request
    try request.applyDuration(now: now)
    rate = request.rate ?? Plan.defaultRate
    if let from = request.from, let to = request.to, to < from {
      throw UsageFailure(
        "the span ends before it starts: from \(Plan.words(from)) to \(Plan.words(to))")
    }
    switch (request.count, request.from, request.to) {
    case (let count?, let from?, let to?) where request.rate == nil:
      extent = .spread(count, over: from..<to)
    case (let count?, nil, let to) where (to ?? now) <= now:
      extent = .last(count, before: to ?? now)
    case (let count, let from, let to):
      if from == nil, let to, to <= now {
        throw UsageFailure(
          "the span ends before it starts: from now to \(Plan.words(to))",
          hints: ["say where it starts, with --from or --duration"])
      }
      extent = .from(from ?? now, end: to, count: count)
    }
    pace = request.pace ?? Plan.pace(of: extent, now: now)
  }

  /// Follows the clock unless the whole span is in the past, or a limited span is entirely in the
  /// future.
  private static func pace(of extent: Extent, now: Int64) -> Pace {
    switch extent {
    case .last: .unlimited
    case .spread(_, let span): span.upperBound <= now || span.lowerBound > now ? .unlimited : .clock
    case .from(let start, let end, let count):
      (end ?? .max) <= now || (start > now && (end != nil || count != nil)) ? .unlimited : .clock
    }
  }

  static func words(_ second: Int64) -> String {
    TimePoint(milliseconds: second * 1000).iso8601
  }
}

extension Plan.Request {
  fileprivate mutating func applyDuration(now: Int64) throws(UsageFailure) {
    guard let duration else { return }
    if from != nil, to != nil {
      throw UsageFailure("--from, --to and --duration can't all be given; leave one out")
    }
    if let to, from == nil {
      from = to - duration
    } else {
      to = (from ?? now) + duration
      from = from ?? now
    }
    self.duration = nil
  }
}
