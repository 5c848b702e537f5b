"""The page in a real browser, where one is on PATH: no error, no request, the picture there, nothing wider than a phone."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.console.report.conftest import Told

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on PATH")
PHONE = 360

PROBE = """<!doctype html><meta charset=utf-8><title>probe</title><iframe id=f width={width} height=4000 style=border:0></iframe>
<pre id=told></pre><script>
const frame = document.getElementById('f'), told = {{}};
frame.onload = () => {{
  const page = frame.contentDocument, root = page.documentElement, view = frame.contentWindow;
  told.wide = root.scrollWidth;
  told.requests = view.performance.getEntriesByType('resource').map(one => one.name);
  const bars = page.querySelectorAll('svg[role=img] rect.work, svg[role=img] rect.wait');
  const boxes = [...bars].map(one => one.getBoundingClientRect());
  told.bars = boxes.filter(box => box.width >= 1 && box.height >= 8).length;
  told.out = boxes.filter(box => box.right > {width} + 1 || box.left < -1).length;
  told.small = [...page.querySelectorAll('p, li, dd, dt, h1, h2, h3, text')]
    .filter(one => parseFloat(view.getComputedStyle(one).fontSize) < 12).length;
  told.cut = [...page.querySelectorAll('svg text')].filter(one => one.getBoundingClientRect().right > {width} + 1).length;
  told.focus = [...page.querySelectorAll('a[href], [tabindex]')].map(one => one.getAttribute('href') || one.tagName.toLowerCase());
  told.top = page.querySelector('h1').getBoundingClientRect().top;
  document.getElementById('told').textContent = JSON.stringify(told);
}};
frame.srcdoc = {page};
</script>"""


def asked(folder: Path, place: Path, width: int, *more: str) -> dict[str, object]:
    """What the browser says of the page at this width."""
    text = (folder / "report.html").read_text()
    place.mkdir(exist_ok=True)
    probe = place / "probe.html"
    probe.write_text(PROBE.format(width=width, page=json.dumps(text).replace("<", "\\u003c")))
    done = subprocess.run(
        [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--enable-logging=stderr", "--virtual-time-budget=2000",
         f"--user-data-dir={place / 'profile'}", *more, "--dump-dom", probe.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr, done.stderr
    found = re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stdout[:500]
    told = json.loads(html.unescape(found.group(1)))
    assert isinstance(told, dict)
    return told


@pytest.mark.parametrize("more", [(), ("--blink-settings=preferredColorScheme=0",)], ids=["light", "dark"])
def test_on_a_phone(told: Told, tmp_path: Path, more: tuple[str, ...]) -> None:
    found = asked(told.built, tmp_path / "browser", PHONE, *more)
    assert found["wide"] == PHONE, "it scrolls sideways"
    assert found["requests"] == []
    assert isinstance(found["bars"], int) and found["bars"] > 10
    assert (found["out"], found["small"], found["cut"]) == (0, 0, 0)
    assert isinstance(found["top"], float | int) and found["top"] < 400, "the verdict is not what one sees first"
    focus = found["focus"]
    assert isinstance(focus, list)
    assert focus[0] == "#verdict"
    assert focus.index("#timeline") < focus.index("#unseen") < focus.index("#steps") < focus.index("#check") < focus.index("pre")
