/// Every status that a command of this project returns for itself, after sysexits(3).
package enum ExitStatus: Int32, Sendable {
  /// All of it was done, also when the reader downstream hung up.
  case done = 0
  /// Done, but not all of it: records undelivered, an answer cut, lines set aside.
  case incomplete = 1
  /// The command line can't be understood.
  case usage = 64
  /// The input can't be used.
  case input = 65
  /// A server is not there, or lacks what was asked of it.
  case unavailable = 69
  /// A mistake of ours.
  case internalError = 70
  /// Reading or writing failed.
  case system = 74
  /// A wait or a time limit was used up; trying again may help.
  case temporary = 75
  /// Credentials or permission.
  case permission = 77
}
