"""The web page in headless Chromium: it shows a slate and a belief, and nothing fails on the way. 77 = no Chromium here."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from server_under_test import Checks, Server, arguments, world  # noqa: E402

args = arguments()
check = Checks()
browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
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


with world(args) as (data, run, db):
    server = Server(args.binary, run, data, db).wait_until_ready()
    page, console = look(server.url + "/?user=u0")
    check("the page has no console message", not console, console)
    check("no script failed", "data-error" not in page, re.findall(r'data-error="[^"]*"', page))
    check("twelve items are shown", page.count('class="item') == 12 and 'data-slate="12"' in page, page[:3000])
    check("with titles", "number" in page)
    check("a belief is shown", page.count('class="trait"') >= 2, page.count('class="trait"'))
    check("a history is shown", 'class="mark up"' in page)
    overview, console = look(server.url + "/#overview")
    check("the overview has no console message", not console, console)
    check("tiles are filled", overview.count('class="tile"') == 7, overview.count('class="tile"'))
    check("charts are drawn", "chart-popular" in overview and re.search(r'<canvas id="chart-popular"[^>]*width="\d{2,}', overview) is not None)
    check("the model is named", "on data" in overview)
    server.stop()
sys.exit(check.done())
