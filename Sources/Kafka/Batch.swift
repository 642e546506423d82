internal import CRdkafka

/// Messages that wait to be handed over together, in the library's own form, and the bytes that no line holds for them.
///
/// Payloads and keys point into the reader's block or into ``arena``: both must stay as they are until the batch is sent.
@safe package struct Batch: ~Copyable {
  static let capacity = 1024

  /// `partition` of each says where it goes; -1: wherever there is room.
  let messages: UnsafeMutablePointer<rd_kafka_message_t>
  /// The same messages, sorted by partition.
  let sorted: UnsafeMutablePointer<rd_kafka_message_t>
  /// Milliseconds since 1970; 0 is now.
  let timestamps: UnsafeMutablePointer<Int64>
  /// Header lists of single messages, owned until they are handed over.
  let headers: UnsafeMutablePointer<OpaquePointer?>
  package private(set) var count = 0

  /// Decoded text: keys, and values of envelopes.
  private var arena: UnsafeMutableRawBufferPointer
  private var used = 0

  package init() {
    unsafe messages = .allocate(capacity: Self.capacity)
    unsafe sorted = .allocate(capacity: Self.capacity)
    unsafe timestamps = .allocate(capacity: Self.capacity)
    unsafe headers = .allocate(capacity: Self.capacity)
    unsafe messages.initialize(repeating: rd_kafka_message_t(), count: Self.capacity)
    unsafe sorted.initialize(repeating: rd_kafka_message_t(), count: Self.capacity)
    unsafe timestamps.initialize(repeating: 0, count: Self.capacity)
    unsafe headers.initialize(repeating: nil, count: Self.capacity)
    unsafe arena = .allocate(byteCount: 65536, alignment: 16)
  }

  deinit {
    unsafe messages.deallocate()
    unsafe sorted.deallocate()
    unsafe timestamps.deallocate()
    unsafe headers.deallocate()
    unsafe arena.deallocate()
  }

  package var isFull: Bool { count == Self.capacity }

  /// Whether `size` more bytes can be stored before the batch is sent.
  package func hasRoom(for size: Int) -> Bool { unsafe used + size <= arena.count }

  /// Makes room for `size` bytes in an empty batch.
  package mutating func makeRoom(for size: Int) {
    precondition(count == 0)
    used = 0
    if unsafe size > arena.count {
      unsafe arena.deallocate()
      unsafe arena = .allocate(byteCount: size * 2, alignment: 16)
    }
  }

  /// Room for `size` bytes that stays in place until the batch is emptied; ``hasRoom(for:)`` was asked.
  package mutating func reserve(_ size: Int) -> UnsafeMutableRawPointer {
    precondition(hasRoom(for: size))
    // The arena is never empty, so it has a start.
    guard let start = unsafe arena.baseAddress else { preconditionFailure("no arena") }
    defer { used += size }
    return unsafe start + used
  }

  /// Gives back the end of the last reservation.
  package mutating func giveBack(_ size: Int) { used -= size }

  /// Adds a message whose bytes stay in place until the batch is sent.
  ///
  /// - Parameters:
  ///   - value: `nil` is null; so is a key.
  ///   - partition: -1: wherever there is room.
  ///   - timestamp: milliseconds since 1970; 0 is now.
  ///   - token: comes back with the report about the message.
  package mutating func append(
    value: UnsafeRawBufferPointer?, key: UnsafeRawBufferPointer?, partition: Int32,
    timestamp: Int64 = 0, token: UnsafeMutableRawPointer? = nil
  ) {
    precondition(count < Self.capacity)
    let message = unsafe messages + count
    unsafe message.pointee.payload = UnsafeMutableRawPointer(mutating: value?.baseAddress)
    unsafe message.pointee.len = value?.count ?? 0
    unsafe message.pointee.key = UnsafeMutableRawPointer(mutating: key?.baseAddress)
    unsafe message.pointee.key_len = key?.count ?? 0
    unsafe message.pointee.partition = partition
    unsafe message.pointee._private = token
    unsafe timestamps[count] = timestamp
    count += 1
  }

  /// Adds a message that is nothing but a value, to whatever partition has room.
  @inline(__always)
  package mutating func append(
    value: UnsafeRawBufferPointer, token: UnsafeMutableRawPointer?
  ) {
    precondition(count < Self.capacity)
    let message = unsafe messages + count
    unsafe message.pointee.payload = UnsafeMutableRawPointer(mutating: value.baseAddress)
    unsafe message.pointee.len = value.count
    unsafe message.pointee.partition = -1
    unsafe message.pointee._private = token
    count += 1
  }

  /// Gives the message that was added last headers of its own.
  package mutating func setHeaders(_ list: [Header]) {
    precondition(count > 0)
    guard !list.isEmpty, let headers = unsafe rd_kafka_headers_new(list.count) else { return }
    for header in list { unsafe addHeader(header.name, header.value, to: headers) }
    unsafe self.headers[count - 1] = headers
  }

  /// Frees what single messages own, for a batch that is not sent.
  package mutating func discard() {
    for index in 0..<count {
      if let list = unsafe headers[index] { unsafe rd_kafka_headers_destroy(list) }
      unsafe headers[index] = nil
    }
    empty()
  }

  /// Forgets the messages; their headers are the library's by now.
  mutating func empty() {
    count = 0
    used = 0
  }

  /// Sorts by partition, keeping the order within each; returns where each partition's run begins, and the end.
  ///
  /// - Complexity: O(messages + partitions).
  func sort(among partitionCount: Int, into starts: inout [Int]) {
    for index in starts.indices { starts[index] = 0 }
    for index in 0..<count { starts[Int(unsafe messages[index].partition) + 1] += 1 }
    for partition in 0..<partitionCount { starts[partition + 1] += starts[partition] }
    for index in 0..<count {
      let partition = Int(unsafe messages[index].partition)
      unsafe sorted[starts[partition]] = unsafe messages[index]
      starts[partition] += 1
    }
    // Each start has moved to its run's end, which is where the next one starts.
    for partition in stride(from: partitionCount, to: 0, by: -1) {
      starts[partition] = starts[partition - 1]
    }
    starts[0] = 0
  }
}
