"use strict";
// Violins of the errors, parity, and the entries with the largest errors, for one quantity. Without a reference, errors
// are differences from a potential that the reader chooses.

softmode.SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "star", "triangle-down", "hexagon", "x"];
// with fewer entries each is drawn as a point, with more only those far out; the axis shows the middle 98 %
const ALL_POINTS_UP_TO = 400;
const WHOLE_RANGE_UP_TO = 60;
const LISTED = 20;
// with more points than this they are drawn by the graphics card
const SVG_POINTS_UP_TO = 5000;

softmode.views.compare = async (key) => {
  const data = await softmode.campaign();
  const select = document.getElementById("quantity");
  const whole = document.getElementById("whole-range");
  if (!select.options.length) {
    // a data set may have no energies
    const based = (one) => data.sources.slice(0, data.hasReference ? 1 : undefined)
      .some((source) => (one.values[source.key] ?? []).some((value) => value !== null));
    for (const quantity of data.sources.length > 1 ? data.quantities.filter(based) : []) {
      select.append(softmode.element("option", { value: quantity.key }, `${quantity.name} (${quantity.unit})`));
    }
    if (!select.options.length) {
      document.getElementById("comparison").hidden = true;
      throw new Error(data.hasReference
        ? "There is nothing to compare: no entry of this campaign has a reference."
        : "There is nothing to compare: this campaign has no reference, and one potential.");
    }
    const choice = document.getElementById("base");
    if (choice) {
      choice.append(...data.sources.map((source) => softmode.element("option", { value: source.key }, source.label)));
      choice.addEventListener("change", () => softmode.route());
    }
    select.addEventListener("change", () => { location.hash = `#compare/${select.value}`; });
    whole.addEventListener("change", () => softmode.route());
  }
  const quantity = data.quantities.find((one) => one.key === key)
    || data.quantities.find((one) => one.key === "omega_max");
  select.value = quantity.key;
  const keyOfBase = document.getElementById("base")?.value ?? "reference";
  const base = data.sources.find((source) => source.key === keyOfBase);
  const view = { data, quantity, base, others: data.sources.filter((source) => source !== base),
    errors: data.hasReference ? "errors" : "differences" };
  const errors = view.others.map((potential) => errorsOf(view, potential.key));
  listLargest(view, errors);
  const Plotly = await softmode.plotly();
  if (select.value !== quantity.key || softmode.shown !== "compare") return;
  drawViolins(Plotly, view, errors, whole.checked);
  drawParity(Plotly, view);
};

/** Return position and error of each entry that has one. */
function errorsOf({ quantity, base }, potential) {
  const reference = quantity.values[base.key] || [];
  const values = quantity.values[potential] || [];
  const found = [];
  values.forEach((value, position) => {
    if (value !== null && (reference[position] ?? null) !== null) found.push({ position, error: value - reference[position] });
  });
  return found;
}

function label(data, position) {
  return softmode.plain(`${data.entries.formula[position]} (${data.entries.id[position]})`);
}

