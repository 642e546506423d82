"""A headless chromium that is driven through pipes, for the scripts in the folders beside this file."""
import base64, json, os, subprocess, sys


class Browser:
    """Its profile and its log are in the folder, and so are the screenshots."""

    def __init__(self, program, folder, *options):
        self.folder, self.number, self.pending = folder, 0, b""
        to_read, self.orders = os.pipe()
        from_read, to_write = os.pipe()

        def descriptors():
            # The browser reads its orders from descriptor 3 and answers on 4.
            order, answer = os.dup(to_read), os.dup(to_write)
            os.dup2(order, 3)
            os.dup2(answer, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
             "--remote-debugging-pipe", "--user-data-dir=" + folder + "/profile", *options, "about:blank"],
            preexec_fn=descriptors, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(folder + "/chromium.log", "w"))
        os.close(to_read)
        os.close(to_write)
        self.answers = os.fdopen(from_read, "rb", buffering=0)

    def page(self):
        """The session of a new page."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        return self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method, session=None, failing=None, **parameters):
        """The result of a method; of one that fails, what is given for that."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.orders, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.pending:
                block = self.answers.read(65536)
                if not block:
                    sys.exit("chromium is gone")
                self.pending += block
            line, self.pending = self.pending.split(b"\0", 1)
            answer = json.loads(line)
            if answer.get("id") == self.number:
                if "error" not in answer:
                    return answer["result"]
                if failing is None:
                    sys.exit(method + ": " + str(answer["error"]))
                return failing

    def shot(self, page, name):
        picture = self.call("Page.captureScreenshot", page, format="png")["data"]
        with open(self.folder + "/" + name + ".png", "wb") as file:
            file.write(base64.b64decode(picture))

    def close(self):
        self.process.terminate()
        self.process.wait()
