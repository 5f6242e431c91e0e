// Figures, drawn as SVG.

const MARGIN = { left: 12, right: 12, bottom: 40 };

function element(name, attributes, children = []) {
  const own = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) own.setAttribute(key, value);
  own.append(...children);
  return own;
}

/** A number for people: as many digits as its uncertainty leaves. */
export function formatted(value, width) {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return value.toPrecision(3);
  const digits = width > 0 ? 1 - Math.floor(Math.log10(width / 2)) : 4;
  return value.toLocaleString("en", { maximumFractionDigits: Math.min(Math.max(digits, 0), 8), useGrouping: size >= 1e5 });
}

/** A scale from values to `from..to`; logarithmic where positive values span two decades. */
function scaleOf(values, from, to) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
  const isLog = low > 0 && high / low > 100;
  const change = isLog ? Math.log10 : (value) => value;
  let [a, b] = [change(low), change(high)];
  if (a === b) { a -= 0.5; b += 0.5; }
  const edge = 0.03 * (b - a);
  [a, b] = [a - edge, b + edge];
  const share = (value) => Math.min(Math.max((change(value) - a) / (b - a), 0), 1);
  const place = (value) => from + share(value) * (to - from);
  return { place, isLog, low: isLog ? 10 ** a : a, high: isLog ? 10 ** b : b };
}

/** The values that a scale has to show: a zero amid masses does not forbid a logarithm. */
function shown(values) {
  const positive = values.filter((value) => value > 0);
  return positive.length > 0 && values.every((value) => value >= 0) ? positive : values;
}

function ticksOf(scale, most) {
  const ticks = [];
  if (scale.isLog) {
    const decades = Math.log10(scale.high / scale.low);
    for (let power = Math.floor(Math.log10(scale.low)); 10 ** power <= scale.high; power += 1) {
      for (const step of decades * 3 <= most ? [1, 2, 5] : [1]) ticks.push(step * 10 ** power);
    }
  } else {
    const rough = (scale.high - scale.low) / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((own) => own * power >= rough);
    for (let tick = Math.ceil(scale.low / step); tick * step <= scale.high; tick += 1) ticks.push(tick * step);
  }
  return ticks.filter((tick) => tick >= scale.low && tick <= scale.high);
}

const tickText = (value) => value === 0 ? "0" : Math.abs(value) >= 1e6 || Math.abs(value) < 1e-4 ? value.toExponential(0) : String(Number(value.toPrecision(6)));

/** Where training, prediction and interval lie on one axis. */
export function distribution(holder, { targets, answer, axis, label }) {
  const width = Math.max(holder.clientWidth, 260), height = 190, floor = height - MARGIN.bottom;
  const scale = scaleOf(shown([...targets, answer.lower, answer.upper]), MARGIN.left, width - MARGIN.right);
  const svg = element("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  const bins = Array(Math.min(30, Math.max(8, Math.round(width / 24)))).fill(0);
  const size = (width - MARGIN.left - MARGIN.right) / bins.length;
  for (const target of targets) {
    const bin = Math.floor((scale.place(target) - MARGIN.left) / size);
    bins[Math.min(Math.max(bin, 0), bins.length - 1)] += 1;
  }
  const top = Math.max(...bins, 1);
  bins.forEach((count, bin) => {
    const tall = count / top * (floor - 48);
    if (count > 0) svg.append(element("rect", { class: "bar", x: MARGIN.left + bin * size + 0.5, y: floor - tall, width: size - 1, height: tall }));
  });
  horizontal(svg, scale, { width, floor, axis });
  svg.append(mark(answer, scale.place, 22, true));
  svg.append(element("line", { class: "axis", x1: scale.place(answer.prediction), x2: scale.place(answer.prediction), y1: 30, y2: floor, "stroke-dasharray": "3 3" }));
  holder.replaceChildren(svg);
}

function horizontal(svg, scale, { width, floor, axis }) {
  svg.append(element("line", { class: "axis", x1: MARGIN.left, x2: width - MARGIN.right, y1: floor, y2: floor }));
  for (const tick of ticksOf(scale, width / 70)) {
    const at = scale.place(tick);
    svg.append(element("line", { class: "axis", x1: at, x2: at, y1: floor, y2: floor + 5 }));
    svg.append(element("text", { x: at, y: floor + 18, "text-anchor": at < 25 ? "start" : at > width - 25 ? "end" : "middle" }, [tickText(tick)]));
  }
  svg.append(element("text", { x: width / 2, y: floor + 36, "text-anchor": "middle" }, [axis]));
}

/** A point with its interval, along x at height `other` or along y at width `other`. */
function mark(answer, place, other, alongX) {
  const [from, to, at] = [answer.lower, answer.upper, answer.prediction].map(place);
  const line = alongX ? { x1: from, x2: to, y1: other, y2: other } : { x1: other, x2: other, y1: from, y2: to };
  const point = alongX ? { cx: at, cy: other, r: 6 } : { cx: other, cy: at, r: 2.5 };
  return element("g", { class: (answer.out_of_domain ? "odd" : "") + (alongX ? "" : " thin") }, [
    element("line", { class: "range", ...line }), element("circle", { class: "point", ...point }),
  ]);
}

/** All predictions with their intervals, in their order. */
export function strip(holder, { answers, axis, label }) {
  const width = Math.max(holder.clientWidth, 260), height = 240, left = 58;
  const sorted = answers.toSorted((a, b) => a.prediction - b.prediction);
  const scale = scaleOf(shown(sorted.flatMap((own) => [own.lower, own.upper])), height - 14, 10);
  const svg = element("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  for (const tick of ticksOf(scale, 6)) {
    const at = scale.place(tick);
    svg.append(element("line", { class: "axis", x1: left - 4, x2: width, y1: at, y2: at }));
    svg.append(element("text", { x: left - 8, y: at + 4, "text-anchor": "end" }, [tickText(tick)]));
  }
  const step = (width - left - 12) / Math.max(sorted.length, 1);
  sorted.forEach((own, index) => svg.append(mark(own, scale.place, left + 6 + (index + 0.5) * step, false)));
  const text = element("text", { x: 14, y: height / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${height / 2})` }, [axis]);
  svg.append(text);
  holder.replaceChildren(svg);
}
