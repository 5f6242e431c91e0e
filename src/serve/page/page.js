// The page: a form, what was asked, what came back.

import { drawResult, showResult } from "/assets/result.js";
import * as service from "/assets/service.js";
import { drawTable, showProgress, showTable } from "/assets/table.js";
import { cellValue, csv, parse, pointed, records } from "/assets/table_text.js";

const part = (id) => document.getElementById(id);
/** What is known and shown at present. */
const state = { model: null, result: null, table: null, isBusy: false };

const names = () => state.model.columns.map((column) => column.name);
const field = (name) => part(`signal-${names().indexOf(name)}`);

async function start() {
  const model = await service.model();
  state.model = model;
  part("key-form").hidden = true;
  part("row-form").hidden = false;
  document.title = `${model.target} · massay`;
  part("title").textContent = `Predict ${model.target}${model.unit ? ` in ${model.unit}` : ""}`;
  part("about").textContent = `From ${model.columns.length} signals, with a ${Number((100 * model.level).toPrecision(3))} % interval.`;
  const { rmse, r2, coverage } = model.scores ?? {};
  const unit = model.unit ? ` ${model.unit}` : "";
  const scores = Number.isFinite(rmse) ? ` On held-out rows: RMSE ${rmse.toPrecision(3)}${unit}, R² ${r2.toFixed(3)}, intervals that hold ${(100 * coverage).toFixed(1)} %.` : "";
  part("model-note").textContent = `Model ${model.version}.${scores}`;
  part("inputs").replaceChildren(...model.columns.map(input));
}

/** A labelled input for a column, with the range that the training knows. */
function input(column, index) {
  const holder = document.createElement("div");
  const label = document.createElement("label");
  label.htmlFor = `signal-${index}`;
  label.textContent = column.name;
  const own = document.createElement("input");
  Object.assign(own, { id: `signal-${index}`, type: "text", inputMode: "decimal", autocomplete: "off" });
  own.setAttribute("aria-describedby", `range-${index}`);
  own.addEventListener("input", () => markRange(column, own));
  own.addEventListener("paste", (event) => pasted(event, index));
  const help = document.createElement("p");
  Object.assign(help, { id: `range-${index}`, className: "help" });
  holder.append(label, own, help);
  markRange(column, own, help);
  return holder;
}

function markRange(column, own, help = own.nextElementSibling) {
  own.removeAttribute("aria-invalid");
  const value = cellValue(pointed(own.value));
  const known = column.minimum === null ? "" : `${short(column.minimum)} to ${short(column.maximum)}`;
  const isOutside = typeof value === "number" && known !== "" && (value < column.minimum || value > column.maximum);
  own.parentElement?.classList.toggle("outside", isOutside);
  help.textContent = isOutside ? `outside ${known}` : known;
}

const short = (value) => String(Number(value.toPrecision(4)));

/** Cells pasted into a field go on into the next ones. */
function pasted(event, index) {
  const text = event.clipboardData.getData("text");
  if (!/[\t\n;]|,.*,|\S\s+\S/.test(text.trim())) return;
  event.preventDefault();
  attempt(async () => {
    const cells = text.trim().split(/\n/).length === 1 && index > 0 ? text.trim().split(/[\t;]|\s+/) : null;
    if (cells === null) return taken(text);
    cells.forEach((cell, place) => set(names()[index + place], cell));
  });
}

function set(name, value) {
  const own = name === undefined ? null : field(name);
  if (!own) return;
  own.value = value ?? "";
  markRange(state.model.columns[names().indexOf(name)], own);
}

/** A row fills the form and is predicted; a table is predicted. */
async function taken(text) {
  const table = parse(text, names());
  const own = records(table, names());
  // A column that is not there is missed by the service, with a hint; an empty field would be another mistake.
  const isWhole = names().every((name) => name in own[0]);
  if (own.length > 1 || !isWhole) return predictTable(table, own);
  names().forEach((name) => set(name, own[0][name]));
  return predictRow();
}

async function predictRow() {
  part("table").hidden = true;
  state.table = null;
  await service.predict([typed()], () => {});
  await explainRow();
  part("result").scrollIntoView({ block: "nearest" });
}

