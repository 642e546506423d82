/// Refuses requests of web pages from other origins, because a browser on this machine sends them
/// like its user's own.
enum Origin {
  /// Why a request is refused; nil when it comes from a program, or from a page of this server.
  static func refusal(of request: HTTPRequest, port: UInt16) -> String? {
    guard isLoopback(request.headers["host"]) else { return "only loopback names are served here" }
    if let origin = request.headers["origin"], !isOwn(origin, port: port) {
      return "requests of other origins are refused"
    }
    // Browsers send no Origin header with GET requests for images, scripts and links, but tell
    // their source in another header.
    let site = request.headers["sec-fetch-site"] ?? "none"
    guard site != "none", site != "same-origin" else { return nil }
    // Links to the console are allowed.
    let isLink = request.method == "GET" && request.headers["sec-fetch-mode"] == "navigate"
    return isLink && request.path == "/" && request.query.isEmpty
      ? nil : "requests of other origins are refused"
  }

  /// Whether an Origin header names this server.
  static func isOwn(_ origin: String, port: UInt16) -> Bool {
    let text = origin.lowercased()
    guard text.hasPrefix("http://") else { return false }
    let host = text.dropFirst("http://".count)
    // An origin omits port 80.
    return (host.hasSuffix(":\(port)") || port == 80) && isLoopback(String(host))
  }

  /// Whether a Host header names this machine. Another name that resolves to 127.0.0.1 does not.
  static func isLoopback(_ host: String?) -> Bool {
    guard var host = host?.lowercased() else { return true }
    if host.hasPrefix("[") {
      guard host.hasPrefix("[::1]") else { return false }
      return host.dropFirst(5).isEmpty || isPort(host.dropFirst(5))
    }
    if let colon = host.lastIndex(of: ":") {
      guard isPort(host[colon...]) else { return false }
      host = String(host[..<colon])
    }
    if host == "localhost" || host.hasSuffix(".localhost") { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  private static func isPort(_ text: Substring) -> Bool {
    text.first == ":" && text.dropFirst().allSatisfy { $0.isASCII && $0.isNumber }
  }
}
