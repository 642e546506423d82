"""Serves the folder that it is started in, on a free loopback port whose number it writes to the file named first.

A path under /cut/ is served as the same path without it, with the length of the whole file and half of its bytes.
Ends with its parent.
"""

import ctypes
import http.server
import os
import sys


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if not self.path.startswith("/cut/"):
            return super().do_GET()
        with open(self.translate_path(self.path.removeprefix("/cut")), "rb") as file:
            body = file.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])

    def do_HEAD(self):
        self.path = self.path.removeprefix("/cut")
        super().do_HEAD()

    def log_message(self, *words):
        pass


ctypes.CDLL(None).prctl(1, 15)  # PR_SET_PDEATHSIG, SIGTERM
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1] + ".part", "w") as file:
    file.write(str(server.server_address[1]))
os.rename(sys.argv[1] + ".part", sys.argv[1])
server.handle_error = lambda *words: None  # a client that goes away is part of the play
server.serve_forever()
