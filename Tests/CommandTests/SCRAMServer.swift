import Foundation

/// The server side of SCRAM-SHA-256 (RFC 5802, RFC 7677), which compares everything exactly, as
/// Kafka 4 does.
struct SCRAMServer: Sendable {
  let user: String
  let password: String
  let salt: Data
  /// The server's part of the nonce.
  let nonce: String
  private static let iterations = 4096

  /// The answer to the client's first message; `nil` for another user or a malformed message.
  func first(answering message: String) -> String? {
    guard message.hasPrefix("n,,") else { return nil }
    let fields = Self.fields(message.dropFirst(3))
    guard fields["n"] == user, let theirs = fields["r"], !theirs.isEmpty else { return nil }
    return "r=\(theirs)\(nonce),s=\(salt.base64EncodedString()),i=\(Self.iterations)"
  }

  /// The answer to the client's last message; `nil` when its nonce or its proof is wrong.
  func last(answering message: String, to firstMessage: String) -> String? {
    guard let challenge = first(answering: firstMessage),
      let proofStart = message.range(of: ",p=", options: .backwards)
    else { return nil }
    let fields = Self.fields(Substring(message))
    let bare = String(message[..<proofStart.lowerBound])
    guard fields["c"] == "biws", fields["r"] == Self.fields(Substring(challenge))["r"],
      let proof = Data(base64Encoded: String(message[proofStart.upperBound...]))
    else { return nil }
    let transcript = Data((firstMessage.dropFirst(3) + "," + challenge + "," + bare).utf8)
    let salted = saltedPassword()
    let clientKey = SHA256.authenticate(Data("Client Key".utf8), key: salted)
    let signature = SHA256.authenticate(transcript, key: SHA256.digest(clientKey))
    guard proof == Data(zip(clientKey, signature).map { $0 ^ $1 }) else { return nil }
    let serverKey = SHA256.authenticate(Data("Server Key".utf8), key: salted)
    return "v=" + SHA256.authenticate(transcript, key: serverKey).base64EncodedString()
  }

  private func saltedPassword() -> Data {
    let key = Data(password.utf8)
    var block = SHA256.authenticate(salt + Data([0, 0, 0, 1]), key: key)
    var result = [UInt8](block)
    for _ in 1..<Self.iterations {
      block = SHA256.authenticate(block, key: key)
      for (index, byte) in block.enumerated() { result[index] ^= byte }
    }
    return Data(result)
  }

  private static func fields(_ message: Substring) -> [String: String] {
    var fields: [String: String] = [:]
    for field in message.split(separator: ",") where field.dropFirst().first == "=" {
      fields[String(field.prefix(1))] = String(field.dropFirst(2))
    }
    return fields
  }
}

/// SHA-256 and HMAC for tests; the standard library has neither.
enum SHA256 {
  private static let constants: [UInt32] = {
    var primes: [UInt32] = []
    var number: UInt32 = 2
    while primes.count < 64 {
      if primes.allSatisfy({ !number.isMultiple(of: $0) }) { primes.append(number) }
      number += 1
    }
    return primes.map { UInt32(truncatingIfNeeded: UInt64(fraction(cbrt(Double($0))))) }
  }()

  /// The first 32 bits of the fractional part.
  private static func fraction(_ value: Double) -> Double {
    ((value - value.rounded(.down)) * 4_294_967_296).rounded(.down)
  }

  static func authenticate(_ message: Data, key: Data) -> Data {
    let padded = (key.count > 64 ? digest(key) : key) + Data(count: max(0, 64 - key.count))
    let block = padded.prefix(64)
    let inner = digest(Data(block.map { $0 ^ 0x36 }) + message)
    return digest(Data(block.map { $0 ^ 0x5c }) + inner)
  }

  static func digest(_ message: Data) -> Data {
    var bytes = [UInt8](message)
    let bitCount = UInt64(bytes.count) * 8
    bytes.append(0x80)
    while bytes.count % 64 != 56 { bytes.append(0) }
    for shift in stride(from: 56, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: bitCount >> UInt64(shift)))
    }
    var state: [UInt32] = [2, 3, 5, 7, 11, 13, 17, 19].map {
      UInt32(truncatingIfNeeded: UInt64(fraction(Double($0).squareRoot())))
    }
    for start in stride(from: 0, to: bytes.count, by: 64) {
      compress(bytes[start..<start + 64], into: &state)
    }
    return Data(state.flatMap { word in [24, 16, 8, 0].map { UInt8(word >> $0 & 0xff) } })
  }

  private static func compress(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
    func turned(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }
    var words = [UInt32](repeating: 0, count: 64)
    for (index, byte) in block.enumerated() {
      words[index / 4] = words[index / 4] << 8 | UInt32(byte)
    }
    for index in 16..<64 {
      let (early, late) = (words[index - 15], words[index - 2])
      let first = turned(early, 7) ^ turned(early, 18) ^ early >> 3
      let second = turned(late, 17) ^ turned(late, 19) ^ late >> 10
      words[index] = words[index - 16] &+ first &+ words[index - 7] &+ second
    }
    var v = state
    for index in 0..<64 {
      let sum = turned(v[4], 6) ^ turned(v[4], 11) ^ turned(v[4], 25)
      let choice = v[4] & v[5] ^ ~v[4] & v[6]
      let one = v[7] &+ sum &+ choice &+ constants[index] &+ words[index]
      let other = turned(v[0], 2) ^ turned(v[0], 13) ^ turned(v[0], 22)
      let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2]
      v = [one &+ other &+ majority, v[0], v[1], v[2], v[3] &+ one, v[4], v[5], v[6]]
    }
    for index in 0..<8 { state[index] = state[index] &+ v[index] }
  }
}
