package import Plumbing

extension Profile {
  /// Parses `0:1,10m:5,11m:1`: times since the start of the run, each with the multiplier of the
  /// rate.
  ///
  /// - Throws: ``UsageFailure`` with the profile and a caret under the error.
  package init(spelling text: String) throws(UsageFailure) {
    var points: [Point] = []
    var place = 0
    for piece in text.split(separator: ",", omittingEmptySubsequences: false) {
      let halves = piece.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      func failure(_ message: String, at offset: Int) -> UsageFailure {
        UsageFailure(
          "--profile: " + message, hint: "write 0:1,10m:5,11m:1", in: text, at: place + offset)
      }
      guard halves.count == 2 else { throw failure("expected a time, ':' and a number", at: 0) }
      guard let span = Duration(spelling: String(halves[0])) else {
        throw failure("\(quoted(halves[0])) is not a span of time", at: 0)
      }
      let offset = Int64(span.inSeconds.rounded())
      if let last = points.last, offset <= last.offset {
        throw failure("times must ascend", at: 0)
      }
      guard let multiplier = decimalNumber(String(halves[1])), (0...1000).contains(multiplier)
      else {
        throw failure(
          "\(quoted(halves[1])) is not a number from 0 to 1000", at: halves[0].count + 1)
      }
      points.append(Point(offset: offset, multiplier: multiplier))
      place += piece.count + 1
    }
    self.init(points)
  }
}
