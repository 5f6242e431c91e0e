// What the page asks the service.

/** Rows of one request: the service takes no more than it is told to, 20,000 unless changed. */
const CHUNK = 5000;

const KEY = "massay-key";

/** A fault that the service tells of, or that there is no service. */
export class Fault extends Error {
  constructor(status, error) {
    super([error.message, error.hint].filter(Boolean).join("\n"));
    Object.assign(this, { status, row: error.row, column: error.column });
  }
}

/** Keeps the key for as long as the tab is open. */
export function useKey(key) {
  sessionStorage.setItem(KEY, key);
}

async function ask(path, body) {
  const key = sessionStorage.getItem(KEY);
  const headers = key ? { "X-API-Key": key } : {};
  const request = body === undefined
    ? { headers }
    : { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(path, request).catch(() => {
    throw new Fault(0, { message: "The service does not answer.", hint: "Is it still running? Try again." });
  });
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new Fault(answer.status, value.error ?? { message: `The service answers with status ${answer.status}.` });
  }
  return value;
}

export const model = () => ask("/model");
export const explain = (record) => ask("/explain", record);

/** Predictions of many rows, part by part; `onProgress` hears how many are done. */
export async function predict(records, onProgress) {
  const predictions = [];
  const versions = new Set();
  for (let start = 0; start < records.length; start += CHUNK) {
    const part = await ask("/predict", records.slice(start, start + CHUNK)).catch((fault) => {
      fault.row = fault.row === undefined ? undefined : fault.row + start;
      throw fault;
    });
    predictions.push(...part.predictions);
    versions.add(part.model_version);
    onProgress(predictions.length);
  }
  return { predictions, versions: [...versions] };
}
