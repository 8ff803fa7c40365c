"""A page in a real browser, without a network: look_at_page.py FILE TEXT CHROMEDRIVER; TEXT is in an arrow's title.

Prints one JSON object of what was seen. It finds out and judges nothing.
"""

import base64
import json
import sys
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

FLAGS = """--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --hide-scrollbars --force-color-profile=srgb""".split()

# Texts of a drawing that stick out of it, or lie over one another by more than a pixel.
CROWDED = """
const found = [];
for (const svg of document.querySelectorAll('figure svg')) {
  if (svg.getClientRects().length === 0) continue;
  const box = svg.viewBox.baseVal;
  const texts = [...svg.querySelectorAll('text')].map((text) => [text.textContent, text.getBBox()]);
  for (const [text, at] of texts) {
    if (at.x < -1 || at.x + at.width > box.width + 1 || at.y + at.height > box.height + 1) found.push(['out', text]);
  }
  texts.forEach(([text, one], number) => {
    for (const [other, two] of texts.slice(number + 1)) {
      const wide = Math.min(one.x + one.width, two.x + two.width) - Math.max(one.x, two.x);
      const high = Math.min(one.y + one.height, two.y + two.height) - Math.max(one.y, two.y);
      if (wide > 1 && high > 3) found.push(['over', text, other]);
    }
  });
}
return found.slice(0, 10);
"""


def open_browser(directory):
    options = Options()
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={directory}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(service=Service(sys.argv[3]), options=options)
    browser.set_page_load_timeout(30)
    return browser


def look(browser, page, text):
    seen = {}

    def run(script):
        return browser.execute_script(script)

    def screen(width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def media(kind="", scheme="light"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": kind, "features": features})

    def opened():
        return run("const open = document.querySelector('.packet:target'); return open && open.id")

    def arrow():
        # The one that is drawn, in the middle of the screen: the stations above stay in sight.
        return browser.execute_script(
            """const links = [...document.querySelectorAll('figure a.packet-link')];
            const link = links.find((it) => it.getClientRects().length > 0 && it.querySelector('title').textContent.includes(arguments[0]));
            link.scrollIntoView({ block: 'center' });
            return link;""",
            text,
        )

    def overflow():
        return run("return document.documentElement.scrollWidth - window.innerWidth")

    def paper():
        return run("return getComputedStyle(document.body).backgroundColor")

    def keys(*pressed):
        ActionChains(browser).send_keys(*pressed).perform()

    screen(1280, 900)
    media()
    # What the browser does for itself when it starts is not the page's.
    browser.get("about:blank")
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(page)
    seen["heading"] = run("return document.querySelector('h1').textContent")
    seen["hit"] = run("return Boolean(window.hit)")
    seen["elements"] = run("return [...new Set([...document.querySelectorAll('*')].map((it) => it.localName))].sort()")
    seen["crowded"] = {"wide": run(CROWDED)}

    arrow().click()
    seen["clicked"] = opened()
    seen["dump"] = run("return [...document.querySelectorAll('.packet:target .dump')].map((it) => it.textContent)")
    seen["marked"] = run("return [...document.querySelectorAll('.packet:target .copy')].map((it) => [...it.querySelectorAll('.dump mark')].map((mark) => mark.textContent).filter((text) => text.length === 2).join(' '))")
    seen["fields"] = run("return document.querySelectorAll('.packet:target .fields tbody tr').length")
    keys(Keys.ARROW_RIGHT)
    seen["right"] = opened()
    keys(Keys.ARROW_LEFT)
    seen["left"] = opened()
    keys(Keys.ESCAPE)
    seen["escaped"] = opened()
    seen["focus"] = run("return document.activeElement.getAttribute('href')")
    keys(Keys.ENTER)
    seen["entered"] = opened()
    keys(Keys.ESCAPE)

    seen["light"] = paper()
    media(scheme="dark")
    seen["dark"] = paper()
    media()

    screen(360, 740)
    browser.get("about:blank")
    browser.get(page)
    seen["overflow"] = [overflow()]
    seen["narrow"] = run("return [...document.querySelectorAll('figure')].map((it) => it.classList.contains('narrow') === (it.getClientRects().length > 0)).every(Boolean)")
    seen["crowded"]["narrow"] = run(CROWDED)
    arrow().click()
    seen["touched"] = opened()
    seen["overflow"].append(overflow())
    seen["smallest"] = run("return Math.min(...[...document.querySelectorAll('.packet:target *')].map((it) => parseFloat(getComputedStyle(it).fontSize)))")

    screen(1280, 900)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get("about:blank")
    browser.get(page)
    browser.get(page + "#" + seen["clicked"])
    seen["without-script"] = opened()
    seen["without-script-shown"] = run("return document.querySelector('.packet:target').getClientRects().length > 0")
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})

    browser.get("about:blank")
    media(kind="print", scheme="dark")
    browser.get(page)
    seen["print-paper"] = paper()
    shown = "return [...document.querySelectorAll('%s')].filter((it) => it.getClientRects().length > 0).length"
    seen["print-of-note"] = run(shown % ".packet.of-note")
    seen["print-others"] = run(shown % ".packet:not(.of-note), .walk, figure.narrow")
    media()
    pdf = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
    seen["pdf"] = base64.b64decode(pdf["data"])[:5].decode("ascii", "replace")

    seen["console"] = [entry["message"] for entry in browser.get_log("browser")]
    requests = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    urls = {it["params"]["request"]["url"] for it in requests if it["method"] == "Network.requestWillBeSent"}
    seen["requests"] = sorted({url.split("#")[0] for url in urls})
    return seen


with tempfile.TemporaryDirectory(prefix="quirknat-browser-") as directory:
    browser = open_browser(directory)
    try:
        json.dump(look(browser, "file://" + sys.argv[1], sys.argv[2]), sys.stdout)
    finally:
        browser.quit()
