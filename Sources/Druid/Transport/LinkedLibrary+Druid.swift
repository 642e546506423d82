internal import CCurl
internal import JSONLines
package import Plumbing

extension LinkedLibrary {
  /// The libraries that the client is linked against; libcurl reports its TLS library and other
  /// parts itself.
  package static var ofDruid: [LinkedLibrary] {
    let words = unsafe String(cString: curl_version()).split(separator: " ")
    let parts = words.map { $0.split(separator: "/", maxSplits: 1) }
    // A part in parentheses belongs to the previous part.
    return parts.compactMap { part in
      part.count == 2 && !part[0].hasPrefix("(")
        ? LinkedLibrary(String(part[0]), String(part[1])) : nil
    } + [LinkedLibrary("simdjson", JSONLine.libraryVersion)]
  }
}
