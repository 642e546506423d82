internal import CRdkafka

/// Messages that wait to be sent together, in librdkafka's own form, with the bytes that are not
/// part of a line.
///
/// Payloads and keys point into the reader's block or into ``arena``: both must stay as they are until the batch is sent.
@safe package struct Batch: ~Copyable {
  static let capacity = 1024

  /// The partition of each message; -1 for any partition.
  let messages: UnsafeMutablePointer<rd_kafka_message_t>
  /// The same messages, sorted by partition.
  let sorted: UnsafeMutablePointer<rd_kafka_message_t>
  /// Milliseconds since 1970; 0 is now.
  let timestamps: UnsafeMutablePointer<Int64>
  /// Header lists of single messages, owned until they are handed over.
  let headers: UnsafeMutablePointer<OpaquePointer?>
  /// Which of several topics each message goes to; unused where there is one.
  private let routes: UnsafeMutablePointer<Int32>
  package private(set) var count = 0

  /// Decoded text: keys, and values of envelopes.
  private var arena: UnsafeMutableRawBufferPointer
  private var used = 0

  package init() {
    unsafe messages = .allocate(capacity: Self.capacity)
    unsafe sorted = .allocate(capacity: Self.capacity)
    unsafe timestamps = .allocate(capacity: Self.capacity)
    unsafe headers = .allocate(capacity: Self.capacity)
    unsafe routes = .allocate(capacity: Self.capacity)
    unsafe routes.initialize(repeating: 0, count: Self.capacity)
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
    unsafe routes.deallocate()
    unsafe arena.deallocate()
  }

  package var isFull: Bool { count == Self.capacity }

  /// Whether `size` more bytes fit before the batch is sent.
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

  /// Reserves `size` bytes that stay in place until the batch is emptied; check ``hasRoom(for:)``
  /// first.
  package mutating func reserve(_ size: Int) -> UnsafeMutableRawPointer {
    precondition(hasRoom(for: size))
    // The arena is never empty, so it has a start.
    guard let start = unsafe arena.baseAddress else { preconditionFailure("no arena") }
    defer { used += size }
    return unsafe start + used
  }

  /// Returns the unused end of the last reservation.
  package mutating func giveBack(_ size: Int) { used -= size }

  /// Adds a message whose bytes stay in place until the batch is sent.
  ///
  /// - Parameters:
  ///   - value: `nil` is null; the same holds for a key.
  ///   - partition: -1 for any partition.
  ///   - timestamp: milliseconds since 1970; 0 is now.
  ///   - token: passed back in the report about the message.
  /// - Returns: whether the batch is full now.
  @discardableResult
  package mutating func append(
    value: UnsafeRawBufferPointer?, key: UnsafeRawBufferPointer?, partition: Int32,
    timestamp: Int64 = 0, token: UnsafeMutableRawPointer? = nil
  ) -> Bool {
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
    return count == Self.capacity
  }

  /// Adds a message with only a value, for any partition; returns whether the batch is full now.
  @inline(__always)
  package mutating func append(
    value: UnsafeRawBufferPointer, token: UnsafeMutableRawPointer?
  ) -> Bool {
    precondition(count < Self.capacity)
    let message = unsafe messages + count
    unsafe message.pointee.payload = UnsafeMutableRawPointer(mutating: value.baseAddress)
    unsafe message.pointee.len = value.count
    unsafe message.pointee.partition = -1
    unsafe message.pointee._private = token
    count += 1
    return count == Self.capacity
  }

  /// Says which topic the message that was added last goes to.
  package mutating func setRoute(_ route: Int) {
    precondition(count > 0)
    unsafe routes[count - 1] = Int32(truncatingIfNeeded: route)
  }

  /// Hands the messages for one topic over to an empty batch, in their order; the bytes stay with this one.
  package mutating func give(route: Int, to other: inout Batch) {
    precondition(other.count == 0)
    for index in 0..<count where unsafe Int(routes[index]) == route {
      let place = other.count
      unsafe other.messages[place] = unsafe messages[index]
      unsafe other.timestamps[place] = timestamps[index]
      unsafe other.headers[place] = headers[index]
      unsafe headers[index] = nil
      other.count += 1
    }
  }

  /// Sets headers for the message that was added last.
  package mutating func setHeaders(_ list: [Header]) {
    precondition(count > 0)
    guard !list.isEmpty, let headers = unsafe rd_kafka_headers_new(list.count) else { return }
    for header in list { unsafe addHeader(header.name, header.value, to: headers) }
    unsafe self.headers[count - 1] = headers
  }

  /// Frees what the messages own, when the batch is not sent.
  package mutating func discard() {
    for index in 0..<count {
      if let list = unsafe headers[index] { unsafe rd_kafka_headers_destroy(list) }
      unsafe headers[index] = nil
    }
    empty()
  }

  /// Removes all messages; librdkafka owns their headers by now.
  mutating func empty() {
    count = 0
    used = 0
  }

  /// Sorts by partition and keeps the order within each; returns where each partition's run begins,
  /// and the end of the last.
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
    // Each start has moved to the end of its run, which is the start of the next run.
    for partition in stride(from: partitionCount, to: 0, by: -1) {
      starts[partition] = starts[partition - 1]
    }
    starts[0] = 0
  }
}
