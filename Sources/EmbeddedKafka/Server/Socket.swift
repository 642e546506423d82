import CBroker
import Glibc
import Plumbing

/// A TCP socket of the loopback interface, for listening or for one client. (Unsafe inside: all of
/// the broker's calls on sockets are in this file.)
struct Socket: ~Copyable {
  let descriptor: Int32

  private init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
  }

  /// Listens on 127.0.0.1, which only this machine can reach.
  ///
  /// - Parameter port: 0 lets the kernel choose.
  static func listening(on port: UInt16) throws(SystemFailure) -> Socket {
    let descriptor = socket(
      AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), Int32(IPPROTO_TCP))
    guard descriptor >= 0 else { throw SystemFailure("making a socket") }
    let listener = Socket(descriptor: descriptor)
    listener.switchOn(SOL_SOCKET, SO_REUSEADDR)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    let bound = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe bind(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard bound == 0, listen(descriptor, 128) == 0 else {
      throw SystemFailure("listening on 127.0.0.1:\(port)")
    }
    return listener
  }

  /// The port this socket is bound to.
  var port: UInt16 {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        _ = unsafe getsockname(descriptor, generic, &size)
      }
    }
    return UInt16(bigEndian: address.sin_port)
  }

  /// Waits for the next client.
  ///
  /// - Throws: ``SystemFailure``, with EINVAL after ``hangUp(_:)``.
  func accept() throws(SystemFailure) -> Socket {
    while true {
      let accepted = cbk_accept(descriptor)
      if accepted >= 0 {
        let client = Socket(descriptor: accepted)
        client.switchOn(Int32(IPPROTO_TCP), TCP_NODELAY)
        return client
      }
      guard errno == EINTR || errno == ECONNABORTED else { throw SystemFailure("accepting") }
    }
  }

  private func switchOn(_ level: Int32, _ option: Int32) {
    var on: Int32 = 1
    unsafe setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Shuts down the socket with this descriptor, from any thread. Calls that use it return.
  static func hangUp(_ descriptor: Int32) {
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  /// Receives at least one byte; 0 when the client has closed its side.
  func receive(into buffer: UnsafeMutableRawBufferPointer) throws(SystemFailure) -> Int {
    while true {
      let got = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
      if got >= 0 { return got }
      guard errno == EINTR else { throw SystemFailure("receiving") }
    }
  }

  /// Sends a response. Ranges of `file` go directly from there to the socket.
  func send(_ response: Response, from file: StorageFile) throws(SystemFailure) {
    var sent = 0
    for piece in response.pieces {
      try send(response.fields.bytes, sent..<piece.after, hasMore: true)
      sent = piece.after
      try send(piece, from: file)
    }
    try send(response.fields.bytes, sent..<response.fields.bytes.count, hasMore: false)
  }

  private func send(_ bytes: [UInt8], _ range: Range<Int>, hasMore: Bool) throws(SystemFailure) {
    var next = range.lowerBound
    let flags = Int32(MSG_NOSIGNAL) | (hasMore ? Int32(MSG_MORE) : 0)
    while next < range.upperBound {
      let sent = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.send(
          descriptor, buffer.baseAddress?.advanced(by: next), range.upperBound - next, flags)
      }
      if sent >= 0 {
        next += sent
      } else if errno != EINTR {
        throw SystemFailure("sending")
      }
    }
  }

  private func send(_ piece: Response.Piece, from file: StorageFile) throws(SystemFailure) {
    var position = off_t(piece.position)
    let end = position + off_t(piece.size)
    while position < end {
      let sent = unsafe sendfile(descriptor, file.descriptor, &position, Int(end - position))
      if sent == 0 { throw SystemFailure("reading the temporary file", code: EIO) }
      if sent < 0 && errno != EINTR {
        throw SystemFailure(errno == EIO ? "reading the temporary file" : "sending")
      }
    }
  }
}
