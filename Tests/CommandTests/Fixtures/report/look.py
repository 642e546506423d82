"""Opens a report of anomalies in a headless chromium that runs no script, in both colour schemes, and prints what is drawn.

Usage: look.py CHROMIUM FILE.html FOLDER. Screenshots go into the folder.
"""
import os, sys, time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from chromium import Browser

program, path, folder = sys.argv[1:4]
browser = Browser(program, folder)
call = browser.call


def nodes(selector):
    # A method fails when the page has just been replaced by the one that was asked for.
    root = call("DOM.getDocument", page, failing={"root": {"nodeId": 0}})["root"]["nodeId"]
    return call("DOM.querySelectorAll", page, failing={"nodeIds": []}, nodeId=root, selector=selector)["nodeIds"]


def colour(node, name):
    style = call("CSS.getComputedStyleForNode", page, nodeId=node)["computedStyle"]
    return next(one["value"] for one in style if one["name"] == name)


def box(node):
    return call("DOM.getBoxModel", page, nodeId=node)["model"]


try:
    for scheme, width in (("light", 1200), ("dark", 1200), ("light", 400)):
        page = browser.page()
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
        browser.shot(page, "%s-%d" % (scheme, width))
finally:
    browser.close()
