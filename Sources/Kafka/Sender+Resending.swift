internal import CRdkafka
internal import Plumbing

extension Sender {
  /// Sends again what brokers found too large, through a producer that makes smaller batches.
  ///
  /// What is on its way is answered first, so that nothing is sent twice; lines behind a refused batch may so arrive before
  /// it. A batch is halved until it passes, and a line that is too large by itself fails at last.
  mutating func resendRefused() {
    guard !isResending, !ledger.refused.isEmpty else { return }
    isResending = true
    defer { isResending = false }
    while !ledger.refused.isEmpty, mayGoOn() {
      while client.outstanding > 0, mayGoOn() { collectReports(waiting: 20) }
      guard mayGoOn() else { return }
      do {
        settings.limitBatches(to: ledger.refused.smallestBatch / 2)
        try startClient()
      } catch {
        return note(error)
      }
      for message in ledger.refused.takeAll() { resend(message) }
    }
  }

  private mutating func resend(_ refused: RefusedMessage) {
    defer { refused.free() }
    let message = unsafe refused.message
    let error = unsafe produce(
      message, to: message.partition, timestamp: refused.timestamp, headers: refused.headers)
    guard error != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
    unsafe failUnsent(message, error: error, headers: refused.headers)
  }

  /// Books what can't be sent again any more.
  func failRefused() {
    for refused in ledger.refused.takeAll() {
      unsafe failUnsent(
        refused.message, error: RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, headers: refused.headers)
      refused.free()
    }
  }
}
