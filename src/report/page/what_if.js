"use strict";
// The panel that answers "what if this detector had shown something else?" with the model of the page.

(() => {
  const SLIDER_STEPS = 1000;
  const SPACE = "\u00a0";

  // Numbers

  const raisedSign = (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)];
  const raised = (exponent) => Array.from(String(Number(exponent)), raisedSign).join("");

  /** A number as the rest of the report writes it, e.g. `12.30`, `−0.004500` or `6.022×10²³`. */
  function significant(value, digits = 4) {
    if (Number.isNaN(value)) return "–";
    const sign = value < 0 ? "−" : "";
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size === Infinity) return `${sign}∞`;
    const [mantissa, exponent] = size.toExponential(digits - 1).split("e");
    if (exponent < -4 || exponent >= 6) return `${sign}${mantissa}×10${raised(exponent)}`;
    return sign + size.toFixed(Math.max(0, digits - 1 - exponent));
  }

  const withUnit = (text, unit) => (unit ? text + SPACE + unit : text);
  const within = (value, low, high) => Math.min(Math.max(value, low), high);
  /** A share in percent without trailing zeros, e.g. `90 %`. */
  const percent = (share) => `${Number((100 * share).toPrecision(6))}${SPACE}%`;

  /** `value` without digits that a step of the slider cannot tell apart. */
  function rounded(value, step) {
    const decimals = Math.ceil(1 - Math.log10(step));
    return Number(value.toFixed(within(decimals, 0, 20)));
  }

  /** From a value to its place on the slider, and back. */
  function scaleOf({ low, high, logarithmic }) {
    const isLog = logarithmic && low > 0;
    const [to, from] = isLog ? [Math.log, Math.exp] : [Number, Number];
    const step = (to(high) - to(low)) / SLIDER_STEPS;
    // What has no logarithm, and any value of a column that never varies, stands at the left end.
    const place = (value) => within(Math.round((to(value) - to(low)) / step), 0, SLIDER_STEPS) || 0;
    const value = (at) => {
      if (at <= 0) return low;
      if (at >= SLIDER_STEPS) return high;
      const own = from(to(low) + at * step);
      return rounded(own, isLog ? own * step : step);
    };
    return { place, value };
  }

  // Parts of the panel

  function element(name, properties, ...children) {
    const own = Object.assign(document.createElement(name), properties);
    own.append(...children);
    return own;
  }

  const paragraph = (name, ...children) => element("p", { className: `what-if-${name}` }, ...children);

  /** A number and its slider side by side, bound to their label. */
  function inputsOf({ name, unit, low, high }, index) {
    const id = `what-if-${index}`;
    const number = element("input", { type: "number", id, step: "any", autocomplete: "off" });
    const slider = element("input", { type: "range", min: 0, max: SLIDER_STEPS, disabled: low === high });
    slider.setAttribute("aria-label", `slider of ${name}`);
    const label = element("label", { htmlFor: id, textContent: name });
    const unitText = element("span", { className: "what-if-unit", textContent: unit });
    const entry = element("div", { className: "what-if-entry" }, label, number, unitText);
    return { number, slider, box: element("div", { className: "what-if-column" }, entry, slider) };
  }

  /** A column on the panel; `read` gives `NaN` where there is no number. */
  function fieldOf(column, index) {
    const scale = scaleOf(column);
    const { number, slider, box } = inputsOf(column, index);
    const read = () => (number.value === "" ? NaN : Number(number.value));
    const isOutside = () => read() < column.low || read() > column.high;
    const follow = () => {
      slider.value = scale.place(read());
      slider.setAttribute("aria-valuetext", withUnit(number.value || "no number", column.unit));
      number.setAttribute("aria-invalid", Number.isNaN(read()));
      number.classList.toggle("outside", isOutside());
    };
    const write = (value) => {
      // A missing value is null, and stays for the reader to fill in.
      number.value = value ?? "";
      follow();
    };
    number.addEventListener("input", follow);
    slider.addEventListener("input", () => write(scale.value(Number(slider.value))));
    return { name: column.name, box, read, write, isOutside };
  }

  const finiteOr = (value, other) => (Number.isFinite(value) ? value : other);

  /** The prediction and its interval, drawn to the scale of all starting points. */
  function bar(now, start, all, unit) {
    const low = Math.min(...all.map((own) => finiteOr(own.lower, own.prediction)));
    const high = Math.max(...all.map((own) => finiteOr(own.upper, own.prediction)));
    // Over decades a plain scale would press the small ones into its left end.
    const to = low > 0 && high > 20 * low ? Math.log : Number;
    const width = to(high) - to(low) || 1;
    const share = (value) => `${(100 * (to(within(value, low, high)) - to(low))) / width}%`;
    const interval = element("span", { className: "what-if-bar-interval" });
    interval.style.left = share(now.lower);
    interval.style.right = `calc(100% - ${share(now.upper)})`;
    const marks = [["start", start], ["now", now]].filter(([, own]) => all.includes(own)).map(([name, own]) => {
      const mark = element("span", { className: `what-if-bar-${name}` });
      mark.style.left = share(own.prediction);
      return mark;
    });
    const track = element("div", { className: "what-if-bar-track" }, interval, ...marks);
    const ends = [low, high].map((end) => withUnit(significant(end, 3), unit));
    const drawing = element("div", { className: "what-if-bar" }, ends[0], track, ends[1]);
    drawing.setAttribute("aria-hidden", "true");
    return drawing;
  }

  /** Nothing where the starting point misses a value and so has no prediction. */
  function changeText(change, unit) {
    if (Number.isNaN(change)) return "";
    if (change === 0) return "no change from the start";
    return `change from the start: ${change > 0 ? "+" : ""}${withUnit(significant(change), unit)}`;
  }

  function outsideText(fields) {
    const names = fields.filter((field) => field.isOutside()).map((field) => field.name);
    return names.length > 0 ? `outside the range of the training rows: ${names.join(", ")}` : "";
  }

  // The panel

  /** The text of a model, which the page holds compressed: weights take room. */
  async function inflated(base64) {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).text();
  }

  class Panel {
    constructor(root, { target, unit, level, columns, rows, tolerance }) {
      Object.assign(this, { root, target, unit, level, rows, answers: 0 });
      this.fields = columns.map(fieldOf);
      const options = rows.map(({ label }) => element("option", {}, label));
      this.choice = element("select", { id: "what-if-start" }, ...options);
      this.result = element("div", { className: "what-if-result" });
      this.result.setAttribute("aria-live", "polite");
      const grid = element("div", { className: "what-if-grid" }, ...this.fields.map((field) => field.box));
      root.append(this.controls(), this.result, grid, ...this.note(tolerance));
      grid.addEventListener("input", () => this.refresh());
      this.restart();
      this.tell("loading the model");
      root.hidden = false;
    }

    controls() {
      const reset = element("button", { type: "button", textContent: "Reset" });
      reset.addEventListener("click", () => this.restart());
      this.choice.addEventListener("change", () => this.restart());
      const label = element("label", { htmlFor: "what-if-start", textContent: "Start from" });
      return element("div", { className: "what-if-controls" }, label, this.choice, reset);
    }

    note(tolerance) {
      if (!tolerance) return [];
      const difference = `${significant(100 * tolerance, 2)}${SPACE}%`;
      const words = "This page holds the model in fewer digits than the program: their predictions differ by";
      return [element("p", { className: "note", textContent: `${words} ${difference} at most.` })];
    }

    /** Back to the numbers of the starting point. */
    restart() {
      const { values } = this.rows[this.choice.selectedIndex];
      this.fields.forEach((field, i) => field.write(values[i]));
      this.refresh();
    }

    /** Reads and decodes the model, which takes a moment: once, and only for those who look at the panel. */
    load() {
      if (this.isAsked) return;
      this.isAsked = true;
      // After the browser has drawn the words that say so.
      setTimeout(() => this.guarded(async () => {
        const text = await inflated(document.getElementById("model").textContent);
        this.model = massay.model(JSON.parse(text));
        this.starts = this.model.predict(this.rows.map(({ values }) => values.map((value) => value ?? NaN)));
        this.show();
      }), 50);
    }

    /** Shows the prediction at the next frame, however many inputs change until then. */
    refresh() {
      if (!this.model || this.frame) return;
      this.frame = requestAnimationFrame(() => {
        this.frame = null;
        this.guarded(() => this.show());
      });
    }

    async guarded(work) {
      try {
        await work();
      } catch (error) {
        this.model = null;
        this.tell(`the model of this page cannot be used: ${error.message}`);
      }
    }

    /** A message in place of a prediction. */
    tell(message) {
      ["prediction", "lower", "upper", "answers"].forEach((name) => delete this.root.dataset[name]);
      this.result.replaceChildren(paragraph("message", message));
    }

    show() {
      const empty = this.fields.filter((field) => Number.isNaN(field.read())).map((field) => field.name);
      if (empty.length > 0) return this.tell(`enter a number for ${empty.join(", ")}`);
      const [now] = this.model.predict([this.fields.map((field) => field.read())]);
      if (Number.isNaN(now.prediction)) return this.tell("the model gives no number for these values");
      // Counted, because another question can have the same answer.
      this.answers += 1;
      Object.assign(this.root.dataset, now, { answers: this.answers });
      this.result.replaceChildren(...this.answer(now));
    }

    answer(now) {
      const text = (value) => withUnit(significant(value), this.unit);
      const start = this.starts[this.choice.selectedIndex];
      const value = element("strong", { textContent: text(now.prediction) });
      const interval = `${percent(this.level)} interval: ${text(now.lower)} to ${text(now.upper)}`;
      const all = [now, ...this.starts].filter((own) => !Number.isNaN(own.prediction));
      const change = changeText(now.prediction - start.prediction, this.unit);
      const outside = outsideText(this.fields);
      return [
        paragraph("value", element("span", { textContent: this.target }), value),
        paragraph("interval", interval),
        bar(now, start, all, this.unit),
        paragraph("change", change),
        ...(outside ? [paragraph("outside", outside)] : []),
      ];
    }
  }

  /** Calls `act` once the reader comes near. */
  function whenReached(root, act) {
    root.addEventListener("focusin", act, { once: true });
    if (!("IntersectionObserver" in window)) return void setTimeout(act, 1000);
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      act();
    });
    observer.observe(root);
  }

  const root = document.getElementById("what-if-panel");
  const data = document.getElementById("what-if");
  if (!root || !data) return;
  const panel = new Panel(root, JSON.parse(data.textContent));
  whenReached(root, () => panel.load());
})();
