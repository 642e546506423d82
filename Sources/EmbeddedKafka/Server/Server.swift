import Glibc
import Plumbing
import Synchronization

/// Accepts clients and serves each on its own thread, one request after the other.
final class Server: Sendable {
  /// More clients than this at once are sent away.
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

  /// Takes the listening socket over and starts to accept.
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
        // For example, no descriptors are left: wait until some connections end.
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
      // The thread could not be started: the client is hung up on, and the box closes its socket.
      leave(descriptor)
    }
  }

  private func converse(_ client: consuming Socket) {
    // A failure ends this connection only.
    try? answerAll(client)
    // Out of the set before the descriptor is closed and may come back as another client's.
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
      // A socket has other errors: this one is the disk's.
      if error.code == EIO { node.readingFailed(error) }
      throw error
    }
  }

  private func leave(_ descriptor: Int32) {
    state.withLock { _ = $0.clients.remove(descriptor) }
  }

  /// Hangs up on all and waits (two seconds at most) until every thread has ended.
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

/// Hands a socket, which can't be copied, to another thread.
private final class SocketBox: Sendable {
  private let socket: Mutex<Socket?>

  init(_ socket: consuming sending Mutex<Socket?>) {
    self.socket = socket
  }

  func take() -> Socket? {
    socket.withLock { $0.take() }
  }
}
