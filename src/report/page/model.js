"use strict";
// The model of the report as a graph of operators, as `massay export` writes it, and what runs it.
// An interpreter instead of an ONNX runtime: that would be some megabytes to fetch, and this page must
// work from a folder without a network.
const massay = {};

(() => {
  // A tensor is { dims, data }. The class of `data` is its type, so a step in single precision rounds as
  // the program does: on a known row, nearest neighbours need a distance of 0 to the last bit.
  const TYPES = { float: Float32Array, double: Float64Array, int64: Int32Array, uint8: Uint8Array };
  // Numbers of ONNX for the types that casts ask for.
  const CAST_TYPES = { 1: Float32Array, 6: Int32Array, 7: Int32Array, 11: Float64Array };

  function bytesOf(base64) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }

  /** Numbers of `bits` bits each, one after the other, times the scale of their block. */
  function unpacked({ dims, bits, block, scales, packed }) {
    const bytes = bytesOf(packed);
    const scale = new Float32Array(bytesOf(scales).buffer);
    const numbers = new Float32Array(sizeOf(dims));
    const mask = 2 ** bits - 1;
    const middle = 2 ** (bits - 1);
    for (let i = 0; i < numbers.length; i++) {
      const start = i * bits;
      const first = start >>> 3;
      // A number of up to 25 bits lies in four bytes; past the end there are zeros.
      const low = bytes[first] | (bytes[first + 1] << 8);
      const window = low | (bytes[first + 2] << 16) | (bytes[first + 3] << 24);
      numbers[i] = (((window >>> (start & 7)) & mask) - middle) * scale[Math.floor(i / block)];
    }
    return numbers;
  }

  // JSON has no word for these.
  const numberOf = (value) => ({ inf: Infinity, "-inf": -Infinity, nan: NaN })[value] ?? value;

  /** Whole numbers of which each is given less the one before it. */
  function summed(steps) {
    let sum = 0;
    return steps.map((step) => (sum += step));
  }

  function decoded(constant) {
    const { type, dims, values, raw } = constant;
    if (constant.packed !== undefined) return { dims, data: unpacked(constant) };
    if (constant.single !== undefined) return { dims, data: TYPES[type].from(new Float32Array(bytesOf(constant.single).buffer)) };
    if (constant.steps !== undefined) return { dims, data: summed(new Int32Array(bytesOf(constant.steps).buffer)) };
    if (raw !== undefined) return { dims, data: new TYPES[type](bytesOf(raw).buffer) };
    return { dims, data: TYPES[type].from(values, numberOf) };
  }

  // Shapes

  const sizeOf = (dims) => dims.reduce((size, length) => size * length, 1);
  const positive = (axis, rank) => (axis < 0 ? axis + rank : axis);
  const stridesOf = (dims) => dims.map((_, axis) => sizeOf(dims.slice(axis + 1)));

  /** How an axis cuts a tensor: `outer` times `length` times `inner` numbers. */
  function cut(dims, axis) {
    const at = positive(axis, dims.length);
    return { at, outer: sizeOf(dims.slice(0, at)), length: dims[at], inner: sizeOf(dims.slice(at + 1)) };
  }

  const replaced = (dims, at, ...lengths) => [...dims.slice(0, at), ...lengths, ...dims.slice(at + 1)];

  /** The shape that all shapes are stretched to. */
  function common(shapes) {
    const rank = Math.max(...shapes.map((dims) => dims.length));
    return Array.from({ length: rank }, (_, axis) => {
      const lengths = shapes.map((dims) => dims[dims.length - rank + axis] ?? 1);
      const length = lengths.find((own) => own !== 1) ?? 1;
      if (lengths.some((own) => own !== 1 && own !== length)) throw new Error("shapes do not fit");
      return length;
    });
  }

  /** The numbers met on a walk over `dims`, where a step along an axis moves by its stride. */
  function walked(data, dims, strides) {
    const found = new data.constructor(sizeOf(dims));
    const steps = new Int32Array(dims.length);
    let from = 0;
    for (let i = 0; i < found.length; i++) {
      found[i] = data[from];
      for (let axis = dims.length - 1; axis >= 0; axis--) {
        from += strides[axis];
        if (++steps[axis] < dims[axis]) break;
        from -= strides[axis] * dims[axis];
        steps[axis] = 0;
      }
    }
    return found;
  }

  /** The numbers of a tensor stretched to `target`. */
  function stretched({ dims, data }, target) {
    const size = sizeOf(target);
    if (data.length === size) return data;
    if (data.length === 1) return new data.constructor(size).fill(data[0]);
    const lead = target.length - dims.length;
    const own = stridesOf(dims);
    const strides = target.map((_, axis) => (axis < lead || dims[axis - lead] === 1 ? 0 : own[axis - lead]));
    return walked(data, target, strides);
  }

  // Operators on each number

  const unary = (apply, Type) => ([x]) => {
    const data = new (Type ?? x.data.constructor)(x.data.length);
    for (let i = 0; i < data.length; i++) data[i] = apply(x.data[i]);
    return { dims: x.dims, data };
  };

  const binary = (apply, Type) => ([left, right]) => {
    const dims = common([left.dims, right.dims]);
    const [a, b] = [stretched(left, dims), stretched(right, dims)];
    const data = new (Type ?? left.data.constructor)(a.length);
    for (let i = 0; i < data.length; i++) data[i] = apply(a[i], b[i]);
    return { dims, data };
  };

  /** An operator of two that takes any number of inputs. */
  const folded = (apply) => (inputs) => inputs.reduce((left, right) => binary(apply)([left, right]));
  const [largest, smallest] = [folded(Math.max), folded(Math.min)];

  function where([condition, yes, no]) {
    const dims = common([condition.dims, yes.dims, no.dims]);
    const [test, a, b] = [condition, yes, no].map((input) => stretched(input, dims));
    const data = new yes.data.constructor(test.length);
    for (let i = 0; i < data.length; i++) data[i] = test[i] ? a[i] : b[i];
    return { dims, data };
  }

  /** The error function by a series without cancellation (Abramowitz and Stegun, 1964, 7.1.6). */
  function erf(x) {
    if (Math.abs(x) > 6) return Math.sign(x);
    let [term, sum] = [x, x];
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }

  const cast = ([x], { to }) => ({ dims: x.dims, data: CAST_TYPES[to].from(x.data) });

  // Operators along an axis

  /** Calls `visit` with the places of each line of numbers along an axis, and the number of the line. */
  function eachLine(dims, axis, visit) {
    const { outer, length, inner } = cut(dims, axis);
    const places = new Int32Array(length);
    for (let line = 0; line < outer * inner; line++) {
      const start = Math.floor(line / inner) * length * inner + (line % inner);
      for (let k = 0; k < length; k++) places[k] = start + k * inner;
      visit(places, line);
    }
  }

  /** One number for each line along an axis, which stays with length 1. */
  function perLine({ dims }, axis, Type, answer) {
    const { at, outer, inner } = cut(dims, axis);
    const data = new Type(outer * inner);
    eachLine(dims, axis, (places, line) => (data[line] = answer(places)));
    return { dims: replaced(dims, at, 1), data };
  }

  const reduction = (start, apply, isMean) => ([x, axesInput], { axes, keepdims = 1 }) => {
    const given = axesInput ? [...axesInput.data] : axes ?? x.dims.map((_, axis) => axis);
    const over = given.map((axis) => positive(axis, x.dims.length));
    const along = (value, axis) => perLine(value, axis, x.data.constructor, (places) => {
      return places.reduce((total, place) => apply(total, value.data[place]), start);
    });
    let result = over.reduce(along, x);
    const count = sizeOf(over.map((axis) => x.dims[axis]));
    if (isMean) result = unary((sum) => sum / count)([result]);
    return keepdims ? result : { dims: x.dims.filter((_, axis) => !over.includes(axis)), data: result.data };
  };

  function argMax([x], { axis = 0, keepdims = 1 }) {
    const first = (best, place, k, places) => (x.data[place] > x.data[places[best]] ? k : best);
    const { dims, data } = perLine(x, axis, Int32Array, (places) => places.reduce(first, 0));
    return { dims: keepdims ? dims : replaced(dims, positive(axis, dims.length)), data };
  }

  function cumulativeSum([x, axis]) {
    const data = x.data.slice();
    eachLine(x.dims, axis.data[0], (places) => {
      for (let k = 1; k < places.length; k++) data[places[k]] += data[places[k - 1]];
    });
    return { dims: x.dims, data };
  }

  /** The first numbers of each line in order; of equal ones the first stays first. */
  function topK([x, count], { axis = -1, largest: isFalling = 1 }) {
    const kept = count.data[0];
    const { at, inner } = cut(x.dims, axis);
    const dims = replaced(x.dims, at, kept);
    const values = new x.data.constructor(sizeOf(dims));
    const order = new Int32Array(values.length);
    const sign = isFalling ? -1 : 1;
    eachLine(x.dims, axis, (places, line) => {
      const key = Float64Array.from(places, (place) => sign * x.data[place]);
      const ranks = Int32Array.from(key.keys()).sort((a, b) => key[a] - key[b] || a - b);
      const start = Math.floor(line / inner) * kept * inner + (line % inner);
      for (let k = 0; k < kept; k++) {
        values[start + k * inner] = x.data[places[ranks[k]]];
        order[start + k * inner] = ranks[k];
      }
    });
    return [{ dims, data: values }, { dims, data: order }];
  }

  function gather([x, places], { axis = 0 }) {
    const { at, outer, length, inner } = cut(x.dims, axis);
    const count = places.data.length;
    const data = new x.data.constructor(outer * count * inner);
    for (let i = 0; i < outer * count; i++) {
      const from = (Math.floor(i / count) * length + positive(places.data[i % count], length)) * inner;
      for (let k = 0; k < inner; k++) data[i * inner + k] = x.data[from + k];
    }
    return { dims: replaced(x.dims, at, ...places.dims), data };
  }

  /** The shapes may differ along `axis` only. */
  function gatherElements([x, places], { axis = 0 }) {
    const { at, length, inner } = cut(x.dims, axis);
    const block = places.dims[at] * inner;
    const data = new x.data.constructor(places.data.length);
    for (let i = 0; i < data.length; i++) {
      const place = Math.floor(i / block) * length + positive(places.data[i], length);
      data[i] = x.data[place * inner + (i % inner)];
    }
    return { dims: places.dims, data };
  }

  function concat(inputs, { axis }) {
    const { at, outer, inner } = cut(inputs[0].dims, axis);
    const total = inputs.reduce((sum, input) => sum + input.dims[at], 0);
    const data = new inputs[0].data.constructor(outer * total * inner);
    let to = 0;
    for (let i = 0; i < outer; i++) {
      for (const input of inputs) {
        const size = input.dims[at] * inner;
        data.set(input.data.subarray(i * size, (i + 1) * size), to);
        to += size;
      }
    }
    return { dims: replaced(inputs[0].dims, at, total), data };
  }

  // Operators on shapes

  function reshape([x, shape]) {
    const dims = Array.from(shape.data, (length, axis) => (length === 0 ? x.dims[axis] : length));
    const open = dims.indexOf(-1);
    if (open >= 0) dims[open] = x.data.length / -sizeOf(dims);
    return { dims, data: x.data };
  }

  function unsqueeze([x, axes]) {
    const rank = x.dims.length + axes.data.length;
    const added = Array.from(axes.data, (axis) => positive(axis, rank));
    const rest = x.dims.values();
    const dims = Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : rest.next().value));
    return { dims, data: x.data };
  }

  function transpose([x], { perm = x.dims.map((_, axis) => axis).reverse() }) {
    const strides = stridesOf(x.dims);
    const data = walked(x.data, perm.map((axis) => x.dims[axis]), perm.map((axis) => strides[axis]));
    return { dims: perm.map((axis) => x.dims[axis]), data };
  }

  function pad([x, pads, filler]) {
    const rank = x.dims.length;
    const dims = x.dims.map((length, axis) => length + pads.data[axis] + pads.data[rank + axis]);
    const data = new x.data.constructor(sizeOf(dims)).fill(filler ? filler.data[0] : 0);
    const [from, to] = [stridesOf(x.dims), stridesOf(dims)];
    x.data.forEach((value, i) => {
      const step = (axis) => (Math.floor(i / from[axis]) % x.dims[axis]) + pads.data[axis];
      data[to.reduce((place, stride, axis) => place + step(axis) * stride, 0)] = value;
    });
    return { dims, data };
  }

  // Matrices and trees

  function matMul([left, right]) {
    const [n, depth] = left.dims.slice(-2);
    const m = right.dims[right.dims.length - 1];
    const outers = [left, right].map((input) => input.dims.slice(0, -2));
    const batch = common(outers);
    const [leftAt, rightAt] = outers.map((dims) => {
      return stretched({ dims, data: Int32Array.from({ length: sizeOf(dims) }, (_, i) => i) }, batch);
    });
    const data = new left.data.constructor(sizeOf(batch) * n * m);
    const sums = new Float64Array(m);
    for (let i = 0; i < leftAt.length * n; i++) {
      const matrix = Math.floor(i / n);
      const row = (leftAt[matrix] * n + (i % n)) * depth;
      addRows(sums.fill(0), left.data.subarray(row, row + depth), right.data, rightAt[matrix] * depth * m);
      data.set(sums, i * m);
    }
    return { dims: [...batch, n, m], data };
  }

  /** Adds to `sums` the rows of a matrix from `start` on, each times its factor. */
  function addRows(sums, factors, matrix, start) {
    const width = sums.length;
    let row = 0;
    // Four rows at once: the sums are read and written a quarter as often, which halves the time.
    for (; row + 4 <= factors.length; row += 4) {
      const [a, b, c, d] = factors.subarray(row, row + 4);
      let first = start + row * width;
      for (let column = 0; column < width; column++, first++) {
        sums[column] += a * matrix[first] + b * matrix[first + width]
          + c * matrix[first + 2 * width] + d * matrix[first + 3 * width];
      }
    }
    for (; row < factors.length; row++) {
      const [factor, first] = [factors[row], start + row * width];
      for (let column = 0; column < width; column++) sums[column] += factor * matrix[first + column];
    }
  }

  /** The trees with places in the lists instead of numbers within a tree; those count from 0. */
  function forest(attributes) {
    // Short lists stand as they are, as axes do; long ones were decoded.
    const list = (name) => attributes[name].data ?? attributes[name];
    const trees = list("nodes_treeids");
    const roots = Array.from(trees.keys()).filter((i) => i === 0 || trees[i] !== trees[i - 1]);
    const rootOf = new Map(roots.map((root) => [trees[root], root]));
    const placed = (nodes, owners) => Int32Array.from(nodes, (node, i) => rootOf.get(owners[i]) + node);
    const leaves = placed(list("target_nodeids"), list("target_treeids"));
    const weights = new Float64Array(trees.length);
    list("target_weights_as_tensor").forEach((weight, i) => (weights[leaves[i]] = weight));
    const [yes, no] = ["nodes_truenodeids", "nodes_falsenodeids"].map((name) => placed(list(name), trees));
    const [features, thresholds] = [list("nodes_featureids"), list("nodes_values_as_tensor")];
    return { roots, weights, isLeaf: list("nodes_modes"), features, thresholds, yes, no };
  }

  function treeSums([x], { roots, weights, isLeaf, features, thresholds, yes, no }) {
    const [rows, columns] = x.dims;
    const leafOf = (root, row) => {
      let node = root;
      while (!isLeaf[node]) {
        node = x.data[row * columns + features[node]] <= thresholds[node] ? yes[node] : no[node];
      }
      return node;
    };
    const sum = (_, row) => roots.reduce((total, root) => total + weights[leafOf(root, row)], 0);
    return { dims: [rows, 1], data: Float64Array.from({ length: rows }, sum) };
  }

  const operators = {
    Abs: unary(Math.abs), Cos: unary(Math.cos), Erf: unary(erf), Exp: unary(Math.exp), Log: unary(Math.log),
    Neg: unary((x) => -x), Relu: unary((x) => Math.max(x, 0)), Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
    Sign: unary(Math.sign), Sqrt: unary(Math.sqrt), Tanh: unary(Math.tanh), Identity: ([x]) => x, Cast: cast,
    Add: binary((a, b) => a + b), Sub: binary((a, b) => a - b),
    Mul: binary((a, b) => a * b), Div: binary((a, b) => a / b),
    Max: largest, Min: smallest, Clip: ([x, low, high]) => smallest([largest([x, low]), high]), Where: where,
    IsNaN: unary(Number.isNaN, Uint8Array), IsInf: unary((x) => Math.abs(x) === Infinity, Uint8Array),
    Less: binary((a, b) => a < b, Uint8Array), LessOrEqual: binary((a, b) => a <= b, Uint8Array),
    Greater: binary((a, b) => a > b, Uint8Array), GreaterOrEqual: binary((a, b) => a >= b, Uint8Array),
    Equal: binary((a, b) => a === b, Uint8Array),
    ReduceSum: reduction(0, (a, b) => a + b), ReduceMean: reduction(0, (a, b) => a + b, true),
    ReduceMax: reduction(-Infinity, Math.max), ReduceMin: reduction(Infinity, Math.min),
    ArgMax: argMax, CumSum: cumulativeSum, TopK: topK, Gather: gather, GatherElements: gatherElements,
    Concat: concat, Reshape: reshape, Unsqueeze: unsqueeze, Transpose: transpose, Pad: pad,
    MatMul: matMul, TreeEnsembleRegressor: treeSums,
  };

  // The graph

  /** A step of the graph, ready to run. */
  function prepared([name, inputs, outputs, attributes]) {
    const run = operators[name];
    if (!run) throw new Error(`the operator ${name} is not known here`);
    const pairs = Object.entries(attributes).map(([key, value]) => [key, value.dims ? decoded(value) : value]);
    const ready = Object.fromEntries(pairs);
    return { run, inputs, outputs, attributes: name === "TreeEnsembleRegressor" ? forest(ready) : ready };
  }

  function runStep({ run, inputs, outputs, attributes }, values) {
    const results = run(inputs.map((name) => values.get(name)), attributes);
    [results].flat().forEach((result, i) => values.set(outputs[i], result));
  }

  /** The answers of the graph for a table of raw rows. */
  function predictions(steps, constants, width, rows) {
    const data = Float64Array.from(ArrayBuffer.isView(rows) ? rows : rows.flatMap((row) => [...row]));
    const values = new Map(constants);
    values.set("inputs", { dims: [data.length / width, width], data });
    steps.forEach((step) => runStep(step, values));
    const [prediction, lower, upper] = ["prediction", "lower", "upper"].map((name) => values.get(name).data);
    return Array.from(prediction, (value, i) => ({ prediction: value, lower: lower[i], upper: upper[i] }));
  }

  /** The model of a page; `predict` takes a list of rows, or all their numbers in one typed array. */
  massay.model = ({ columns, steps, constants }) => {
    const known = new Map(Object.entries(constants).map(([name, constant]) => [name, decoded(constant)]));
    const ready = steps.map(prepared);
    return { columns, predict: (rows) => predictions(ready, known, columns.length, rows) };
  };
})();
