import Foundation
import Testing

/// Many idle or incomplete connections at once do not affect the others.
@Suite struct ConnectionLoadTests {
  private func run(_ python: String) throws -> Commands.Outcome {
    let workspace = try Commands.Workspace()
    try Data(python.utf8).write(to: workspace.url.appendingPathComponent("load.py"))
    return try Commands.run(
      "devstack -- sh -c 'ulimit -n 4096 2> /dev/null; exec python3 load.py'", in: workspace)
  }

  @Test func idleKafkaConnectionsLeaveHTTPAlone() throws {
    let outcome = try run(
      """
      import os, socket, struct, time, urllib.request
      host, port = os.environ["KAFKA_BROKERS"].split(":")
      ask = struct.pack(">hhih", 18, 0, 7, -1)
      def descriptors(): return len(os.listdir("/proc/%d/fd" % os.getppid()))
      before = descriptors()
      clients = []
      for _ in range(700):
          client = socket.create_connection((host, int(port)))
          client.sendall(struct.pack(">i", len(ask)) + ask)
          clients.append(client)
      for client in clients: assert client.recv(4)
      # One descriptor a connection.
      print(descriptors() - before <= 700 + 5)
      start = time.monotonic()
      url = os.environ["DRUID_URL"] + "/status/health"
      print(urllib.request.urlopen(url, timeout=10).read().decode())
      print(time.monotonic() - start < 5)
      """)
    #expect(outcome.output == "True\ntrue\nTrue\n", "\(outcome.errors)")
    #expect(outcome.status == 0)
  }

  @Test func unfinishedRequestsAreGivenUp() throws {
    let outcome = try run(
      """
      import os, socket, time, urllib.request
      host, port = os.environ["DRUID_URL"].split("//")[1].split(":")
      half = b"POST /druid/v2/sql HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 100\\r\\n\\r\\n{"
      clients = []
      for _ in range(1200):
          try:
              client = socket.create_connection((host, int(port)), timeout=5)
              client.sendall(half)
              clients.append(client)
          except OSError: break
      start = time.monotonic()
      url = os.environ["DRUID_URL"] + "/status/health"
      while True:
          try:
              print(urllib.request.urlopen(url, timeout=10).read().decode())
              break
          except OSError:
              if time.monotonic() - start > 40: raise
              time.sleep(0.1)
      # Far from the minutes that idle connections may stay.
      print(time.monotonic() - start < 30)
      """)
    #expect(outcome.output == "true\nTrue\n", "\(outcome.errors)")
    #expect(outcome.status == 0)
  }
}
