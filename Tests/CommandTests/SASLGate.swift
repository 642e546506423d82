import Foundation
import Glibc

/// The SASL handshake of a connection to a Kafka broker; another server handles what follows.
struct SASLGate: Sendable {
  enum Mechanism: String, Sendable {
    case plain = "PLAIN"
    case scramSHA256 = "SCRAM-SHA-256"
  }

  let user: String
  let password: String
  var mechanism = Mechanism.plain

  /// Authenticates a client; false when it is not a known user.
  func admit(_ client: Int32) -> Bool {
    let scram = SCRAMServer(
      user: user, password: password, salt: Data("salt of the test".utf8), nonce: "%server-nonce")
    var firstMessage: String?
    while let size = read(4, from: client).map(Self.number), let request = read(size, from: client)
    {
      // Key, version, correlation id, client id; then the body.
      let key = Self.number(request[0..<2])
      let version = Self.number(request[2..<4])
      let body = request[(10 + Self.number(request[8..<10]))...]
      var answer = Data(request[4..<8])
      switch key {
      case 18: answer += versions(isKnown: version < 3)
      case 17: answer += Self.bytes(0, 2) + Self.bytes(1, 4) + Self.text(mechanism.rawValue)
      case 36 where mechanism == .scramSHA256:
        let message = String(decoding: body.dropFirst(4), as: UTF8.self)
        let reply =
          firstMessage.map { scram.last(answering: message, to: $0) }
          ?? scram.first(answering: message)
        answer += Self.bytes(reply == nil ? 58 : 0, 2)
        answer += reply == nil ? Self.text("authentication failed") : Self.bytes(0xffff, 2)
        let bytes = Data((reply ?? "").utf8)
        answer += Self.bytes(bytes.count, 4) + bytes
        write(answer, to: client)
        if reply == nil { return false }
        if firstMessage != nil { return true }
        firstMessage = message
        continue
      case 36:
        let isRight = Data(body.dropFirst(4)) == Data("\0\(user)\0\(password)".utf8)
        answer += Self.bytes(isRight ? 0 : 58, 2)
        answer += isRight ? Self.bytes(0xffff, 2) : Self.text("no such user, or another password")
        answer += Self.bytes(0, 4)
        write(answer, to: client)
        return isRight
      default: return false
      }
      write(answer, to: client)
    }
    return false
  }

  /// The APIs that devstack's broker supports, and the two of SASL; error 35 makes the client retry
  /// with an older version.
  private func versions(isKnown: Bool) -> Data {
    let ranges = [
      (0, 0, 7), (1, 4, 11), (2, 1, 5), (3, 0, 8), (10, 0, 2), (17, 0, 1), (18, 0, 3), (22, 0, 1),
      (36, 0, 0),
    ]
    return ranges.reduce(Self.bytes(isKnown ? 0 : 35, 2) + Self.bytes(ranges.count, 4)) {
      $0 + Self.bytes($1.0, 2) + Self.bytes($1.1, 2) + Self.bytes($1.2, 2)
    }
  }

  private func read(_ count: Int, from client: Int32) -> Data? {
    var data = Data()
    while data.count < count, count < 100_000 {
      var block = [UInt8](repeating: 0, count: count - data.count)
      let got = unsafe recv(client, &block, block.count, 0)
      guard got > 0 else { return nil }
      data += block[..<got]
    }
    return data
  }

  private func write(_ answer: Data, to client: Int32) {
    let frame = Array(Self.bytes(answer.count, 4) + answer)
    _ = unsafe Glibc.send(client, frame, frame.count, Int32(MSG_NOSIGNAL))
  }

  private static func number(_ bytes: Data) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

  private static func bytes(_ value: Int, _ count: Int) -> Data {
    Data((0..<count).reversed().map { UInt8(value >> (8 * $0) & 0xff) })
  }

  private static func text(_ text: String) -> Data { bytes(text.utf8.count, 2) + Data(text.utf8) }
}
