import Foundation
import Glibc
import TestSupport

/// A proxy on loopback between a client and a server, for tests: it cuts, stalls and delays what
/// passes through it, in both directions.
///
///     let proxy = try FaultProxy.start(upstreamPort: broker.port)
///     // the client talks to 127.0.0.1:proxy.port
///     proxy.cutAfterBytes(100_000, .toClient)
///     proxy.stop()
///
/// `@unchecked Sendable`: all mutable state is accessed only with the condition's lock held.
final class FaultProxy: @unchecked Sendable {
  enum Direction: Sendable {
    case toServer, toClient
  }

  struct Failure: Error {
    let action: String
    let code = errno
  }

  /// A client's connection and the server's; closed when both pumps have ended.
  private final class Link: Sendable {
    let client: Int32
    let server: Int32

    init(client: Int32, server: Int32) {
      self.client = client
      self.server = server
    }

    deinit {
      close(client)
      close(server)
    }

    func cut() {
      shutdown(client, Int32(SHUT_RDWR))
      shutdown(server, Int32(SHUT_RDWR))
    }
  }

  /// The port for clients, on 127.0.0.1.
  let port: UInt16
  private let upstreamPort: UInt16
  private let serverAddress: Data?
  private var ownAddress: Data
  /// Checks a new client before any data passes; false rejects it.
  private let gate: (@Sendable (_ client: Int32) -> Bool)?
  private let listener: Int32
  private let condition = NSCondition()
  private var links: [ObjectIdentifier: Link] = [:]
  private var isStopped = false
  private var isStalled = false
  private var isRefusing = false
  private var delayMicroseconds: UInt32 = 0
  /// How many bytes may still pass before everything is cut; `nil`: unlimited.
  private var allowance: [Direction: Int] = [:]
  private var passed: [Direction: Int] = [.toServer: 0, .toClient: 0]
  private var arrived: [Direction: Int] = [.toServer: 0, .toClient: 0]
  private var accepted = 0
  private var answerFaults: AnswerFaults?

  /// The faults for answers; requests always pass.
  private struct AnswerFaults {
    /// The percentage of answers that are dropped.
    var droppedPercent: Int
    var longestDelayMilliseconds: Int
    var random: SeededGenerator
  }

  /// - Parameter rewritingAddress: whether to replace the server's own address in its answers by
  ///   the proxy's, as a Kafka broker gives it to clients, so that clients reconnect through the
  ///   proxy.
  /// - Parameter gate: checks a new client before any data passes; false rejects it.
  static func start(
    upstreamPort: UInt16, rewritingAddress: Bool = false,
    gate: (@Sendable (_ client: Int32) -> Bool)? = nil
  ) throws -> FaultProxy {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard listener >= 0 else { throw Failure(action: "socket") }
    guard unsafe withLoopback(0, { unsafe bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0
    else { throw Failure(action: "listen") }
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = unsafe getsockname(listener, $0, &size)
      }
    }
    let proxy = FaultProxy(
      listener: listener, port: UInt16(bigEndian: address.sin_port), upstreamPort: upstreamPort,
      isRewriting: rewritingAddress, gate: gate)
    Thread.detachNewThread { proxy.acceptAll() }
    return proxy
  }

  private init(
    listener: Int32, port: UInt16, upstreamPort: UInt16, isRewriting: Bool,
    gate: (@Sendable (_ client: Int32) -> Bool)?
  ) {
    self.gate = gate
    if isRewriting {
      serverAddress = Self.address(port: upstreamPort)
      ownAddress = Self.address(port: port)
    } else {
      serverAddress = nil
      ownAddress = Data()
    }
    self.listener = listener
    self.port = port
    self.upstreamPort = upstreamPort
  }

  /// A Kafka string with its length, followed by the port in four bytes.
  private static func address(port: UInt16) -> Data {
    Data([0, 9] + Array("127.0.0.1".utf8) + [0, 0, UInt8(port >> 8), UInt8(port & 0xff)])
  }

  /// Makes clients reconnect to another port, whose server leads here.
  func advertise(port: UInt16) { locked { ownAddress = Self.address(port: port) } }

  /// How many clients have connected so far.
  var connectionCount: Int { locked { accepted } }

  /// How many bytes have passed in that direction.
  func byteCount(_ direction: Direction) -> Int { locked { passed[direction, default: 0] } }

  /// How many bytes have arrived in that direction, including those that are held back.
  func arrivedCount(_ direction: Direction) -> Int { locked { arrived[direction, default: 0] } }

  /// Cuts all current connections; new ones are served.
  func cutAll() {
    for link in locked({ Array(links.values) }) { link.cut() }
  }

  /// While on, no data passes and the connections stay. Held data passes after it is turned off.
  func stall(_ isOn: Bool) {
    locked { isStalled = isOn }
  }

  /// While on, new connections are closed at once.
  func refuse(_ isOn: Bool) {
    locked { isRefusing = isOn }
  }

  /// Lets exactly `count` more bytes pass in that direction, over all connections together, then cuts
  /// all connections, once.
  func cutAfterBytes(_ count: Int, _ direction: Direction) {
    locked { allowance[direction] = count }
  }

  /// Holds back every piece of data (64 KiB at most) for this time, in each direction.
  func delay(milliseconds: Int) {
    locked { delayMicroseconds = UInt32(milliseconds) * 1000 }
  }

