import CMicrohttpd
import Glibc
import Plumbing
import Synchronization

/// An HTTP server on 127.0.0.1 with a thread per connection, by libmicrohttpd.
@safe
final class HTTPServer: @unchecked Sendable {
  // Sendable: `handler` is Sendable, and only `start` and `stop` use `daemon`, under its lock.
  let handler: @Sendable (HTTPRequest) -> HTTPResponse
  private(set) var port: UInt16 = 0
  private let daemon = Mutex<Daemon?>(nil)

  @safe private struct Daemon: @unchecked Sendable {
    let handle: OpaquePointer
  }

  /// Idle timeout of an incomplete request, in seconds, so that incomplete requests do not take all
  /// connections.
  static let requestPatience: UInt32 = 5
  /// Idle timeout of a connection without a request, or with an unread response, in seconds:
  /// Druid's `maxIdleTime`.
  static let idlePatience: UInt32 = 300
  /// Maximum time to receive a request's body.
  static let bodyPatience = Duration.seconds(30)

  /// Maximum size of a request's body, in bytes.
  static let bodyLimit = 16 << 20
  static let connections: UInt32 = 1000

  /// Starts to listen. Port 0 lets the kernel choose one.
  init(
    port: UInt16,
    handler: @escaping @Sendable (HTTPRequest) -> HTTPResponse
  ) throws(EmbeddedDruidFailure) {
    self.handler = handler
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    errno = 0
    let handle = unsafe cmicrohttpd_start(
      &address, HTTPCallbacks.handle, context, HTTPCallbacks.finished, HTTPServer.connections,
      HTTPServer.requestPatience)
    guard let handle = unsafe handle else {
      throw .port(port, reason: errno == 0 ? "the server did not start" : systemErrorText(errno))
    }
    self.port = unsafe cmicrohttpd_port(handle)
    daemon.withLock { $0 = unsafe Daemon(handle: handle) }
  }

  /// Closes the port and all connections, and waits for their threads. Call it before releasing the
  /// last reference.
  func stop() {
    let daemon = self.daemon.withLock { daemon in
      defer { daemon = nil }
      return daemon
    }
    if let daemon { unsafe MHD_stop_daemon(daemon.handle) }
  }
}
