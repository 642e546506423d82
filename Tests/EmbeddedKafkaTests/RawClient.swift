import Foundation
import TestSupport
import Testing

@testable import EmbeddedKafka

/// A request as bytes, encoded by hand: the tests share no encoder with the broker.
struct RequestBytes {
  var bytes: [UInt8] = []

  /// Starts with a header: key, version, correlation id and a client id.
  init(_ key: Int, version: Int, correlation: Int = 7) {
    int16(key)
    int16(version)
    int32(correlation)
    string("raw")
  }

  init() {}

  mutating func int8(_ value: Int) { append(UInt64(bitPattern: Int64(value)), 1) }
  mutating func int16(_ value: Int) { append(UInt64(bitPattern: Int64(value)), 2) }
  mutating func int32(_ value: Int) { append(UInt64(bitPattern: Int64(value)), 4) }
  mutating func int64(_ value: Int) { append(UInt64(bitPattern: Int64(value)), 8) }

  private mutating func append(_ value: UInt64, _ width: Int) {
    for index in (0..<width).reversed() { bytes.append(UInt8(value >> (8 * index) & 0xFF)) }
  }

  mutating func string(_ text: String?) {
    guard let text else { return int16(-1) }
    int16(text.utf8.count)
    bytes += Array(text.utf8)
  }

  /// The bytes with their length, as sent over the wire.
  var frame: [UInt8] {
    var framed = RequestBytes()
    framed.int32(bytes.count)
    return framed.bytes + bytes
  }
}

/// Reads a response. A missing field fails the test instead of trapping.
struct AnswerBytes {
  private(set) var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  mutating func integer(_ width: Int) -> Int {
    guard rest.count >= width else {
      Issue.record("the answer is too short")
      return 0
    }
    let value = rest.prefix(width).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    rest = rest.dropFirst(width)
    let shift = UInt64(64 - 8 * width)
    return Int(Int64(bitPattern: value << shift) >> Int64(shift))
  }

  mutating func int8() -> Int { integer(1) }
  mutating func int16() -> Int { integer(2) }
  mutating func int32() -> Int { integer(4) }
  mutating func int64() -> Int { integer(8) }

  mutating func string() -> String? {
    let count = int16()
    guard count >= 0, count <= rest.count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return String(decoding: rest.prefix(count), as: UTF8.self)
  }
}

/// A connection that sends any bytes, valid or not. (Unsafe inside.)
final class RawClient {
  private let descriptor: Int32

  init(port: UInt16) throws {
    descriptor = try #require(loopbackSocket(to: port))
    // A timeout, so that no test hangs.
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  /// A new broker and a connection to it.
  static func withBroker() throws -> (Broker, RawClient) {
    let broker = try Broker(port: 0, directory: NSTemporaryDirectory()) { _ in }
    return (broker, try RawClient(port: broker.port))
  }

  deinit { close(descriptor) }

  /// False when the broker has closed the connection.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.send(
          descriptor, buffer.baseAddress?.advanced(by: sent), bytes.count - sent,
          Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// Closes the sending side.
  func endSending() {
    shutdown(descriptor, Int32(SHUT_WR))
  }

  private func receive(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = unsafe recv(descriptor, &bytes, count, Int32(MSG_WAITALL))
    return got == count ? bytes : nil
  }

  /// The next response without its length, or `nil` when the broker has closed the connection.
  func answer() -> AnswerBytes? {
    guard let length = receive(4) else { return nil }
    var reader = AnswerBytes(length)
    return receive(reader.int32()).map(AnswerBytes.init)
  }

  /// Sends a request and reads its response, whose correlation id is checked.
  func ask(_ request: RequestBytes) -> AnswerBytes? {
    guard send(request.frame), var answer = answer() else { return nil }
    #expect(answer.int32() == 7)
    return answer
  }

  /// Whether the broker closes the connection. Waits for it if necessary.
  var isHungUp: Bool {
    var byte: UInt8 = 0
    let got = unsafe recv(descriptor, &byte, 1, 0)
    return got == 0 || (got < 0 && errno == ECONNRESET)
  }

  /// Whether nothing arrives within `milliseconds`.
  func isSilent(milliseconds: Int32) -> Bool {
    var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&watched, 1, milliseconds) == 0
  }
}
