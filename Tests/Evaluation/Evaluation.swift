import AnomalyDetection
import Glibc
import Plumbing

/// The measuring half of `scripts/evaluate`: counts events into buckets, and plays buckets through detectors.
///
///     evaluation collect FROM TO KEYS OUT [ONLY] < EVENTS   events of fake-events to a file of buckets
///     evaluation speed KEYS BUCKETS                         nanoseconds a point of the detector, over this many keys in random order
///     evaluation judge BUCKETS SLICES EVERY DETECTOR        a line of JSON: false alarms, and the scores in each slice
///     evaluation trace BUCKETS EVERY FROM KEY...            from FROM on, a line a bucket and measure of some keys, by their index:
///                                                           time, key, measure, value, expected value, its normal range, score
///
/// KEYS has a line for each key: `total`, `country=India`, `device=mobile`, `product_id=17`. ONLY is the one key that is
/// counted besides the total. SLICES has lines `FROM START END FILE KEY`, separated by tabs: where the events of FILE begin, the window
/// of the anomaly in them, and the index of its key. `frozen N` in the place of FILE keeps measure N as it is at START.
@main
struct Evaluation {
  static func main() {
    let words = CommandLine.arguments
    do {
      switch words.dropFirst().first {
      case "collect" where words.count >= 6:
        try Collector(
          from: Int64(words[2]) ?? 0, to: Int64(words[3]) ?? 0, keys: lines(of: words[4]),
          only: words.count > 6 ? words[6] : nil
        ).run(to: words[5])
      case "judge" where words.count >= 6:
        let every = Int(words[4]) ?? 300
        let trial = try Trial(
          buckets: Buckets(words[2], every: every), slices: lines(of: words[3]), every: every)
        print(try trial.run(words[5], settings: Array(words[6...])))
      case "trace" where words.count >= 6:
        let every = Int(words[3]) ?? 300
        try Trial(buckets: Buckets(words[2], every: every), slices: [], every: every)
          .trace(from: Double(words[4]) ?? 0, keys: words[5...].compactMap { Int($0) })
      case "speed" where words.count == 4:
        print(Speed.nanoseconds(keys: Int(words[2]) ?? 64, buckets: Int(words[3]) ?? 1000))
      default:
        Diagnostics.error("usage: evaluation collect FROM TO KEYS OUT [ONLY]")
        Diagnostics.error("usage: evaluation speed KEYS BUCKETS")
        Diagnostics.error("usage: evaluation judge BUCKETS SLICES EVERY DETECTOR [RULE=VALUE]...")
        Diagnostics.error("usage: evaluation trace BUCKETS EVERY FROM KEY...")
        exit(64)
      }
    } catch {
      Diagnostics.error("\(error)")
      exit(74)
    }
  }

  static func lines(of path: String) throws -> [String] {
    String(decoding: try bytes(of: path), as: UTF8.self).split(separator: "\n").map(String.init)
  }

  static func bytes(of path: String) throws -> [UInt8] {
    guard let file = unsafe fopen(path, "r") else { throw SystemFailure("opening \(path)") }
    defer { unsafe fclose(file) }
    unsafe fseek(file, 0, SEEK_END)
    let size = unsafe ftell(file)
    unsafe rewind(file)
    return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = unsafe fread(buffer.baseAddress, 1, size, file)
    }
  }
}

/// Counts events into buckets of a minute, five minutes and an hour.
struct Collector {
  static let lengths = [60, 300, 3600]
  /// Of a key and bucket: events, purchases, cents of purchases, clicks, cents of prices, users, late events.
  static let width = 7

  let from: Int64
  let to: Int64
  let keys: [String]
  let only: String?

  func run(to path: String) throws {
    var slots: [UInt64: Int] = [:]
    for (index, key) in keys.enumerated() where only == nil || key == only {
      let text = key.split(separator: "=").last ?? ""
      slots[text.utf8.reduce(FakeEvent.empty, FakeEvent.fingerprint)] = index
    }
    let keep = only.map { [0, keys.firstIndex(of: $0) ?? 0] } ?? Array(keys.indices)
    var place = [Int](repeating: -1, count: keys.count)
    for (index, key) in keep.enumerated() { place[key] = index }
    var tables = Self.lengths.map { length in
      [Int64](
        repeating: 0, count: (Int(to - from) + length - 1) / length * keep.count * Self.width)
    }
    var users = Self.lengths.map { _ in UserSet() }
    var newest = Int64.min
    var reader = LineReader(from: STDIN_FILENO, named: "standard input", maximumLineLength: 1 << 20)
    var touched: [Int] = []
    while let line = try reader.nextLine() {
      let event = FakeEvent(line)
      guard event.time >= from, event.time < to else { continue }
      newest = max(newest, event.time)
      touched.removeAll(keepingCapacity: true)
      touched.append(0)
      for name in [event.country, event.device, event.product] {
        if let slot = slots[name], place[slot] > 0 { touched.append(place[slot]) }
      }
      let isLate = newest - event.time > 60
      for (kind, length) in Self.lengths.enumerated() {
        let bucket = Int(event.time - from) / length
        if isLate { add(&tables[kind], Int(newest - from) / length, keep.count, touched, 6, 1) }
        if from + Int64((bucket + 1) * length) + 60 <= newest { continue }
        add(&tables[kind], bucket, keep.count, touched, 0, 1)
        add(&tables[kind], bucket, keep.count, touched, 4, event.cents)
        if event.type == 112 {  // purchase
          add(&tables[kind], bucket, keep.count, touched, 1, 1)
          add(&tables[kind], bucket, keep.count, touched, 2, event.cents * event.quantity)
        } else if event.type == 99 {  // click
          add(&tables[kind], bucket, keep.count, touched, 3, 1)
        }
        let new = users[kind].insert(event.user, bucket: bucket, touched)
        for slot in touched where new[slot >> 6] >> UInt64(slot & 63) & 1 == 1 {
          tables[kind][(bucket * keep.count + slot) * Self.width + 5] += 1
        }
      }
    }
    guard let file = unsafe fopen(path, "w") else { throw SystemFailure("opening \(path)") }
    let head: [Int64] = [from, to, Int64(keep.count)]
    _ = unsafe head.withUnsafeBytes { unsafe fwrite($0.baseAddress, 1, $0.count, file) }
    for table in tables {
      _ = unsafe table.withUnsafeBytes { unsafe fwrite($0.baseAddress, 1, $0.count, file) }
    }
    guard unsafe fclose(file) == 0 else { throw SystemFailure("writing \(path)") }
  }

