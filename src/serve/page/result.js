// The prediction for one row.

import { distribution, formatted } from "/assets/charts.js";

const part = (id) => document.getElementById(id);

const percent = (level) => `${Number((100 * level).toPrecision(3))} %`;
const withUnit = (text, unit) => unit ? `${text} ${unit}` : text;

/** The name of the target with its unit, for axes. */
export const axisOf = (model) => model.unit ? `${model.target} (${model.unit})` : model.target;

/** Shows an explained prediction of `record`. */
export function showResult(model, record, answer) {
  const number = (value) => formatted(value, answer.upper - answer.lower);
  part("value").textContent = number(answer.prediction);
  part("unit").textContent = answer.unit;
  const range = withUnit(`${number(answer.lower)} to ${number(answer.upper)}`, answer.unit);
  part("interval").textContent = `${percent(answer.level)} interval: ${range}`;
  showWarning(answer);
  part("result").hidden = false;
  showContributions(record, answer, number);
  drawResult(model, answer);
}

/** Draws the figure anew, for another width too. */
export function drawResult(model, answer) {
  const number = (value) => formatted(value, answer.upper - answer.lower);
  const below = model.training_targets.filter((own) => own <= answer.prediction).length;
  const share = `${below} of ${model.training_targets.length} known values lie at or below the prediction.`;
  distribution(part("distribution"), {
    targets: model.training_targets,
    answer,
    axis: axisOf(model),
    label: `Prediction ${number(answer.prediction)} with its interval from ${number(answer.lower)} to ${number(answer.upper)}, above the distribution of the known values. ${share}`,
  });
  part("distribution-note").textContent = `Point and line: the prediction and its interval. Bars: the known values of ${model.target} in training. ${share}`;
}

function showWarning(answer) {
  const warning = part("warning");
  warning.hidden = !answer.out_of_domain;
  const names = answer.columns_at_fault.join(", ");
  warning.textContent = answer.out_of_domain
    ? `These signals are unlike anything in the training data, above all ${names}. Neither the prediction nor its interval can be relied on.`
    : "";
}

function showContributions(record, answer, number) {
  part("base").textContent = `Known rows are predicted at ${withUnit(number(answer.base), answer.unit)} on average; the contributions lead from there to ${withUnit(number(answer.prediction), answer.unit)}.`;
  const sorted = answer.contributions.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const values = sorted.map((own) => own.contribution);
  const low = Math.min(0, ...values), span = Math.max(0, ...values) - low || 1;
  const zero = -low / span;
  const rows = sorted.map(({ column, contribution }) => {
    const meter = document.createElement("div");
    meter.className = "meter";
    meter.style.setProperty("--zero", `${100 * zero}%`);
    const bar = document.createElement("span");
    bar.className = contribution < 0 ? "below" : "above";
    bar.style.left = `${100 * (contribution < 0 ? zero + contribution / span : zero)}%`;
    bar.style.width = `${100 * Math.abs(contribution) / span}%`;
    meter.append(bar);
    const sign = contribution > 0 ? "+" : "";
    return row(column, String(record[column] ?? "none"), meter, sign + number(contribution).replace("-", "−"));
  });
  part("contributions").tBodies[0].replaceChildren(...rows);
}

function row(column, value, meter, contribution) {
  const own = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  name.textContent = column;
  const cells = [value, meter, contribution].map((content) => {
    const cell = document.createElement("td");
    cell.append(content);
    return cell;
  });
  cells[0].className = cells[2].className = "number";
  cells[1].className = "track";
  cells[1].ariaHidden = "true";
  own.append(name, ...cells);
  return own;
}
