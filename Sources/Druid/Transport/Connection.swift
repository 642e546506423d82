import CCurl
import Glibc
import Plumbing

/// Druid's address, and the client's credentials.
package struct ConnectionSettings: Sendable {
  var url: String
  package var user: String?
  package var password: String?
  /// Returns the bearer token for a request.
  package var token: (@Sendable () throws -> String)?
  /// A file instead of `~/.netrc`.
  package var netrcFile: String?
  package var caCertificate: String?
  package var clientCertificate: String?
  package var clientKey: String?
  package var isInsecure = false
  package var connectTimeout = Duration.seconds(10)
  /// The environment variable that names a proxy for this address; `nil` when there is none.
  package var proxyVariable: String?
  /// Whether to request compressed answers; a compressed answer is read in any case.
  package var asksForCompression = false

  package init(url: String) { self.url = url }
}

/// The host of a URL, in lower case; an IPv6 address without its brackets.
package func host(of url: String) -> String {
  let start = url.firstRange(of: "://")?.upperBound ?? url.startIndex
  let authority = url[start...].prefix { $0 != "/" }.lowercased()
  if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
  return String(authority.prefix { $0 != ":" })
}

extension String {
  /// Whether a host is this machine.
  package var isLoopback: Bool {
    self == "localhost" || self == "::1"
      || hasPrefix("127.") && allSatisfy { ("0"..."9").contains($0) || $0 == "." }
  }
}

/// An HTTP request.
struct HTTPRequest {
  var method = "GET"
  var path: String
  var body: [UInt8]?
}

/// The head of an answer, with its trailers if there are any.
struct HTTPHead {
  var status = 0
  /// Druid's response context, as JSON.
  var responseContext: String?
  /// Whether a broker reports that the answer was cut, and why.
  var saysIncomplete = false
  var errorMessage: String?
  /// The `Retry-After` header in seconds; a date is ignored.
  var retryAfter: UInt16?
}

/// libcurl's handles: one transfer at a time, over connections that are kept open.
///
/// (Unsafe inside: the handles are owned by this struct and freed once; the callbacks run inside
/// `curl_multi_perform`, on this thread, while `Transfer` is alive.)
@safe struct Connection: ~Copyable {
  private let settings: ConnectionSettings
  private let multi: UnsafeMutableRawPointer
  private let easy: UnsafeMutableRawPointer
  /// libcurl's detailed description of a failure.
  private let errorText: UnsafeMutablePointer<CChar>
  /// How long to wait before telling the user that nothing has come.
  private static let silence = Duration.seconds(10)
  /// Does what can't wait for an answer; returns when it wants to be called again.
  var whileWaiting: (() -> Duration)?

  init(settings: ConnectionSettings) throws(DruidFailure) {
    curl_global_init(Int(CURL_GLOBAL_DEFAULT))
    guard let multi = unsafe curl_multi_init(), let easy = unsafe curl_easy_init() else {
      throw DruidFailure(.unreachable, "libcurl does not start")
    }
    self.settings = settings
    unsafe self.multi = multi
    unsafe self.easy = easy
    unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
  }

  deinit {
    unsafe curl_easy_cleanup(easy)
    unsafe curl_multi_cleanup(multi)
    unsafe errorText.deallocate()
  }

  /// Sends a request and passes the answer to `sink`. Redirections are followed, without
  /// credentials to another host.
  ///
  /// - Parameters:
  ///   - deadline: when to give up.
  ///   - ignoresSignals: for the request that cancels a query after a signal; a second signal ends
  ///     it.
  /// - Throws: ``TransferFailure``, what `sink` throws, or ``DruidFailure`` when a signal came.
  func exchange(
    _ request: HTTPRequest, deadline: ContinuousClock.Instant? = nil, ignoresSignals: Bool = false,
    to sink: AnswerSink
  ) throws -> HTTPHead {
    var url = settings.url.trimmingSlashes + request.path
    let home = origin(of: url)
    for _ in 0...5 {
      let transfer = unsafe Transfer(sink: sink, easy: easy)
      let next = try perform(
        request, url: url, isHome: origin(of: url) == home, transfer: transfer,
        deadline: deadline, ignoresSignals: ignoresSignals)
      guard let next else { return head() }
      url = next
    }
    throw DruidFailure(.notDruid, "\(settings.url): redirected more than 5 times")
  }

  /// Whether the last request was sent; before that, there is nothing to cancel.
  var hasSentRequest: Bool {
    var bytes = 0
    unsafe ccurl_get_long(easy, CURLINFO_REQUEST_SIZE, &bytes)
    return bytes > 0
  }