/** The row in the form. */
const typed = () => Object.fromEntries(names().map((name) => [name, cellValue(pointed(field(name).value))]));

/** Shows the row in the form. An explanation is not kept by the service: the row has been predicted before. */
async function explainRow() {
  const record = typed();
  const answer = await service.explain(record);
  state.result = { record, answer };
  showResult(state.model, record, answer);
  answer.columns_at_fault.forEach((name) => field(name).parentElement.classList.add("outside"));
}

async function predictTable(table, own) {
  part("result").hidden = true;
  state.result = null;
  const answers = await service.predict(own, (done) => showProgress(done, own.length)).catch((fault) => {
    part("table").hidden = true;
    throw fault;
  });
  state.table = { table, ...answers };
  showTable(state.model, table, answers, (index) => attempt(async () => {
    names().forEach((name) => set(name, own[index][name]));
    await explainRow();
    part("result").scrollIntoView();
  }));
  part("table").scrollIntoView({ block: "nearest" });
}

/** Does what was asked for, or says why not; one thing after the other, so that an answer belongs to its row. */
async function attempt(work) {
  if (state.isBusy) return;
  state.isBusy = true;
  part("error").hidden = true;
  const buttons = document.querySelectorAll("button");
  const focused = document.activeElement;
  buttons.forEach((button) => { button.disabled = true; });
  try {
    await work();
  } catch (fault) {
    part("result").hidden = state.result === null || fault.column !== undefined;
    tell(fault);
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
    state.isBusy = false;
    // A button that was disabled has lost the focus.
    if (document.activeElement === document.body) focused?.focus({ preventScroll: true });
  }
}

function tell(fault) {
  if (fault.status === 401) {
    part("key-form").hidden = false;
    if (sessionStorage.length === 0) return part("key").focus();
  }
  // Rows are counted from 0 by the service, and from 1 here.
  const at = fault.row > 0 ? `Row ${fault.row + 1}: ` : "";
  part("error").textContent = at + fault.message.replace(` of row ${fault.row}`, "");
  part("error").hidden = false;
  const own = fault.column && fault.row === 0 ? field(fault.column) : null;
  own?.setAttribute("aria-invalid", "true");
  (own ?? part("error")).focus();
}

function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const RESULTS = ["prediction", "lower", "upper", "out_of_domain", "columns_at_fault"];
const results = (own) => [own.prediction, own.lower, own.upper, own.out_of_domain, own.columns_at_fault.join(" ")];

part("row-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = part("paste").value;
  attempt(async () => {
    if (text.trim() === "") return predictRow();
    await taken(text);
    part("paste").value = "";
  });
});
part("paste").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) part("row-form").requestSubmit();
});
part("example").addEventListener("click", () => {
  state.model.columns.forEach((column) => set(column.name, column.median));
});
part("clear").addEventListener("click", () => {
  names().forEach((name) => set(name, ""));
  for (const id of ["result", "table", "error"]) part(id).hidden = true;
  Object.assign(state, { result: null, table: null });
  part("paste").value = "";
  part("paste").focus();
});
part("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  service.useKey(part("key").value.trim());
  attempt(start);
});
part("download-row").addEventListener("click", () => {
  const { record, answer } = state.result;
  download("prediction.csv", csv([[...names(), ...RESULTS], [...names().map((name) => record[name] ?? ""), ...results(answer)]]));
});
part("download-table").addEventListener("click", () => {
  const { table, predictions } = state.table;
  download("predictions.csv", csv([[...table.names, ...RESULTS], ...table.rows.map((row, index) => [...row, ...results(predictions[index])])]));
});
part("file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (file) attempt(async () => taken(await file.text()));
  event.target.value = "";
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  const [file] = event.dataTransfer.files;
  if (file) attempt(async () => taken(await file.text()));
});
window.addEventListener("resize", () => {
  if (state.result && !part("result").hidden) drawResult(state.model, state.result.answer);
  if (state.table && !part("table").hidden) drawTable(state.model, state.table.predictions);
});

attempt(start);
