extension Behaviour {
  /// The mean number of events per session, in Q32, from which the requested rate follows.
  ///
  /// It is exact for the chain, the think times and the cap. For each type of event and number of
  /// seconds left, the expected number of events is computed from the values for fewer seconds.
  ///
  /// - Parameters:
  ///   - devices: each device's share of 65,536 sessions.
  ///   - firsts: each type's share of the sessions' first events.
  static func meanEvents(
    _ transitions: [UInt64], _ gaps: [UInt16], limit: Int, devices: [Int64],
    firsts: [Double] = [1, 0, 0]
  ) -> Int64 {
    var steps: [(seconds: Int, count: Int64)] = []
    for gap in gaps where Int(gap) <= limit {
      if steps.last?.seconds == Int(gap) {
        steps[steps.count - 1].count += 1
      } else {
        steps.append((Int(gap), 1))
      }
    }
    var mean: Int64 = 0
    for device in Device.allCases {
      let rows = EventType.allCases.map { transitions[Int($0.rawValue) * 4 + Int(device.rawValue)] }
      let ofDevice = eventsToCome(rows, steps, Int64(gaps.count), limit: limit)
      var expected = ofDevice[0]
      if firsts[0] < 1 {
        expected = zip(ofDevice, firsts).reduce(into: Int64(0)) { sum, pair in
          sum += Int64(Double(pair.0) * pair.1)
        }
      }
      mean += expected * devices[Int(device.rawValue)]
    }
    return mean >> 16
  }

  private static func eventsToCome(
    _ rows: [UInt64], _ steps: [(seconds: Int, count: Int64)], _ gapCount: Int64, limit: Int
  ) -> [Int64] {
    // Q32, for each type: with 0 seconds left, only this event is counted.
    var toCome = [[Int64]](repeating: [], count: rows.count)
    for left in 0...limit {
      let next = toCome.map { known in
        steps.reduce(into: Int64(0)) { sum, step in
          if step.seconds <= left { sum += step.count * known[left - step.seconds] }
        } / gapCount
      }
      for (type, row) in rows.enumerated() {
        var value = FixedPoint.one
        var before: Int64 = 0
        for (index, expected) in next.enumerated() {
          let threshold = Int64((row >> UInt64(16 * index)) & 0xffff)
          value += (threshold - before) * (expected >> 16)
          before = threshold
        }
        toCome[type].append(value)
      }
    }
    return toCome.map { $0[limit] }
  }
}
