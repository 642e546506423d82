internal import CBuild

/// A library that a tool is linked against, as `--version` shows it, with the version of the loaded
/// file.
package struct LinkedLibrary: Sendable {
  let name: String
  let version: String

  package init(_ name: String, _ version: String) {
    self.name = name
    self.version = version
  }
}

extension CommandDescription {
  /// `--version`: the tool's version and commit, then a line for each library.
  var versionText: String {
    let commit = unsafe String(cString: cbuild_commit())
    let build = commit.isEmpty ? "" : " (commit \(commit))"
    return "\(name) \(Self.version)\(build)\n"
      + libraries().map { "\($0.name) \($0.version)\n" }.joined()
  }
}
