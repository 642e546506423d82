import Foundation
import TestSupport
import Testing

/// The proxy between a client and an echo server.
@Suite struct FaultProxyTests {
  /// A server that sends back what it gets, and a client's connection to it through the proxy.
  private func connected(
    _ body: (FaultProxy, _ client: Int32) throws -> Void
  ) throws {
    let echo = try EchoServer()
    let proxy = try FaultProxy.start(upstreamPort: echo.port)
    defer {
      proxy.stop()
      echo.stop()
    }
    let client = try #require(loopbackSocket(to: proxy.port))
    defer { close(client) }
    try body(proxy, client)
  }

  @Test func passesEverythingOn() throws {
    try connected { proxy, client in
      let text = Array("hello".utf8)
      EchoServer.send(text, to: client)
      #expect(EchoServer.receive(text.count, from: client) == text)
      #expect(proxy.byteCount(.toServer) == 5)
      #expect(proxy.byteCount(.toClient) == 5)
      #expect(proxy.connectionCount == 1)
    }
  }

  @Test func cutsAfterExactlySoManyBytes() throws {
    try connected { proxy, client in
      proxy.cutAfterBytes(3, .toClient)
      EchoServer.send(Array("hello".utf8), to: client)
      #expect(EchoServer.receive(5, from: client) == Array("hel".utf8))
    }
  }

  @Test func stallsAndGoesOn() throws {
    try connected { proxy, client in
      proxy.stall(true)
      EchoServer.send(Array("hello".utf8), to: client)
      var watched = pollfd(fd: client, events: Int16(POLLIN), revents: 0)
      #expect(unsafe poll(&watched, 1, 100) == 0)
      proxy.stall(false)
      #expect(EchoServer.receive(5, from: client) == Array("hello".utf8))
    }
  }

  @Test func delaysAndCutsAll() throws {
    try connected { proxy, client in
      proxy.delay(milliseconds: 60)
      let start = ContinuousClock.now
      EchoServer.send(Array("hello".utf8), to: client)
      #expect(EchoServer.receive(5, from: client) == Array("hello".utf8))
      #expect(ContinuousClock.now - start >= .milliseconds(120))
      proxy.cutAll()
      #expect(EchoServer.receive(1, from: client).isEmpty)
    }
  }
}

/// The server for the proxy's own tests.
private final class EchoServer: Sendable {
  let port: UInt16
  private let listener: Int32

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    let isListening = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(listener, $0, size) == 0 && listen(listener, 4) == 0
          && getsockname(listener, $0, &size) == 0
      }
    }
    try #require(isListening)
    self.listener = listener
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread {
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { break }
        Thread.detachNewThread {
          var block = [UInt8](repeating: 0, count: 4096)
          while true {
            let got = unsafe recv(client, &block, block.count, 0)
            guard got > 0 else { break }
            Self.send(Array(block[..<got]), to: client)
          }
          close(client)
        }
      }
      close(listener)
    }
  }

  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
  }

  static func send(_ bytes: [UInt8], to descriptor: Int32) {
    _ = unsafe bytes.withUnsafeBytes {
      unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }

  /// Receives this many bytes, or fewer when the connection ends first.
  static func receive(_ count: Int, from descriptor: Int32) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = unsafe recv(descriptor, &bytes, count, Int32(MSG_WAITALL))
    return Array(bytes[..<max(0, got)])
  }
}
