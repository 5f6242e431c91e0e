// The predictions for a table.

import { formatted, strip } from "/assets/charts.js";
import { axisOf } from "/assets/result.js";

const part = (id) => document.getElementById(id);

/** Rows that are shown; the download has all. */
const SHOWN = 100;
/** Rows that the figure shows at most. */
const DRAWN = 500;

/** Says how far the predictions are. */
export function showProgress(done, all) {
  part("table").hidden = false;
  part("table-summary").textContent = `${done} of ${all} rows are predicted …`;
}

/** Shows all predictions; `onRow` is called with the position of a row that somebody wants to see. */
export function showTable(model, table, { predictions, versions }, onRow) {
  const odd = predictions.filter((own) => own.out_of_domain).length;
  const count = predictions.length === 1 ? "1 row is predicted." : `${predictions.length} rows are predicted.`;
  const unlike = unlikeTraining(odd, predictions.length);
  const mixed = versions.length > 1 ? ` The model changed on the way: the rows were predicted by ${versions.join(" and ")}. Predict them again for answers of one model.` : "";
  part("table").hidden = false;
  part("table-summary").textContent = `${count} ${unlike}${mixed}`;
  drawTable(model, predictions);
  const others = table.names.map((_, place) => place).filter((place) => !model.columns.some((own) => own.name === table.names[place]));
  const titles = others.map((place) => table.names[place]).map((name) => name === model.target ? `${name}, as given` : name);
  const head = ["Row", ...titles, axisOf(model), "lower", "upper", "", ""];
  part("rows").tHead.replaceChildren(line(head.map((text) => cell(text ? "th" : "td", text, "col"))));
  const rows = predictions.slice(0, SHOWN).map((own, index) => row(own, index, others.map((place) => table.rows[index][place]), onRow));
  part("rows").tBodies[0].replaceChildren(...rows);
  part("table-note").textContent = predictions.length > SHOWN ? `The first ${SHOWN} rows are shown; the download has all ${predictions.length}.` : "";
}

/** How many of the rows cannot be relied on, in words. */
function unlikeTraining(odd, count) {
  if (count === 1) return odd === 0 ? "It is like the training data." : "It is unlike the training data: its prediction cannot be relied on.";
  if (odd === 0) return "None is unlike the training data.";
  return odd === 1
    ? "1 of them is unlike the training data: its prediction cannot be relied on."
    : `${odd} of them are unlike the training data: their predictions cannot be relied on.`;
}

/** Draws the figure anew, for another width too. */
export function drawTable(model, predictions) {
  const isDrawn = predictions.length > 1 && predictions.length <= DRAWN;
  part("strip").parentElement.hidden = !isDrawn;
  if (!isDrawn) return;
  const values = predictions.map((own) => own.prediction);
  const ends = [Math.min(...values), Math.max(...values)].map((own) => formatted(own, 0)).join(" to ");
  strip(part("strip"), { answers: predictions, axis: axisOf(model), label: `Predictions of ${predictions.length} rows with their intervals, from small to large: ${ends} ${model.unit}` });
  part("strip-note").textContent = "Each point is a row, from the smallest prediction to the largest, with its interval; rows unlike the training data stand out.";
}

function row(own, index, others, onRow) {
  const number = (value) => formatted(value, own.upper - own.lower);
  const show = document.createElement("button");
  show.type = "button";
  show.textContent = "Show";
  show.ariaLabel = `Show row ${index + 1}`;
  show.addEventListener("click", () => onRow(index));
  const name = cell("th", index + 1, "row");
  const values = [own.prediction, own.lower, own.upper].map((value) => {
    const filled = cell("td", number(value));
    filled.className = "number";
    return filled;
  });
  const note = own.out_of_domain ? `unlike training: ${own.columns_at_fault.join(", ")}` : "";
  const made = line([name, ...others.map((text) => cell("td", text)), ...values, noted(note), cell("td", show)]);
  made.className = own.out_of_domain ? "odd" : "";
  return made;
}

function noted(note) {
  const own = cell("td", note);
  own.className = "note";
  return own;
}

function line(cells) {
  const own = document.createElement("tr");
  own.append(...cells);
  return own;
}

function cell(kind, content, scope) {
  const own = document.createElement(kind);
  if (scope && kind === "th") own.scope = scope;
  own.append(content);
  return own;
}