  @inline(__always)
  private func add(
    _ table: inout [Int64], _ bucket: Int, _ keys: Int, _ slots: [Int], _ field: Int, _ amount: Int
  ) {
    for slot in slots { table[(bucket * keys + slot) * Self.width + field] += Int64(amount) }
  }
}

/// The keys that each user was seen with in the newest buckets; late events of older ones are found in no set.
struct UserSet {
  private var bucket = -1
  private var ids = [UInt32](repeating: 0, count: 1024)
  private var bits = [[2 of UInt64]](repeating: [0, 0], count: 1024)
  private var used = 0
  private var older: [Int: [UInt32: [2 of UInt64]]] = [:]

  /// The bits of the keys that are new to the user.
  mutating func insert(_ user: UInt32, bucket: Int, _ slots: [Int]) -> [2 of UInt64] {
    var mask: [2 of UInt64] = [0, 0]
    for slot in slots { mask[slot >> 6] |= 1 << UInt64(slot & 63) }
    if bucket < self.bucket {
      let had = older[bucket]?[user] ?? [0, 0]
      older[bucket, default: [:]][user] = [had[0] | mask[0], had[1] | mask[1]]
      return [mask[0] & ~had[0], mask[1] & ~had[1]]
    }
    if bucket > self.bucket {
      if self.bucket >= 0 {
        // The bucket before may still get events that are a little late.
        var kept: [UInt32: [2 of UInt64]] = [:]
        for place in ids.indices where ids[place] != 0 { kept[ids[place]] = bits[place] }
        older = older.filter { $0.key >= bucket - 2 }
        older[self.bucket] = kept
      }
      self.bucket = bucket
      for place in ids.indices { ids[place] = 0 }
      used = 0
    }
    if used * 2 >= ids.count { grow() }
    let place = find(user)
    if ids[place] == 0 {
      ids[place] = user
      bits[place] = [0, 0]
      used += 1
    }
    let had = bits[place]
    bits[place] = [had[0] | mask[0], had[1] | mask[1]]
    return [mask[0] & ~had[0], mask[1] & ~had[1]]
  }

  private func find(_ user: UInt32) -> Int {
    var place = Int(user &* 0x9e37_79b1) & (ids.count - 1)
    while ids[place] != 0, ids[place] != user { place = (place + 1) & (ids.count - 1) }
    return place
  }

  private mutating func grow() {
    let (oldIds, oldBits) = (ids, bits)
    ids = [UInt32](repeating: 0, count: oldIds.count * 2)
    bits = [[2 of UInt64]](repeating: [0, 0], count: ids.count)
    for index in oldIds.indices where oldIds[index] != 0 {
      let place = find(oldIds[index])
      ids[place] = oldIds[index]
      bits[place] = oldBits[index]
    }
  }
}

/// A line of fake-events, whose keys have one order.
struct FakeEvent {
  var user: UInt32 = 0
  /// The first letter of its type.
  var type: UInt8 = 0
  /// Fingerprints of the texts.
  var country: UInt64 = 0
  var device: UInt64 = 0
  var product: UInt64 = 0
  var cents = 0
  var quantity = 0
  var time: Int64 = 0

  @inline(__always)
  static func fingerprint(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
    (hash ^ UInt64(byte)) &* 0x100_0000_01b3
  }

  static let empty: UInt64 = 0xcbf2_9ce4_8422_2325

  init(_ line: RawSpan) {
    var place = 0
    var field = 0
    let count = line.byteCount
    @inline(__always)
    func byte(_ index: Int) -> UInt8 {
      index < count ? unsafe line.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self) : 125
    }
    while place < count, field < 9 {
      // Behind the colon of the key.
      while place < count, byte(place) != 58 { place += 1 }
      place += 1
      let isText = byte(place) == 34
      if isText { place += 1 }
      let start = place
      let stop: UInt8 = isText ? 34 : 44
      var hash = Self.empty
      var number = 0
      var decimals = -1
      while place < count, byte(place) != stop, isText || byte(place) != 125 {
        let one = byte(place)
        hash = Self.fingerprint(hash, one)
        if one == 46 {
          decimals = 0
        } else {
          number = number &* 10 &+ Int(one &- 48)
          if decimals >= 0 { decimals += 1 }
        }
        place += 1
      }
      switch field {
      case 0: user = UInt32(truncatingIfNeeded: number)
      case 1: type = byte(start)
      case 2: country = hash
      case 4: device = hash
      case 5: product = hash
      case 6:
        cents = number
        for _ in max(0, decimals)..<2 { cents *= 10 }
      case 7: quantity = number
      case 8: time = Int64(number)
      default: break
      }
      if isText { place += 1 }
      field += 1
    }
  }
}
