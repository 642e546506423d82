import CCurl

/// A transfer that failed, with libcurl's description.
struct TransferFailure: Error, Equatable {
  enum Kind {
    case unresolved, refused, timedOut, broken, other
    /// The server's certificate is not trusted, or is for another name.
    case untrusted, misnamed
    /// The file of authorities, or that of our own certificate or key, can't be used.
    case unusableAuthorities, unusableCertificate
    /// The server refuses our certificate, or the lack of one.
    case denied
    /// TLS can't be negotiated.
    case noTLS
    /// The server uses another protocol.
    case notHTTP
  }
  let kind: Kind
  let words: String
}

extension TransferFailure {
  /// - Parameters:
  ///   - name: libcurl's description of the code.
  ///   - details: libcurl's detailed message, which includes OpenSSL's.
  init(_ code: CURLcode, name: String, details: String) {
    let startsWithAcronym = name.dropFirst().first?.isUppercase ?? false
    let general = startsWithAcronym ? name : name.prefix(1).lowercased() + name.dropFirst()
    let special = TransferFailure.shortened(details)
    let alert = special.firstRange(of: " alert ").map { String(special[$0.upperBound...]) }
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
      self.init(kind: .unresolved, words: general)
    case CURLE_COULDNT_CONNECT: self.init(kind: .refused, words: general)
    case CURLE_OPERATION_TIMEDOUT:
      // libcurl enforces a time limit only for connecting.
      self.init(kind: .refused, words: "no connection within the time limit")
    case CURLE_UNSUPPORTED_PROTOCOL where details.firstRange(of: "HTTP/0.9") != nil,
      CURLE_WEIRD_SERVER_REPLY:
      self.init(kind: .notHTTP, words: "it does not speak HTTP")
    // Later versions have a separate code for it, 100.
    case _
    where (code == CURLE_RECV_ERROR || code.rawValue == 100)
      && details.firstRange(of: "response headers") != nil:
      self.init(kind: .notHTTP, words: "the server sends too many headers")
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR:
      let isMisnamed = details.firstRange(of: "subject name") != nil
      self.init(
        kind: isMisnamed ? .misnamed : .untrusted, words: special.isEmpty ? general : special)
    case CURLE_SSL_CACERT_BADFILE:
      self.init(kind: .unusableAuthorities, words: "it contains no certificate")
    case CURLE_SSL_CERTPROBLEM:
      self.init(kind: .unusableCertificate, words: special.isEmpty ? general : special)
    case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_RECV_ERROR, CURLE_SEND_ERROR:
      if let alert, TransferFailure.isAboutCertificates(alert) {
        self.init(kind: .denied, words: alert)
      } else if let alert {
        self.init(kind: .noTLS, words: alert)
      } else if code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_CIPHER {
        self.init(kind: .noTLS, words: special.isEmpty ? general : special)
      } else {
        self.init(kind: .broken, words: general)
      }
    case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE: self.init(kind: .broken, words: general)
    default:
      self.init(kind: .other, words: special.isEmpty ? general : "\(general): \(special)")
    }
  }

  /// Removes numbers and routine names, which only OpenSSL's developers understand.
  private static func shortened(_ details: String) -> String {
    var text = details[...]
    if let range = text.firstRange(of: "::") { text = text[range.upperBound...] }
    if let range = text.firstRange(of: ", errno ") { text = text[..<range.lowerBound] }
    for prefix in ["SSL certificate problem: ", "SSL: "] where text.hasPrefix(prefix) {
      text = text.dropFirst(prefix.count)
    }
    return String(text).collapsed
  }

  private static func isAboutCertificates(_ alert: String) -> Bool {
    ["certificate", "unknown ca", "access denied"].contains { alert.firstRange(of: $0) != nil }
  }
}
