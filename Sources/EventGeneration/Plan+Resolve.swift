package import Plumbing

extension Plan {
  /// No span begins before the year 0, because earlier times can't be written.
  private static let earliest: Int64 = -62_167_219_200

  /// The model and the part of its events that the plan describes; counts events where the plan
  /// asks for a number of them.
  ///
  /// - Parameter settings: all but the rate, which comes from the plan.
  /// - Throws: ``UsageFailure`` when the events do not fit into the span.
  package func resolve(
    _ settings: Model.Settings
  ) throws(UsageFailure) -> (model: Model, part: EventStream.Part) {
    var settings = settings
    settings.rate = rate
    switch extent {
    case .from(let start, let end, let count):
      settings.profileStart = start
      return (Model(settings), EventStream.Part(start: start, end: end, count: count))
    case .last(let count, let end):
      if settings.profile != nil {
        throw UsageFailure("--profile counts from the start of the span: set it with --from")
      }
      let model = Model(settings)
      return (model, try last(count, before: end, of: model))
    case .spread(let count, let span):
      settings.profileStart = span.lowerBound
      let model = try spread(count, over: span, settings)
      return (
        model, EventStream.Part(start: span.lowerBound, end: span.upperBound, count: count)
      )
    }
  }

  /// Goes back until there are enough events, and skips the surplus.
  private func last(
    _ count: Int, before end: Int64, of model: Model
  ) throws(UsageFailure) -> EventStream.Part {
    var start = end
    var found = 0
    while found < count {
      let more = (Double(count - found) / rate * 1.02).rounded(.up) + 10
      guard Double(start) - more >= Double(Plan.earliest) else {
        throw UsageFailure(
          "\(count) events at \(rate) a second reach back before the year 0",
          hints: ["raise --rate, or lower --count"])
      }
      let earlier = start - Int64(more)
      found += Simulation.count(model, in: earlier..<start)
      start = earlier
    }
    return EventStream.Part(start: start, end: end, skip: found - count, count: count)
  }

  /// Searches for the lowest rate that gives enough events, within about 1 %.
  private func spread(
    _ count: Int, over span: Range<Int64>, _ settings: Model.Settings
  ) throws(UsageFailure) -> Model {
    let length = Double(span.upperBound - span.lowerBound)
    var rate = Double(max(1, count)) / max(1, length)
    guard length > 0 || count == 0, rate <= Model.rates.upperBound / 2 else {
      throw UsageFailure("\(count) events do not fit into a span of \(Int(length)) s")
    }
    var settings = settings
    settings.users = settings.users ?? Model.users(rate: rate)
    settings.rate = rate
    let model = Model(settings)
    if count == 0 { return model }
    var (enough, tooLow) = (Double.infinity, 0.0)
    var work = 0.0
    // A higher rate adds sessions to the same ones, so a binary search works.
    while work < 4e8, !(tooLow > 0 && enough / tooLow < 1.002) {
      let found = Simulation.count(model.paced(rate), in: span)
      work += length + 10 * Double(found)
      if found >= count {
        enough = min(enough, rate)
        if found - count <= max(2, count / 200) { break }
      } else {
        tooLow = max(tooLow, rate)
      }
      // A little more than the proportional rate, or the middle when that is outside the known
      // bounds.
      let proportional = rate * Double(count) / Double(max(1, found)) * 1.001
      if proportional > tooLow, proportional < enough {
        rate = found == 0 ? rate * 2 : proportional
      } else {
        rate = enough.isFinite ? (tooLow + enough) / 2 : rate * 1.1
      }
    }
    while enough.isInfinite {
      rate *= 1.1
      if Simulation.count(model.paced(rate), in: span) >= count { enough = rate }
      guard rate <= Model.rates.upperBound else {
        throw UsageFailure("\(count) events do not fit into a span of \(Int(length)) s")
      }
    }
    return model.paced(enough)
  }
}
