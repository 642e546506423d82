"""Opens a report of anomalies in a headless chromium that runs no script, in both colour schemes, and prints what is drawn.

Usage: look.py CHROMIUM FILE.html FOLDER. Screenshots go into the folder.
"""
import base64, json, os, subprocess, sys, time

chromium, path, folder = sys.argv[1:4]
to_read, to_write = os.pipe()
from_read, from_write = os.pipe()


def descriptors():
    # The browser reads its orders from descriptor 3 and answers on 4.
    order, answer = os.dup(to_read), os.dup(from_write)
    os.dup2(order, 3)
    os.dup2(answer, 4)


browser = subprocess.Popen(
    [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
     "--remote-debugging-pipe", "--user-data-dir=" + folder + "/profile", "about:blank"],
    preexec_fn=descriptors, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    stderr=open(folder + "/chromium.log", "w"))
os.close(to_read)
os.close(from_write)
answers = os.fdopen(from_read, "rb", buffering=0)
number, pending = 0, b""


def call(method, session=None, **parameters):
    global number, pending
    number += 1
    message = dict(id=number, method=method, params=parameters, **({"sessionId": session} if session else {}))
    os.write(to_write, json.dumps(message).encode() + b"\0")
    while True:
        while b"\0" not in pending:
            block = answers.read(65536)
            if not block:
                sys.exit("chromium is gone")
            pending += block
        line, pending = pending.split(b"\0", 1)
        answer = json.loads(line)
        if answer.get("id") == number:
            if "error" in answer:
                if method.startswith("DOM."):
                    # The page has just been replaced by the one that was asked for.
                    return {"root": {"nodeId": 0}, "nodeIds": []}
                sys.exit(method + ": " + str(answer["error"]))
            return answer["result"]


def nodes(selector):
    root = call("DOM.getDocument", page)["root"]["nodeId"]
    return call("DOM.querySelectorAll", page, nodeId=root, selector=selector)["nodeIds"]


def colour(node, name):
    style = call("CSS.getComputedStyleForNode", page, nodeId=node)["computedStyle"]
    return next(one["value"] for one in style if one["name"] == name)


def box(node):
    return call("DOM.getBoxModel", page, nodeId=node)["model"]


for scheme, width in (("light", 1200), ("dark", 1200), ("light", 400)):
    target = call("Target.createTarget", url="about:blank")["targetId"]
    page = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "DOM", "CSS"):
        call(domain + ".enable", page)
    call("Emulation.setScriptExecutionDisabled", page, value=True)
    call("Emulation.setDeviceMetricsOverride", page, width=width, height=1400, deviceScaleFactor=1, mobile=False)
    call("Emulation.setEmulatedMedia", page, features=[{"name": "prefers-color-scheme", "value": scheme}])
    call("Page.navigate", page, url="file://" + os.path.abspath(path))
    time.sleep(0.5)
    end = time.monotonic() + 60
    while not nodes("article:last-of-type"):
        if time.monotonic() > end:
            sys.exit("the page has no incident")
        time.sleep(0.05)
    charts = [box(node) for node in nodes("svg")]
    inside = all(0 <= chart["content"][0] and chart["content"][2] <= width and chart["height"] >= 40 for chart in charts)
    print("%s %d: paper %s, ink %s, line %s" % (scheme, width, colour(nodes("body")[0], "background-color"),
                                               colour(nodes("body")[0], "color"), colour(nodes("path.value")[0], "stroke")))
    print("charts %s, cards %s, marks %s" % ("inside" if charts and inside else "outside", "shown" if nodes("article h3") else "missing",
                                             "shown" if nodes("rect.alarm") else "missing"))
    picture = call("Page.captureScreenshot", page, format="png")["data"]
    with open("%s/%s-%d.png" % (folder, scheme, width), "wb") as file:
        file.write(base64.b64decode(picture))
call("Browser.close")
browser.wait()