/** Return a name in two lines where it is long. */
function wrapped(text) {
  return softmode.plain(text).replace(/ (?=\()|(?<=\S{6}) /g, "<br>");
}

function drawViolins(Plotly, { data, quantity, base, others, errors: words }, errors, whole) {
  const largest = Math.max(0, ...errors.map((found) => found.length));
  const points = largest <= ALL_POINTS_UP_TO ? "all" : "outliers";
  const traces = others.map((potential, index) => {
    const found = errors[index];
    const name = `${wrapped(potential.label)}<br>n = ${found.length}`;
    return {
      type: "violin",
      name,
      x: found.map(() => name),
      y: found.map((one) => one.error),
      customdata: found.map((one) => one.position),
      text: found.map((one) => label(data, one.position)),
      points,
      pointpos: 0,
      jitter: 0.5,
      marker: { size: 5, color: potential.colour, opacity: 0.75, line: { width: 0.5, color: softmode.colour("--paper") } },
      line: { color: potential.colour, width: 1.5 },
      fillcolor: `${potential.colour}33`,
      box: { visible: true, width: 0.12, fillcolor: softmode.colour("--paper") },
      meanline: { visible: true },
      spanmode: "hard",
      scalemode: "width",
      width: 0.8,
      hoveron: "points",
      hovertemplate: `%{text}<br>${words.slice(0, -1)} %{y:.4g} ${quantity.unit}<extra></extra>`,
    };
  });
  const range = shownRange(errors.flat().map((one) => one.error), whole);
  const beyond = errors.flat().filter((one) => range && (one.error < range[0] || one.error > range[1])).length;
  document.getElementById("violins-title").textContent =
    `${words[0].toUpperCase()}${words.slice(1)} of the ${quantity.name}${data.hasReference ? "" : `, against ${base.label}`}`;
  document.getElementById("violins-note").textContent =
    "The box holds the middle half, with the median as a line; the mean is dashed. n: entries behind a violin. " +
    (points === "outliers" ? "Only points far out are drawn. " : "") +
    (beyond ? `${beyond} ${words} are beyond the axis.` : "");
  const layout = {
    ...softmode.layout(),
    height: 430,
    margin: { l: 70, r: 10, t: 10, b: 60 },
    xaxis: softmode.axis("", {
      type: "category", categoryarray: traces.map((trace) => trace.name), categoryorder: "array", showgrid: false,
      range: [-0.5, traces.length - 0.5],
    }),
    yaxis: softmode.axis(`${words.slice(0, -1)} of ${softmode.symbol(quantity.symbol)} (${quantity.unit})`, range ? { range } : {}),
    shapes: [softmode.zeroLine()],
  };
  draw(Plotly, "violins", traces, layout);
}

/** Return the range of an axis that a few extreme errors do not flatten. */
function shownRange(errors, whole) {
  if (!errors.length) return null;
  const sorted = [...errors].sort((one, other) => one - other);
  const trimmed = !whole && sorted.length > WHOLE_RANGE_UP_TO;
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  let [low, high] = trimmed ? [at(0.01), at(0.99)] : [at(0), at(1)];
  const margin = 0.1 * Math.max(high - low, 1e-6);
  return [Math.min(low, 0) - margin, Math.max(high, 0) + margin];
}

function drawParity(Plotly, view) {
  const { data, quantity, base, others } = view;
  const reference = quantity.values[base.key] || [];
  const all = [];
  const counts = others.map((potential) => errorsOf(view, potential.key).length);
  const many = counts.reduce((sum, count) => sum + count, 0) > SVG_POINTS_UP_TO;
  const traces = others.map((potential, index) => {
    const values = quantity.values[potential.key] || [];
    const found = errorsOf(view, potential.key).map((one) => one.position);
    all.push(...found.map((position) => reference[position]), ...found.map((position) => values[position]));
    return {
      type: many ? "scattergl" : "scatter",
      mode: "markers",
      name: softmode.plain(potential.label),
      x: found.map((position) => reference[position]),
      y: found.map((position) => values[position]),
      customdata: found,
      text: found.map((position) => label(data, position)),
      marker: {
        size: many ? 4 : 7, color: potential.colour, symbol: softmode.SYMBOLS[index % softmode.SYMBOLS.length],
        opacity: many ? 0.5 : 0.8, line: { width: many ? 0 : 0.5, color: softmode.colour("--paper") },
      },
      hovertemplate: `%{text}<br>${softmode.plain(base.label)} %{x:.5g}, %{fullData.name} %{y:.5g} ${quantity.unit}<extra></extra>`,
    };
  });
  const [low, high] = all.length ? extent(all) : [0, 1];
  const margin = 0.03 * (high - low) || 1;
  const range = [low - margin, high + margin];
  document.getElementById("parity-title").textContent = `Parity of the ${quantity.name}`;
  const symbol = softmode.symbol(quantity.symbol);
  const layout = {
    ...softmode.layout(),
    showlegend: true,
    height: 520,
    margin: { l: 70, r: 10, t: 10, b: 50 },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
    xaxis: softmode.axis(`${symbol} of ${data.hasReference ? "the reference, " : ""}${softmode.plain(base.label)} (${quantity.unit})`, { range }),
    yaxis: softmode.axis(`${symbol} of the potential (${quantity.unit})`, { range }),
    shapes: [{ type: "line", x0: range[0], x1: range[1], y0: range[0], y1: range[1], line: { color: softmode.colour("--muted"), width: 1 }, layer: "below" }],
  };
  draw(Plotly, "parity", traces, layout);
}

function extent(values) {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

function draw(Plotly, id, traces, layout) {
  const plot = document.getElementById(id);
  Plotly.react(plot, traces, layout, softmode.CONFIG);
  if (plot.dataset.clickable) return;
  plot.dataset.clickable = "yes";
  plot.on("plotly_click", ({ points }) => {
    const position = points.map((point) => point.customdata).find((found) => Number.isInteger(found));
    if (position !== undefined) softmode.openEntry(position);
  });
}

function listLargest({ data, quantity, base, others, errors: words }, errors) {
  const { element } = softmode;
  const byEntry = new Map();
  errors.forEach((found, index) => found.forEach(({ position, error }) => {
    if (!byEntry.has(position)) byEntry.set(position, []);
    byEntry.get(position)[index] = error;
  }));
  const size = (of) => Math.max(...of.filter((error) => error !== undefined).map(Math.abs));
  const rows = [...byEntry].sort(([, one], [, other]) => size(other) - size(one)).slice(0, LISTED);
  const header = element("tr", {},
    element("th", {}, "entry"), element("th", {}, "formula"),
    element("th", { class: "number" }, `${base.label} (the value itself)`),
    others.map((potential) => element("th", { class: "number" }, softmode.sourceName(potential))));
  const lines = rows.map(([position, of]) => element("tr", {},
    element("td", {}, element("a", { href: softmode.entryLink(position) }, data.entries.id[position])),
    element("td", {}, softmode.formula(data.entries.formula[position])),
    element("td", { class: "number" }, softmode.short(quantity.values[base.key][position])),
    others.map((_, index) => element("td", { class: "number" }, softmode.short(of[index] ?? null)))));
  document.getElementById("largest-title").textContent = `Largest ${words} of the ${quantity.name} (${quantity.unit})`;
  const table = document.getElementById("largest");
  table.replaceChildren(element("thead", {}, header), element("tbody", {}, lines));
  softmode.makeSortable(table);
}
