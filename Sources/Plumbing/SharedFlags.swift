/// The options that mean the same in every tool.
extension Flag {
  package static let quiet = Flag.toggle("quiet", "q", help: "show errors only")
  static let verbose = Flag.toggle(
    "verbose", "v", help: "show more messages, including those of the libraries")
  static let color = Flag.option(
    "color", value: "WHEN", fallback: "auto", completion: .choices(["auto", "always", "never"]),
    help: "colour messages: auto, always or never")
  package static let summary = Flag.toggle(
    "summary", help: "end with one JSON object of counts on standard error")
  /// For tools that run on; each names it in its own list.
  package static let metrics = Flag.file(
    "metrics", help: "replace FILE by counts in Prometheus' text format, every 15 s and at the end"
  ).written
  static let help = Flag.toggle("help", "h", help: "show this help")
  static let version = Flag.toggle(
    "version", "V", help: "show the version and those of the libraries")
  static let manual = Flag.toggle("man", help: "print the manual page, as roff")
  static let completionScript = Flag.option(
    "completion", value: "SHELL", completion: .choices(["bash", "zsh", "fish"]),
    help: "print the completions for bash, zsh or fish")

  /// What `Tool` adds to every command's own list.
  static let common: [Flag] = [
    .quiet, .verbose, .color, .summary, .help, .version, .manual, .completionScript,
  ]
}