  /// The scheme, host and port for which credentials are valid.
  private func origin(of url: String) -> String {
    guard let start = url.firstRange(of: "://") else { return url }
    let scheme = url[..<start.upperBound].lowercased()
    let authority = url[start.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let port = scheme == "https://" ? ":443" : ":80"
    return scheme
      + (authority.hasSuffix(port) ? authority.dropLast(port.count) : authority).lowercased()
  }

  /// Performs one transfer; returns the next address when the answer is a redirection.
  private func perform(
    _ request: HTTPRequest, url: String, isHome: Bool, transfer: Transfer,
    deadline: ContinuousClock.Instant?, ignoresSignals: Bool
  ) throws -> String? {
    unsafe curl_easy_reset(easy)
    unsafe errorText.pointee = 0
    unsafe ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
    let token = isHome ? try settings.token?() : nil
    var fields: UnsafeMutablePointer<curl_slist>?
    for field in ["Content-Type: application/json", "Expect:", "User-Agent: dsql"] {
      unsafe fields = curl_slist_append(fields, field)
    }
    if !settings.asksForCompression {
      unsafe fields = curl_slist_append(fields, "Accept-Encoding:")
    }
    defer { unsafe curl_slist_free_all(fields) }
    let body = request.body ?? []
    return try unsafe body.withUnsafeBytes { bytes throws -> String? in
      unsafe ccurl_set_list(easy, CURLOPT_HTTPHEADER, fields)
      if request.body != nil {
        unsafe ccurl_set_large(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
        // libcurl only reads the array, which outlives the transfer.
        unsafe ccurl_set_pointer(
          easy, CURLOPT_POSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
        unsafe ccurl_set_long(easy, CURLOPT_POST, 1)
      }
      unsafe ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)
      unsafe ccurl_set_string(easy, CURLOPT_URL, url)
      apply(to: url, isHome: isHome, token: token)
      let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
      unsafe ccurl_set_data_function(easy, CURLOPT_WRITEFUNCTION, CurlCallbacks.body)
      unsafe ccurl_set_pointer(easy, CURLOPT_WRITEDATA, context)
      try run(transfer, deadline: deadline, ignoresSignals: ignoresSignals)
      return redirection()
    }
  }

  private func apply(to url: String, isHome: Bool, token: String?) {
    unsafe ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1)
    unsafe ccurl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
    // The largest size that libcurl accepts, so that each read call gets more data.
    unsafe ccurl_set_long(easy, CURLOPT_BUFFERSIZE, 524_288)
    unsafe ccurl_set_long(
      easy, CURLOPT_CONNECTTIMEOUT_MS, Int(settings.connectTimeout.pollMilliseconds))
    unsafe ccurl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
    unsafe ccurl_set_string(easy, CURLOPT_ACCEPT_ENCODING, "")
    // http_proxy and its like apply, as with curl; but no proxy reaches this machine's own addresses.
    if host(of: url).isLoopback { unsafe ccurl_set_string(easy, CURLOPT_NOPROXY, "*") }
    if isHome {
      if let token {
        unsafe ccurl_set_string(easy, CURLOPT_XOAUTH2_BEARER, token)
        unsafe ccurl_set_long(easy, CURLOPT_HTTPAUTH, 1 << 6)
      } else if let user = settings.user {
        unsafe ccurl_set_string(easy, CURLOPT_USERNAME, user)
        unsafe ccurl_set_string(easy, CURLOPT_PASSWORD, settings.password ?? "")
        unsafe ccurl_set_long(easy, CURLOPT_HTTPAUTH, 1)
      } else {
        unsafe ccurl_set_long(easy, CURLOPT_NETRC, ccurl_netrc_optional)
        if let file = settings.netrcFile {
          unsafe ccurl_set_string(easy, CURLOPT_NETRC_FILE, file)
        }
      }
      if let file = settings.clientCertificate {
        unsafe ccurl_set_string(easy, CURLOPT_SSLCERT, file)
        // A key with a passphrase is an error; libcurl must not prompt for it.
        unsafe ccurl_set_string(easy, CURLOPT_KEYPASSWD, "")
      }
      if let file = settings.clientKey { unsafe ccurl_set_string(easy, CURLOPT_SSLKEY, file) }
    }
    if let file = settings.caCertificate { unsafe ccurl_set_string(easy, CURLOPT_CAINFO, file) }
    if settings.isInsecure {
      unsafe ccurl_set_long(easy, CURLOPT_SSL_VERIFYPEER, 0)
      unsafe ccurl_set_long(easy, CURLOPT_SSL_VERIFYHOST, 0)
    }
  }

  private func run(
    _ transfer: Transfer, deadline: ContinuousClock.Instant?, ignoresSignals: Bool
  ) throws {
    unsafe curl_multi_add_handle(multi, easy)
    // Removing the handle in mid-transfer closes its connection.
    defer { unsafe curl_multi_remove_handle(multi, easy) }
    var running: Int32 = 1
    /// When to report that nothing has come.
    var silenceEnd: ContinuousClock.Instant? = .now + Self.silence
    while true {
      unsafe curl_multi_perform(multi, &running)
      if let failure = transfer.failure { throw failure }
      guard running > 0 else { break }
      var limit = try transfer.sink.pause() ?? .seconds(60)
      if let whileWaiting { limit = min(limit, whileWaiting()) }
      if let end = silenceEnd {
        let left = ContinuousClock.now.duration(to: end)
        if left <= .zero {
          silenceEnd = nil
          if status == 0 {
            Diagnostics.note(
              "\(settings.url) has not answered for 10 s: the query is long, or this is not Druid")
          }
        } else {
          limit = min(limit, left)
        }
      }
      if let deadline {
        let left = ContinuousClock.now.duration(to: deadline)
        guard left > .zero else {
          throw TransferFailure(kind: .timedOut, words: "no answer within the time limit")
        }
        limit = min(limit, left)
      }
      var signal = curl_waitfd(
        fd: Interruption.descriptor, events: Int16(CURL_WAIT_POLLIN), revents: 0)
      let watchesSignals = !ignoresSignals && Interruption.descriptor >= 0
      // The descriptor stays readable after the first signal, so the second signal is polled for.
      if ignoresSignals { limit = min(limit, .milliseconds(100)) }
      unsafe curl_multi_poll(
        multi, &signal, watchesSignals ? 1 : 0, limit.pollMilliseconds, nil)
      if Interruption.count > (ignoresSignals ? 1 : 0) {
        throw DruidFailure(.interrupted, "interrupted")
      }
    }
    try checkResult()
  }

  private func checkResult() throws(TransferFailure) {
    var left: Int32 = 0
    guard let message = unsafe curl_multi_info_read(multi, &left) else { return }
    let code = unsafe message.pointee.data.result
    guard code != CURLE_OK else { return }
    throw TransferFailure(
      code, name: unsafe String(cString: curl_easy_strerror(code)),
      details: unsafe String(cString: errorText))
  }

  /// The status of the answer; 0 before it begins.
  private var status: Int {
    var status = 0
    unsafe ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
    return status
  }

  private func redirection() -> String? {
    guard [301, 302, 303, 307, 308].contains(status) else { return nil }
    var address: UnsafePointer<CChar>?
    unsafe ccurl_get_string(easy, CURLINFO_REDIRECT_URL, &address)
    return unsafe address.map { unsafe String(cString: $0) }
  }

  private func head() -> HTTPHead {
    HTTPHead(
      status: status, responseContext: field("X-Druid-Response-Context"),
      saysIncomplete: field("X-Druid-Response-Complete") == "false",
      errorMessage: field("X-Error-Message"),
      retryAfter: field("Retry-After").flatMap { UInt16($0) })
  }

  /// A header or trailer field of the answer; the last one of that name.
  private func field(_ name: String) -> String? {
    let origins = UInt32(CURLH_HEADER | CURLH_TRAILER)
    var field: UnsafeMutablePointer<curl_header>?
    guard unsafe curl_easy_header(easy, name, 0, origins, -1, &field) == CURLHE_OK else {
      return nil
    }
    if let count = unsafe field?.pointee.amount, count > 1 {
      unsafe curl_easy_header(easy, name, count - 1, origins, -1, &field)
    }
    return unsafe field.map { unsafe String(cString: $0.pointee.value) }
  }
}

/// The state of one transfer for libcurl's callbacks.
@safe final class Transfer {
  let sink: AnswerSink
  var failure: (any Error)?
  /// libcurl's handle, which outlives the transfer.
  private let easy: UnsafeMutableRawPointer

  init(sink: AnswerSink, easy: UnsafeMutableRawPointer) {
    self.sink = sink
    unsafe self.easy = easy
  }

  func takeBody(_ bytes: RawSpan) -> Bool {
    do {
      var status = 0
      unsafe ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
      try sink.take(bytes, status: status)
      return true
    } catch {
      failure = error
      return false
    }
  }
}

/// libcurl's callbacks, which run on the thread of `curl_multi_perform`.
private enum CurlCallbacks {
  static let body: ccurl_data_function = { bytes, size, count, context in
    guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
    // The context is the `Transfer` that `run` keeps alive; the bytes belong to libcurl until we
    // return.
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(bytes), byteCount: size * count)
    return transfer.takeBody(span) ? size * count : size * count + 1
  }
}

extension String {
  var trimmingSlashes: String {
    var text = self[...]
    while text.hasSuffix("/") { text.removeLast() }
    return String(text)
  }
}
