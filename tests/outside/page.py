"""The web page in headless Chromium: it shows a slate and a belief, and nothing fails on the way. 77 = no Chromium here."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from browser import Page, find_browser  # noqa: E402
from server_under_test import Checks, Server, arguments, world  # noqa: E402

args = arguments()
check = Checks()
browser = find_browser()
if not browser:
    print("skipped: no Chromium")
    sys.exit(77)


def look(url):
    with tempfile.TemporaryDirectory(prefix="hg-chromium-") as profile:
        done = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={profile}", "--enable-logging=stderr",
             "--log-level=0", "--virtual-time-budget=8000", "--dump-dom", url],
            capture_output=True, text=True, timeout=180, env={**os.environ, "HOME": profile})
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return done.stdout, console


def press_the_buttons(server):
    """As a person would: a like, a wish, a knob, an event forgotten; each is told to the server and seen on the page."""
    def user():
        return server.call("GET", "/v1/users/u0")[1]

    page = Page(server.url + "/?user=u0")
    check("the page is drawn", page.until("document.body.dataset.slate === '12'"))
    n_events = user()["history_size"]
    page.value("document.querySelector('.item .like').click()")
    check("a like is stored", page.until(f"document.querySelector('#history-size').textContent === '({n_events + 1})'"))
    page.value("document.querySelector('[data-forget]').click()")
    check("and forgotten again", page.until(f"document.querySelector('#history-size').textContent === '({n_events})'"))
    check("for good", user()["history_size"] == n_events)
    page.value("""document.querySelector('[data-wish="Horror 1"]').click()""")
    check("a wish is shown", page.until("document.querySelector('#wishes').textContent === 'more Horror'"))
    check("and stored", user()["belief"]["wishes"] == [{"field": "genres", "name": "Horror", "preference": 1}], user()["belief"])
    page.value("document.querySelector('#reset-wishes').click()")
    check("it can be taken back", page.until("document.querySelector('#reset-wishes').hidden"))
    check("and is", "wishes" not in user()["belief"], user()["belief"])
    page.value("{const k = document.querySelector('#knob-novelty'); k.value = 2; k.dispatchEvent(new Event('change'));}")
    check("a knob is turned", page.until("document.querySelector('#knobs-by').textContent === '(yours)'"))
    check("and in force", user()["knobs"]["novelty"] == 2 and "novelty=2" in page.value("document.querySelector('#policy').textContent"), user()["knobs"])
    check("what only the knob shows is marked", page.value("document.querySelectorAll('.item .explore').length") > 0)
    page.value("document.querySelector('#reset-knobs').click()")
    check("it can be given back", page.until("document.querySelector('#knobs-by').textContent === '(constant)'"))
    check("nothing went wrong on the way", not page.console, page.console)
    page.close()


def answer_what_is_asked(server):
    """A newcomer is asked; a tap is a like and the slate knows it; no tap is nothing."""
    page = Page(server.url + "/?user=newcomer")
    check("a newcomer is asked for ten items", page.until("document.querySelectorAll('.ask-item').length === 10 && !document.querySelector('#ask').hidden"))
    asked = page.value("document.querySelector('.ask-item').dataset.ask")
    page.value("document.querySelector('.ask-item').click()")
    check("a tap is a like", page.until("document.querySelector('#history-size').textContent === '(1)'"))
    stored = server.call("GET", "/v1/users/newcomer")[1]
    check("of that item", [(e["item_id"], e["weight"]) for e in stored["history"]] == [(asked, 1)], stored["history"])
    check("the others stay to be tapped", page.value("document.querySelectorAll('.ask-item:not(.known)').length") == 9)
    page.value("document.querySelector('#ask-done').click()")
    check("and may be put away", page.value("document.querySelector('#ask').hidden"))
    other = [m for m in page.console if "/v1/users/newcomer" not in str(m)]  # the server does not know them yet: 404
    check("nothing went wrong while asking", not other, other)
    page.close()
    page = Page(server.url + "/?user=u0")
    check("a known user is not asked", page.until("document.body.dataset.slate === '12'") and page.value("document.querySelector('#ask').hidden"))
    page.close()


with world(args) as (data, run, db):
    server = Server(args.binary, run, data, db).wait_until_ready()
    page, console = look(server.url + "/?user=u0")
    check("the page has no console message", not console, console)
    check("no script failed", "data-error" not in page, re.findall(r'data-error="[^"]*"', page))
    check("twelve items are shown", page.count('class="item') == 12 and 'data-slate="12"' in page, page[:3000])
    check("with titles", "number" in page)
    check("a belief is shown", page.count('class="trait"') >= 2, page.count('class="trait"'))
    check("a history is shown", 'class="mark up"' in page)
    check("knobs can be turned", page.count('class="knob"') == 4 and 'id="knob-exploration"' in page, page.count('class="knob"'))
    check("traits can be wished for", 'data-wish="Comedy 1"' in page and 'data-wish="Horror -1"' in page, re.findall(r'data-wish="[^"]*"', page))
    check("events can be forgotten", 'data-forget="dataset:' in page)
    press_the_buttons(server)
    answer_what_is_asked(server)
    overview, console = look(server.url + "/#overview")
    check("the overview has no console message", not console, console)
    check("tiles are filled", overview.count('class="tile"') == 7, overview.count('class="tile"'))
    check("charts are drawn", "chart-popular" in overview and re.search(r'<canvas id="chart-popular"[^>]*width="\d{2,}', overview) is not None)
    check("the cost of data collection is told", "Off. At 2.0 % of slots" in overview and "decided after" in overview)
    check("the model is named", "on data" in overview)
    server.stop()
sys.exit(check.done())
