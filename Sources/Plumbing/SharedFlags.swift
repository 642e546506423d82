/// The options that mean the same in every tool.
extension Flag {
  package static let quiet = Flag.toggle("quiet", "q", help: "say nothing but errors")
  package static let verbose = Flag.toggle(
    "verbose", "v", help: "say more, also what the libraries say for themselves")
  package static let color = Flag.option(
    "color", value: "WHEN", fallback: "auto", completion: .choices(["auto", "always", "never"]),
    help: "colour messages: auto, always or never")
  package static let summary = Flag.toggle(
    "summary", help: "end with one JSON object of counts on standard error")
  /// For tools that run on; each names it in its own list.
  package static let metrics = Flag.file(
    "metrics", help: "replace FILE by counts in Prometheus' text format, every 15 s and at the end")
  package static let help = Flag.toggle("help", "h", help: "show this help")
  package static let version = Flag.toggle(
    "version", "V", help: "show the version and those of the libraries")
  package static let manual = Flag.toggle("man", help: "print the manual page, as roff")
  package static let completionScript = Flag.option(
    "completion", value: "SHELL", completion: .choices(["bash", "zsh", "fish"]),
    help: "print the completions for bash, zsh or fish")

  /// What `Tool` adds to every command's own list.
  package static let common: [Flag] = [
    .quiet, .verbose, .color, .summary, .help, .version, .manual, .completionScript,
  ]
}
