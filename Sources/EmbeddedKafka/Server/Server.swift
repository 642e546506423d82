import Glibc
import Plumbing
import Synchronization

/// Accepts clients and serves each on its own thread, one request after another.
final class Server: Sendable {
  /// Maximum number of connections; further ones are closed.
  static let maximumConnectionCount = 1000
  private static let largeFrameBudget = 256 << 20

  private struct State {
    var clients: Set<Int32> = []
    var isStopping = false
    var isAccepting = true
  }

  private let node: Node
  private let listener: Int32
  private let budget = FrameBudget(bytes: Server.largeFrameBudget)
  private let state = Mutex(State())
  /// Signalled when a thread ends.
  private let threadEnded: Wakeup

  /// Takes ownership of the listening socket and starts to accept.
  init(node: Node, listener: consuming Socket) throws(SystemFailure) {
    self.node = node
    self.listener = listener.descriptor
    threadEnded = try Wakeup()
    let box = Mutex<Socket?>(consume listener)
    let shared = SocketBox(box)
    try ServiceThread.start { [self] in
      if let listener = shared.take() { acceptAll(listener) }
    }
  }

  private func acceptAll(_ listener: borrowing Socket) {
    while !state.withLock({ $0.isStopping }) {
      do throws(SystemFailure) {
        serve(try listener.accept())
      } catch {
        if error.code == EINVAL { break }
        // For example, there are no free descriptors: wait until some connections end.
        usleep(50_000)
      }
    }
    state.withLock { $0.isAccepting = false }
    threadEnded.signal()
  }

  private func serve(_ client: consuming Socket) {
    let descriptor = client.descriptor
    let isWelcome = state.withLock { state in
      guard !state.isStopping, state.clients.count < Self.maximumConnectionCount else {
        return false
      }
      return state.clients.insert(descriptor).inserted
    }
    guard isWelcome else { return }
    let shared = SocketBox(Mutex(consume client))
    do throws(SystemFailure) {
      try ServiceThread.start { [self] in
        if let client = shared.take() { converse(client) }
      }
    } catch {
      // The thread could not be started. The box closes the socket.
      leave(descriptor)
    }
  }

  private func converse(_ client: consuming Socket) {
    // A failure closes this connection only.
    try? answerAll(client)
    // Removed before the descriptor is closed and may be reused for another client.
    leave(client.descriptor)
    _ = consume client
    threadEnded.signal()
  }

  private func answerAll(_ client: borrowing Socket) throws {
    var buffer = FrameBuffer(budget: budget)
    while try buffer.receiveFrame(from: client) {
      guard let response = try node.respond(to: buffer.frame, from: client.descriptor) else {
        continue
      }
      try send(response, to: client)
      if response.pause > .zero {
        _ = try Wakeup(watching: client.descriptor).wait(until: .now + response.pause)
      }
    }
  }

  private func send(_ response: Response, to client: borrowing Socket) throws(SystemFailure) {
    do throws(SystemFailure) {
      try client.send(response, from: node.file)
    } catch {
      // Sockets do not fail with EIO, so the disk did.
      if error.code == EIO { node.readingFailed(error) }
      throw error
    }
  }

  private func leave(_ descriptor: Int32) {
    state.withLock { _ = $0.clients.remove(descriptor) }
  }

  /// Closes all connections and waits up to two seconds until every thread has ended.
  func stop() {
    let deadline = ContinuousClock.now + .seconds(2)
    let isFirst = state.withLock { state in
      defer { state.isStopping = true }
      if !state.isStopping && state.isAccepting { Socket.hangUp(listener) }
      return !state.isStopping
    }
    guard isFirst else { return }
    while true {
      let isOver = state.withLock { state in
        for client in state.clients { Socket.hangUp(client) }
        return state.clients.isEmpty && !state.isAccepting
      }
      if isOver || threadEnded.wait(until: deadline) == .timedOut { return }
    }
  }
}

/// Passes a socket, which can't be copied, to another thread.
private final class SocketBox: Sendable {
  private let socket: Mutex<Socket?>

  init(_ socket: consuming sending Mutex<Socket?>) {
    self.socket = socket
  }

  func take() -> Socket? {
    socket.withLock { $0.take() }
  }
}
