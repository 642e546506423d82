import AnomalyDetection
import Glibc

/// How long the flow lens takes for a point, without the reading and counting around it.
enum Speed {
  /// Nanoseconds of the processor's time a point, over a run of buckets.
  static func nanoseconds(keys: Int, buckets: Int) -> Double {
    let tempo = TallyTempo(.shipped, seconds: 60)
    // As the command has it: a direct call from another module runs unspecialized code.
    let detector: any Detector = CompactTally(
      measures: [MeasureTraits(isRows: false, findsStuckValues: true)], common: nil, tempo: tempo)
    detector.grow(to: keys)
    var values = BucketValues()
    values.reset(keys)
    var state: UInt64 = 88_172_645_463_325_252
    func random() -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state >> 33)
    }
    var order = Array(0..<keys)
    for index in order.indices.dropFirst().reversed() {
      order.swapAt(index, random() % (index + 1))
    }
    var spent = 0.0
    for bucket in 0..<buckets {
      for key in 0..<keys {
        values.amounts[key] = Double(80 + random() % 41)
        values.exposures[key] = 1
      }
      let time = 1_767_571_200 + Double(bucket) * 60
      let began = processorTime
      detector.judge(
        time: time, hour: tempo.hourOfWeek(time), values: values, order: order, expected: [])
      spent += processorTime - began
    }
    return spent / Double(keys * buckets)
  }

  /// The processor's time of this program, in nanoseconds.
  private static var processorTime: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
  }
}