  /// Drops some complete answers of a Kafka broker from now on, and delays the others by a random
  /// time.
  ///
  /// For connections that are made after this call.
  func dropAnswers(percent: Int, delayingUpTo milliseconds: Int, seed: UInt64) {
    locked {
      answerFaults = AnswerFaults(
        droppedPercent: percent, longestDelayMilliseconds: milliseconds,
        random: SeededGenerator(seed: seed))
    }
  }

  /// Drops and delays no answers any more.
  func passAnswers() {
    locked { answerFaults = nil }
  }

  /// The delay of the next answer; `nil` when it is dropped.
  private func fateOfAnswer() -> UInt32? {
    locked {
      guard var faults = answerFaults else { return 0 }
      defer { answerFaults = faults }
      if Int.random(in: 0..<100, using: &faults.random) < faults.droppedPercent { return nil }
      let most = faults.longestDelayMilliseconds
      return UInt32(Int.random(in: 0...most, using: &faults.random)) * 1000
    }
  }

  /// Passes answers on one by one, separated by their lengths.
  private func pumpAnswers(_ link: Link, from source: Int32, to target: Int32) {
    var pending: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65536)
    while true {
      let got = unsafe recv(source, &block, block.count, 0)
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { break }
      rewriteAddress(in: &block, count: got)
      pending += block[..<got]
      while pending.count >= 4 {
        let size = pending[..<4].reduce(0) { $0 << 8 | Int($1) } + 4
        guard pending.count >= size else { break }
        if let pause = fateOfAnswer() {
          if pause > 0 { usleep(pause) }
          guard send(pending[..<size], to: target) else { return link.cut() }
        }
        pending.removeFirst(size)
      }
    }
    link.cut()
    locked { _ = links.removeValue(forKey: ObjectIdentifier(link)) }
  }

  /// Cuts everything and stops listening.
  func stop() {
    locked { isStopped = true }
    shutdown(listener, Int32(SHUT_RDWR))
    cutAll()
  }

  private func locked<Result>(_ body: () -> Result) -> Result {
    condition.lock()
    defer {
      condition.broadcast()
      condition.unlock()
    }
    return body()
  }

  private func acceptAll() {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      if client < 0 && errno == EINTR { continue }
      guard client >= 0 else { break }
      let isWelcome = locked {
        accepted += 1
        return !isStopped && !isRefusing
      }
      guard isWelcome, let server = connectUpstream() else {
        close(client)
        continue
      }
      for descriptor in [client, server] {
        var on: Int32 = 1
        unsafe setsockopt(
          descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
      }
      let link = Link(client: client, server: server)
      locked { links[ObjectIdentifier(link)] = link }
      Thread.detachNewThread {
        if let gate = self.gate, !gate(client) { link.cut() }
        let hasAnswerFaults = self.locked { self.answerFaults != nil }
        Thread.detachNewThread {
          if hasAnswerFaults {
            self.pumpAnswers(link, from: server, to: client)
          } else {
            self.pump(link, from: server, to: client, .toClient)
          }
        }
        self.pump(link, from: client, to: server, .toServer)
      }
    }
    close(listener)
  }

  private func connectUpstream() -> Int32? {
    let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard server >= 0 else { return nil }
    guard unsafe withLoopback(upstreamPort, { unsafe connect(server, $0, $1) }) == 0 else {
      close(server)
      return nil
    }
    return server
  }

  private func pump(_ link: Link, from source: Int32, to target: Int32, _ direction: Direction) {
    var block = [UInt8](repeating: 0, count: 65536)
    while true {
      let got = unsafe recv(source, &block, block.count, 0)
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { break }
      locked { arrived[direction, default: 0] += got }
      if direction == .toClient { rewriteAddress(in: &block, count: got) }
      let (count, isLast) = admit(got, direction)
      guard send(block[..<count], to: target) else { break }
      if isLast {
        cutAll()
        break
      }
    }
    link.cut()
    locked { _ = links.removeValue(forKey: ObjectIdentifier(link)) }
  }

  /// Waits as long as the current faults require; then returns how many bytes may pass, and whether
  /// to cut the connections after them.
  private func admit(_ count: Int, _ direction: Direction) -> (count: Int, isLast: Bool) {
    let pause = locked { delayMicroseconds }
    if pause > 0 { usleep(pause) }
    condition.lock()
    defer { condition.unlock() }
    while isStalled && !isStopped { condition.wait() }
    var admitted = count
    var isLast = false
    if let left = allowance[direction] {
      admitted = min(count, left)
      isLast = count >= left
      allowance[direction] = isLast ? nil : left - count
    }
    passed[direction, default: 0] += admitted
    return (admitted, isLast)
  }

  /// Answers with an address are small and arrive in one piece.
  private func rewriteAddress(in block: inout [UInt8], count: Int) {
    guard let serverAddress, count < 4096 else { return }
    let replacement = locked { ownAddress }
    var data = Data(block[..<count])
    while let place = data.range(of: serverAddress) {
      data.replaceSubrange(place, with: replacement)
    }
    block.replaceSubrange(..<count, with: data)
  }

  private func send(_ bytes: ArraySlice<UInt8>, to target: Int32) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let sent = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if sent < 0 && errno == EINTR { continue }
      guard sent > 0 else { return false }
      rest = rest.dropFirst(sent)
    }
    return true
  }
}
