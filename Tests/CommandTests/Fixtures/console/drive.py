"""Opens devstack's console in a headless chromium and uses it as a person would: type, run, read.

Usage: drive.py CHROMIUM URL FOLDER. Prints what it has seen, a line each; screenshots go into the folder.
"""
import base64, json, os, subprocess, sys, time

chromium, url, folder = sys.argv[1:4]
to_read, to_write = os.pipe()
from_read, from_write = os.pipe()


def descriptors():
    # The browser reads its orders from descriptor 3 and answers on 4.
    order, answer = os.dup(to_read), os.dup(from_write)
    os.dup2(order, 3)
    os.dup2(answer, 4)


browser = subprocess.Popen(
    [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
     "--disable-dev-shm-usage", "--remote-debugging-pipe", "--user-data-dir=" + folder + "/profile",
     "--window-size=1200,900", "about:blank"],
    preexec_fn=descriptors, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    stderr=open(folder + "/chromium.log", "w"))
os.close(to_read)
os.close(from_write)
answers = os.fdopen(from_read, "rb", buffering=0)
number = 0
pending = b""


def call(method, session=None, **parameters):
    global number, pending
    number += 1
    message = {"id": number, "method": method, "params": parameters}
    if session:
        message["sessionId"] = session
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
                sys.exit(method + ": " + str(answer["error"]))
            return answer["result"]


def value(expression):
    result = call("Runtime.evaluate", page, expression=expression, returnByValue=True)
    if "exceptionDetails" in result:
        sys.exit(expression + ": " + str(result["exceptionDetails"]))
    return result["result"].get("value")


def wait(expression):
    end = time.monotonic() + 30
    while not value(expression):
        if time.monotonic() > end:
            shot("failed")
            sys.exit("gave up waiting for " + expression + ": " + str(value("document.body.innerText")))
        time.sleep(0.05)


def key(name, code, modifiers=0):
    for kind in ("rawKeyDown", "keyUp"):
        call("Input.dispatchKeyEvent", page, type=kind, key=name, code=name,
             windowsVirtualKeyCode=code, modifiers=modifiers)


def type_sql(text):
    """Selects what is in the box, types over it, and runs it with Ctrl+Enter."""
    value("document.getElementById('sql').focus()")
    value("document.getElementById('sql').select()")
    call("Input.insertText", page, text=text)
    key("Enter", 13, modifiers=2)


def shot(name):
    image = call("Page.captureScreenshot", page, format="png")["data"]
    with open(folder + "/" + name + ".png", "wb") as file:
        file.write(base64.b64decode(image))


try:
    target = call("Target.createTarget", url="about:blank")["targetId"]
    page = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    call("Page.enable", page)
    call("Page.navigate", page, url=url)
    wait("document.readyState === 'complete' && document.querySelector('#datasources .item') !== null")
    wait("document.querySelector('#topics .item') !== null")
    print("datasources:", value("[...document.querySelectorAll('#datasources button')].map(b => b.textContent).join(' ')"))
    print("focus:", value("document.activeElement.id"))
    print("topics:", value("[...document.querySelectorAll('#topics .item strong')].map(b => b.textContent).join(' ')"))
    print("skipped:", value("[...document.querySelectorAll('.warn')].map(b => b.textContent.split(':')[0]).join(' ')"))

    type_sql("SELECT TIME_FLOOR(__time, 'PT1H') AS h, COUNT(*) AS n, 9007199254740993 AS big FROM ecommerce GROUP BY 1")
    wait("/row/.test(document.getElementById('status').textContent)")
    print("head:", value("[...document.querySelectorAll('th')].map(c => c.firstChild.textContent).join(' ')"))
    print("first:", value("[...document.querySelectorAll('tbody tr')][0].innerText.replaceAll('\\t', ' ')"))
    print("status:", value("document.getElementById('status').textContent.replace(/[0-9.]+ s/, 'T s')"))
    print("chart:", value("document.querySelectorAll('#chart path').length"))
    shot("light")
    call("Emulation.setEmulatedMedia", page, features=[{"name": "prefers-color-scheme", "value": "dark"}])
    print("dark:", value("getComputedStyle(document.body).backgroundColor"))
    shot("dark")

    call("Browser.setDownloadBehavior", behavior="allow", downloadPath=folder)
    value("document.getElementById('csv').focus()")
    key("Enter", 13)
    call("Input.dispatchKeyEvent", page, type="char", text="\r")
    end = time.monotonic() + 20
    while not os.path.exists(folder + "/answer.csv") and time.monotonic() < end:
        time.sleep(0.05)
    print("csv:", open(folder + "/answer.csv").readline().strip())

    type_sql("SELECT device\nFROM ecommerse")
    wait("document.querySelector('.bad') !== null")
    print("error:", value("document.querySelector('.bad').textContent.slice(0, 28)"))
    print("place:", value("document.getElementById('place').textContent"))
    print("selected:", value("(b => b.value.slice(b.selectionStart, b.selectionEnd))(document.getElementById('sql'))"))
    shot("error")
    type_sql("SELECT '<img src=x onerror=alert(1)>' AS x, NULL AS y")
    wait("document.querySelector('td') !== null")
    print("cells:", value("[...document.querySelectorAll('td')].map(c => c.textContent).join(' | ')"))
    print("images:", value("document.images.length"))
finally:
    browser.terminate()
    browser.wait()
