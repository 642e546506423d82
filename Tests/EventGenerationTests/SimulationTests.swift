import Testing

@testable import EventGeneration

@Suite struct SimulationTests {
  /// The ring and the session walk must agree, even when seconds hold many chunks.
  @Test(arguments: [0.01, 1, 200])
  func theRingLosesNoEvent(rate: Double) {
    for seed: UInt64 in 1...3 {
      var settings = Model.Settings()
      settings.seed = seed
      settings.rate = rate
      settings.products = 100
      let model = Model(settings)
      let start: Int64 = 1_767_225_600
      let end = start + Int64(max(4, min(50_000, 2_000 / rate)))
      var simulation = Simulation(model, from: start)
      var batch = EventBatch()
      var count = 0
      for _ in start..<end {
        simulation.turn()
        while simulation.remaining > 0 {
          simulation.produce(&batch)
          count += batch.count
        }
      }
      #expect(count == Simulation.count(model, in: start..<end), "seed \(seed)")
    }
  }

  /// Chunks of many seconds alternate in memory, and are freed and reused in any order.
  @Test func aSecondCountsItsSessionsHoweverItsChunksLie() {
    var ring = SessionRing()
    var bits: UInt64 = 1
    var counts = [Int](repeating: 0, count: 8)
    for _ in 0..<200 {
      for _ in 0..<300 {
        bits = Draw.mix(bits)
        let bucket = Int(bits % 8)
        ring.reserve(1)
        var cursor = Int(unsafe ring.cursors[bucket])
        if cursor % SessionRing.chunkSize == 0 { cursor = ring.extend(bucket) }
        unsafe ring.cursors[bucket] = UInt32(cursor + SessionRing.stride)
        counts[bucket] += 1
      }
      for bucket in 0..<8 where ring.count(bucket) != counts[bucket] {
        Issue.record("bucket \(bucket): \(ring.count(bucket)) of \(counts[bucket])")
        return
      }
      let emptied = Int(Draw.mix(bits) % 8)
      var chunk = Int(unsafe ring.heads[emptied])
      for _ in 0..<(counts[emptied] + SessionRing.perChunk - 1) / SessionRing.perChunk {
        chunk = ring.release(chunk)
      }
      ring.clear(emptied)
      counts[emptied] = 0
    }
  }
}
