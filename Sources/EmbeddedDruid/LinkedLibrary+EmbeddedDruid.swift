internal import CMicrohttpd
internal import CSQLite
internal import JSONLines
internal import JavaValues
package import Plumbing

extension LinkedLibrary {
  /// The libraries that the embedded Druid is linked against.
  package static let ofEmbeddedDruid = [
    LinkedLibrary("SQLite", unsafe String(cString: sqlite3_libversion())),
    LinkedLibrary("libmicrohttpd", unsafe String(cString: MHD_get_version())),
    LinkedLibrary("simdjson", JSONLine.libraryVersion),
    LinkedLibrary("PCRE2", RegularExpression.libraryVersion),
  ]
}
