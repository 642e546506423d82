import CMicrohttpd
import Glibc

/// The callbacks of libmicrohttpd, which run on the thread of each connection.
///
/// They are outside of any actor: the process would crash if a C thread called a callback that
/// Swift assigns to the main actor.
enum HTTPCallbacks {
  /// An incoming request. libmicrohttpd holds it from the first call until `finished`.
  private final class Arrival {
    var request: HTTPRequest
    var isTooLarge = false
    let start = ContinuousClock.now

    init(_ request: HTTPRequest) { self.request = request }
  }

  static let handle:
    @convention(c) (
      UnsafeMutableRawPointer?, OpaquePointer?, UnsafePointer<CChar>?, UnsafePointer<CChar>?,
      UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafeMutablePointer<Int>?,
      UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> MHD_Result = { context, connection, url, method, _, data, size, place in
      guard let context = unsafe context, let size = unsafe size, let place = unsafe place else {
        return .NO
      }
      let server = unsafe Unmanaged<HTTPServer>.fromOpaque(context).takeUnretainedValue()
      guard let held = unsafe place.pointee else {
        let arrival = Arrival(unsafe request(connection, url, method))
        unsafe cmicrohttpd_limit_idle(connection, HTTPServer.requestPatience)
        unsafe place.pointee = Unmanaged.passRetained(arrival).toOpaque()
        return .YES
      }
      let arrival = unsafe Unmanaged<Arrival>.fromOpaque(held).takeUnretainedValue()
      if unsafe size.pointee > 0 {
        guard ContinuousClock.now - arrival.start < HTTPServer.bodyPatience else { return .NO }
        let bytes = unsafe UnsafeRawBufferPointer(start: data, count: size.pointee)
        if arrival.request.body.count + bytes.count > HTTPServer.bodyLimit {
          arrival.isTooLarge = true
          arrival.request.body = []
        } else if !arrival.isTooLarge {
          unsafe arrival.request.body.append(contentsOf: bytes)
        }
        unsafe size.pointee = 0
        return .YES
      }
      unsafe cmicrohttpd_limit_idle(connection, HTTPServer.idlePatience)
      let response: HTTPResponse =
        if arrival.isTooLarge {
          HTTPResponse(413)
        } else if let refusal = Origin.refusal(of: arrival.request, port: server.port) {
          HTTPResponse(403, headers: [("Content-Type", "text/plain")], text: refusal + "\n")
        } else {
          server.handler(arrival.request)
        }
      return unsafe send(response, on: connection)
    }

  static let finished:
    @convention(c) (
      UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
      MHD_RequestTerminationCode
    ) -> Void = { _, _, place, _ in
      guard let held = unsafe place?.pointee else { return }
      unsafe Unmanaged<Arrival>.fromOpaque(held).release()
      unsafe place?.pointee = nil
    }

  private static func request(
    _ connection: OpaquePointer?, _ url: UnsafePointer<CChar>?, _ method: UnsafePointer<CChar>?
  ) -> HTTPRequest {
    var request = HTTPRequest(
      method: unsafe method.map { unsafe String(cString: $0) } ?? "",
      path: unsafe url.map { unsafe String(cString: $0) } ?? "")
    let socket = unsafe cmicrohttpd_socket(connection)
    if socket >= 0 { request.client = HTTPClient(socket: socket) }
    unsafe withUnsafeMutablePointer(to: &request.headers) { headers in
      _ = unsafe MHD_get_connection_values(connection, .HEADER_KIND, collect, headers)
    }
    unsafe withUnsafeMutablePointer(to: &request.query) { query in
      _ = unsafe MHD_get_connection_values(connection, .GET_ARGUMENT_KIND, collect, query)
    }
    return request
  }

  private static let collect:
    @convention(c) (
      UnsafeMutableRawPointer?, MHD_ValueKind, UnsafePointer<CChar>?, UnsafePointer<CChar>?
    ) -> MHD_Result = { context, _, name, value in
      guard let context = unsafe context, let name = unsafe name else { return .YES }
      let pairs = unsafe context.assumingMemoryBound(to: [String: String].self)
      let text = unsafe value.map { unsafe String(cString: $0) } ?? ""
      unsafe pairs.pointee[String(cString: name).lowercased()] = text
      return .YES
    }

  private static func send(_ answer: HTTPResponse, on connection: OpaquePointer?) -> MHD_Result {
    let response: OpaquePointer?
    switch answer.body {
    case .bytes(let bytes): unsafe response = copy(bytes)
    case .untilClose(let bytes):
      unsafe response = pulled(WholeStream(bytes))
      unsafe cmicrohttpd_until_close(response)
    case .stream(let stream): unsafe response = pulled(stream)
    }
    guard let response = unsafe response else { return .NO }
    defer { unsafe MHD_destroy_response(response) }
    for (name, value) in answer.headers { unsafe MHD_add_response_header(response, name, value) }
    return unsafe MHD_queue_response(connection, UInt32(answer.status), response)
  }

  /// A response of unknown length, which libmicrohttpd reads from the stream.
  private static func pulled(_ stream: any HTTPStream) -> OpaquePointer? {
    let context = unsafe Unmanaged.passRetained(Sending(stream)).toOpaque()
    return unsafe MHD_create_response_from_callback(
      .max, 64 << 10, pull, context,
      { context in
        if let context = unsafe context {
          unsafe Unmanaged<Sending>.fromOpaque(context).release()
        }
      })
  }

  private static func copy(_ bytes: [UInt8]) -> OpaquePointer? {
    var bytes = bytes
    return unsafe bytes.withUnsafeMutableBytes { body in
      unsafe MHD_create_response_from_buffer(
        body.count, body.baseAddress, .RESPMEM_MUST_COPY)
    }
  }

  /// A stream, and its bytes that have not been sent yet.
  private final class Sending {
    let stream: any HTTPStream
    var bytes: [UInt8] = []
    var sent = 0

    init(_ stream: any HTTPStream) { self.stream = stream }
  }

  private static let pull:
    @convention(c) (
      UnsafeMutableRawPointer?, UInt64, UnsafeMutablePointer<CChar>?, Int
    ) -> Int = { context, _, room, size in
      guard let context = unsafe context, let room = unsafe room else { return -2 }
      let sending = unsafe Unmanaged<Sending>.fromOpaque(context).takeUnretainedValue()
      while sending.sent == sending.bytes.count {
        guard let next = sending.stream.next() else { return -1 }
        sending.bytes = next
        sending.sent = 0
      }
      let count = min(size, sending.bytes.count - sending.sent)
      unsafe sending.bytes.withUnsafeBytes { bytes in
        if let start = bytes.baseAddress {
          unsafe memcpy(room, start + sending.sent, count)
        }
      }
      sending.sent += count
      return count
    }
}
