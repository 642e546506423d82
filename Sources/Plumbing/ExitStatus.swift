/// The exit statuses that the commands of this project return, after sysexits(3).
package enum ExitStatus: Int32, Sendable {
  /// Done; also when the reader downstream hung up.
  case done = 0
  /// Done, but not all of it: records undelivered, an answer cut, lines set aside.
  case incomplete = 1
  /// The command line is not valid.
  case usage = 64
  /// The input is not usable.
  case input = 65
  /// A server is unreachable, or lacks what was requested.
  case unavailable = 69
  /// An internal error.
  case internalError = 70
  /// Reading or writing failed.
  case system = 74
  /// A wait or a time limit is used up; trying again may help.
  case temporary = 75
  /// Credentials or permission.
  case permission = 77
}
