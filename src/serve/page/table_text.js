// From pasted or dropped text to rows.

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** What a cell says: a number, nothing, or a text that is none. */
export function cellValue(cell) {
  const text = cell.trim();
  if (text === "") return null;
  const number = NUMBER.test(text) ? Number(text) : NaN;
  return Number.isFinite(number) ? number : text;
}

/** A cell with a decimal comma as one with a point; `1,139` could be a thousand and stays as it is. */
export function pointed(cell) {
  return /,\d{3}\s*$/.test(cell) ? cell : cell.replace(/^(\s*[-+]?\d+),(\d+(e[-+]?\d+)?\s*)$/i, "$1.$2");
}

/** The separator of a text, from its first line. */
function separatorOf(text) {
  const line = text.slice(0, text.search(/[\r\n]|$/));
  return ["\t", ";", ","].find((own) => line.includes(own)) ?? " ";
}

/** The cells of each line; quoted cells may hold anything. */
function cellsOf(text, separator) {
  if (separator === " ") {
    return text.trim().split(/\r?\n/).map((line) => line.trim().split(/\s+/));
  }
  const rows = [[]];
  let cell = "", quoted = false;
  const end = () => { rows.at(-1).push(cell); cell = ""; };
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[at + 1] === '"') { cell += '"'; at += 1; }
      else quoted = false;
    } else if (letter === '"' && cell === "") quoted = true;
    else if (letter === separator) end();
    else if (letter === "\n") { end(); rows.push([]); }
    else if (letter !== "\r") cell += letter;
  }
  end();
  return rows.filter((row) => row.length > 1 || row[0].trim() !== "");
}

/** Rows with their column names; plain numbers take the names in `columns`. */
export function parse(text, columns) {
  const clean = text.replace(/^\uFEFF/, "");
  const separator = separatorOf(clean.trimStart());
  let rows = cellsOf(clean.replace(/^\s*\n/, ""), separator);
  if (separator !== ",") {
    rows = rows.map((row) => row.map(pointed));
  }
  if (rows.length === 0) throw new Error("There is nothing in it.");
  const first = rows[0].map((cell) => cell.trim());
  const hasNames = first.some((cell) => columns.includes(cell)) || first.every((cell) => typeof cellValue(cell) === "string");
  if (hasNames) return named(first, rows.slice(1));
  const count = first.length;
  if (count !== columns.length) {
    throw new Error(`Found ${count} ${count === 1 ? "value" : "values"} in the first line, expected ${columns.length}, or a line of column names.`);
  }
  return named(columns, rows);
}

function named(names, rows) {
  if (rows.length === 0) throw new Error("There are column names but no row.");
  const twice = names.find((name, place) => name !== "" && names.indexOf(name) !== place);
  if (twice !== undefined) throw new Error(`The column ${twice} is there more than once.`);
  const ragged = rows.findIndex((row) => row.length !== names.length);
  if (ragged >= 0) {
    throw new Error(`Row ${ragged + 1} has ${rows[ragged].length} values, expected ${names.length}.`);
  }
  return { names, rows };
}

/** The rows as the service takes them: an object with the values of `columns`. */
export function records(table, columns) {
  const places = columns.map((name) => [name, table.names.indexOf(name)]).filter(([, place]) => place >= 0);
  return table.rows.map((row) => Object.fromEntries(places.map(([name, place]) => [name, cellValue(row[place])])));
}

/** Rows as the text of a CSV. */
export function csv(rows) {
  const quoted = (cell) => /[",\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : String(cell);
  return rows.map((row) => row.map(quoted).join(",")).join("\n") + "\n";
}
