import Glibc
import Plumbing
import Synchronization

/// Accepts clients and serves each on a thread of its own, one request after the other.
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
        // Out of descriptors, for one: a pause, in which connections may end.
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
      // No thread to be had: the client is hung up on, and the box closes its socket.
      leave(descriptor)
    }
  }

  private func converse(_ client: consuming Socket) {
    // Whatever ends a conversation, the client sees its connection end; nobody else sees anything.
    try? answerAll(client)
    // Out of the set before the descriptor is closed and may come back as another client's.
    leave(client.descriptor)
    _ = consume client
    threadEnded.signal()
  }

  private func answerAll(_ client: borrowing Socket) throws {
    let wakeup = try Wakeup(watching: client.descriptor)
    var buffer = FrameBuffer(budget: budget)
    while try buffer.receiveFrame(from: client) {
      if let answer = try node.answer(buffer.frame, wakeup: wakeup) {
        try send(answer, to: client)
      }
    }
  }

  private func send(_ answer: Answer, to client: borrowing Socket) throws(SystemFailure) {
    do throws(SystemFailure) {
      try client.send(answer, from: node.file)
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
