"""Reads a report as people do, in Chromium: without a network, on wide and narrow screens, with and without scripts.

Arguments: page, checkpoint, program, and a folder for screenshots if they are wanted.
"""

import csv
import io
import json
import pathlib
import shutil
import subprocess
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

page_path, checkpoint, program = (pathlib.Path(name).resolve() for name in sys.argv[1:4])
pictures = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else None
LARGEST = 3_000_000
CLOSE = 1e-4


def predicted(columns, rows):
    """What the program says of `rows`."""
    table = page_path.parent / "what-if.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    command = [program, "predict", "--checkpoint", checkpoint, table]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    table.unlink()
    return list(csv.DictReader(io.StringIO(said)))


def opened(browser, said, **settings):
    """The page in a window of its own; `said` hears of errors and of everything that is fetched."""
    context = browser.new_context(bypass_csp=True, **settings)
    page = context.new_page()
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if request.url != page_path.as_uri() else None)
    page.goto(page_path.as_uri())
    return page


def values(page):
    return [float(value) for value in page.locator("#what-if-panel input[type=number]").evaluate_all("all => all.map(own => own.value)")]


def answer(page):
    return page.evaluate("({...document.getElementById('what-if-panel').dataset})")


def settled(page, before=None):
    """The answer, once it is there and a later one than number `before`."""
    page.wait_for_function(
        "before => { const own = document.getElementById('what-if-panel').dataset;"
        " return own.answers !== undefined && own.answers !== before; }",
        arg=before,
    )
    return answer(page)


def check_panel(page):
    """Whatever the panel is asked, it answers as the program does."""
    page.locator("#what-if-panel").scroll_into_view_if_needed()
    columns = json.loads(page.locator("#what-if").text_content())["columns"]
    sliders = page.locator("#what-if-panel input[type=range]")
    asked, answers = [], []

    def keep(before):
        answers.append(settled(page, before))
        asked.append(values(page))
        return answers[-1]["answers"]

    last = keep(None)
    for start in range(1, page.locator("#what-if-start option").count()):
        page.select_option("#what-if-start", index=start)
        last = keep(last)
        for place in (start, 2 * start + 3):
            slider = sliders.nth(place % len(columns))
            slider.evaluate("(own, at) => { own.value = at; own.dispatchEvent(new Event('input', {bubbles: true})); }", 170 * start + 37 * place)
            last = keep(last)
    page.fill("#what-if-0", str(float(columns[0]["high"]) * 1.1))
    last = keep(last)
    assert columns[0]["name"] in page.locator(".what-if-outside").inner_text()
    page.fill("#what-if-1", "")
    page.wait_for_selector(".what-if-message")
    assert columns[1]["name"] in page.locator(".what-if-message").inner_text()
    worst = 0
    for row, own in zip(predicted([column["name"] for column in columns], asked), answers, strict=True):
        for name in ("prediction", "lower", "upper"):
            expected = float(row[name])
            worst = max(worst, abs(float(own[name]) - expected) / abs(expected))
    assert len(asked) > 10 and worst <= CLOSE, f"{worst} of {len(asked)} answers"
    print(f"{len(asked)} answers within {worst:.1e}")


def check_hover(page):
    points = json.loads(page.locator("script.hover").text_content())["points"]
    figure = page.locator("#figure-predicted_against_actual svg")
    figure.evaluate("own => own.scrollIntoView({block: 'center', behavior: 'instant'})")
    page.wait_for_timeout(200)
    box, width = figure.bounding_box(), int(figure.get_attribute("viewBox").split()[2])
    x, y, text = points[len(points) // 2]
    page.mouse.move(box["x"] + x * box["width"] / width, box["y"] + y * box["width"] / width)
    page.wait_for_selector(".hover-tip")
    shown = page.locator(".hover-tip").inner_text()
    assert shown.startswith("row ") and "interval" in shown, shown
    page.keyboard.press("Escape")
    assert page.locator(".hover-tip:visible").count() == 0


def check_without_scripts(browser):
    said = []
    page = opened(browser, said, java_script_enabled=False)
    figures = page.locator("figure svg")
    assert figures.count() >= 10, figures.count()
    for place in range(figures.count()):
        box = figures.nth(place).bounding_box()
        assert box and box["width"] > 300 and box["height"] > 100, box
    assert page.locator("#what-if-panel").is_hidden()
    assert not said, said
    page.context.close()


def scene(browser, scheme, width):
    """The whole page in one theme and width."""
    said = []
    page = opened(browser, said, color_scheme=scheme, viewport={"width": width, "height": 900})
    page.locator("#what-if-panel").scroll_into_view_if_needed()
    settled(page)
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, f"the page is {overflow} pixels wider than the window"
    found = Axe().run(page)
    assert found.violations_count == 0, f"{scheme} {width}: {found.generate_report()}"
    if pictures:
        page.screenshot(path=pictures / f"{scheme}-{width}.png", full_page=True)
    if width > 1000:
        check_hover(page)
        check_panel(page)
    assert not said, said
    page.context.close()


size = page_path.stat().st_size
assert size < LARGEST, f"the page has {size} bytes"
with sync_playwright() as playwright:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "there is no Chromium"
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
    for scheme, width in [("light", 1280), ("dark", 1280), ("light", 390)]:
        scene(browser, scheme, width)
    check_without_scripts(browser)
    browser.close()
