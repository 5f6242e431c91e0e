"""Uses the page of a running service as people do, in Chromium, and looks for barriers with axe.

Arguments: address of the page, table, and a folder for screenshots if they are wanted.
"""

import csv
import io
import json
import pathlib
import shutil
import sys
import urllib.request

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

url, table = sys.argv[1:3]
pictures = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
text = pathlib.Path(table).read_text()
rows = list(csv.DictReader(io.StringIO(text)))


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))


columns = [column["name"] for column in ask("model")["columns"]]


def record(row):
    return {name: float(row[name]) for name in columns}


def shown(page, element):
    return page.locator(element).inner_text().strip()


def close(found, expected, answer):
    """Whether a shown number is `expected` to a twentieth of the interval."""
    width = answer["upper"] - answer["lower"]
    return abs(float(found.replace(",", "").replace("−", "-")) - expected) <= width / 20


def paste(page, content):
    page.fill("#paste", content)
    page.click("button.main[type=submit]")


def wait_result(page):
    page.wait_for_selector("#result:visible")
    page.wait_for_function("!document.querySelector('button').disabled")


def check_row(page):
    first = rows[0]
    paste(page, "\t".join(first[name] for name in columns))
    wait_result(page)
    answer = ask("explain", record(first))
    assert close(shown(page, "#value"), answer["prediction"], answer), shown(page, "#value")
    low, high = shown(page, "#interval").split(": ")[1].split(" to ")
    assert close(low, answer["lower"], answer) and close(high.split()[0], answer["upper"], answer)
    assert page.locator("#distribution svg").count() == 1
    bars = page.locator("#contributions tbody tr")
    assert bars.count() == len(columns)
    order = [abs(own["contribution"]) for own in answer["contributions"]]
    largest = columns[order.index(max(order))]
    assert bars.first.locator("th").inner_text() == largest
    assert page.locator("#warning").is_hidden()


def check_warning(page):
    page.fill("#signal-1", "1e6")
    page.press("#signal-1", "Enter")
    page.wait_for_selector("#warning:visible")
    assert columns[1] in shown(page, "#warning")
    assert "outside" in page.locator("#signal-1").locator("..").get_attribute("class")


def check_errors(page):
    for content, expected in [("many", "many"), ("", columns[2])]:
        page.fill("#signal-2", content)
        page.press("#signal-2", "Enter")
        page.wait_for_selector("#error:visible")
        page.wait_for_function("document.activeElement.id === 'signal-2'")
        assert expected in shown(page, "#error"), shown(page, "#error")
        assert page.locator("#result").is_hidden(), "an old result beside an error"
    paste(page, "1\t2\t3")
    page.wait_for_function("document.activeElement.id === 'error'")
    assert f"expected {len(columns)}" in shown(page, "#error")


def check_table(page):
    page.set_input_files("#file", table)
    page.wait_for_selector("#rows tbody tr")
    page.wait_for_function("!document.querySelector('button').disabled")
    assert f"{len(rows)} rows are predicted" in shown(page, "#table-summary")
    answers = ask("predict", [record(row) for row in rows])["predictions"]
    with page.expect_download() as download:
        page.click("#download-table")
    found = list(csv.DictReader(io.StringIO(pathlib.Path(download.value.path()).read_text())))
    assert len(found) == len(rows)
    for row, answer, source in zip(found, answers, rows, strict=True):
        assert [float(row[name]) for name in ("prediction", "lower", "upper")] == [
            answer[name] for name in ("prediction", "lower", "upper")
        ]
        assert all(row[name] == source[name] for name in source)
    page.click("text=Show >> nth=4")
    wait_result(page)
    assert page.input_value(f"#signal-{len(columns) - 1}") == str(float(rows[4][columns[-1]]))


def check_keyboard(page):
    """From the top of the page to a prediction without a mouse."""
    page.reload()
    page.wait_for_selector("#row-form:visible")
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "example":
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    wait_result(page)


def check_width(page):
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, f"the page is {overflow} pixels wider than the window"


def check_barriers(page, name):
    found = Axe().run(page)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"


def picture(page, name):
    if pictures:
        page.screenshot(path=pictures / f"{name}.png", full_page=True)


def scene(browser, scheme, width):
    """The page in one theme and width, with a row, a warning, an error and a table."""
    context = browser.new_context(
        bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#row-form:visible")
    steps = {"start": None, "row": check_row, "odd": check_warning, "table": check_table}
    for name, step in steps.items():
        if step:
            step(page)
        name = f"{scheme}-{width}-{name}"
        picture(page, name)
        check_width(page)
        check_barriers(page, name)
    context.close()


def story(browser):
    """Everything once under the page's own policy, which nothing may break."""
    page = browser.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(url)
    page.wait_for_selector("#row-form:visible")
    check_row(page)
    check_warning(page)
    check_table(page)
    check_keyboard(page)
    assert not said, said
    check_errors(page)
    # The browser itself tells of the answers with status 400, and of nothing else.
    assert all("status of 400" in line for line in said), said


with sync_playwright() as playwright:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "there is no Chromium"
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
    story(browser)
    for scheme, width in [("light", 1100), ("dark", 1100), ("light", 360)]:
        scene(browser, scheme, width)
    browser.close()
