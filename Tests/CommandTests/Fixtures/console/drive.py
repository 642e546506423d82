"""Opens devstack's console in a headless chromium and uses it as a person would: type, run, read.

Usage: drive.py CHROMIUM URL FOLDER. Prints what it has seen, a line each; screenshots go into the folder.
"""
import os, sys, time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from chromium import Browser

program, url, folder = sys.argv[1:4]
browser = Browser(program, folder, "--window-size=1200,900")
call = browser.call


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
    browser.shot(page, name)


try:
    page = browser.page()
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
    browser.close()
