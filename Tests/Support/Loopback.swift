package import Glibc

/// Calls `body`, which is `bind` or `connect`, with the address of a port on the loopback interface.
package func withLoopback(
  _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
  return unsafe withUnsafePointer(to: &address) { pointer in
    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
}

/// A socket that is connected to a port of the loopback interface; nil when nobody listens there.
package func loopbackSocket(to port: UInt16) -> Int32? {
  let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  guard unsafe withLoopback(port, { unsafe connect(connection, $0, $1) }) == 0 else {
    close(connection)
    return nil
  }
  return connection
}
