"use strict";
// The section of an entry: the optical modes at Γ of all sources as line spectra, and which is which.

// colour, line and mark of each kind of activity; the colours are those of the figure, as far as they are seen on black
const ACTIVITIES = [
  { name: "infrared", colour: "#d55e00", dash: "solid", symbol: "circle" },
  { name: "Raman", colour: "#2b8fd0", dash: "dash", symbol: "diamond" },
  { name: "infrared and Raman", colour: "#b0418e", dash: "dashdot", symbol: "square" },
  { name: "neither", colour: "#8a949e", dash: "dot", symbol: "x-thin-open" },
];
const PER_CM = 33.3564095; // of 1 THz, as in units.js
// heights of sticks, in parts of the distance between two sources: the strongest line, the least that can be seen, and
// lines whose intensity nobody knows
const [STRONGEST, WEAKEST, UNKNOWN] = [0.82, 0.05, 0.3];

softmode.sections.spectroscopy = (data, { lines, assigned }) => {
  const { element } = softmode;
  const sources = data.sources.filter((source) => lines[source.key]);
  const largest = Math.max(...sources.flatMap((source) => lines[source.key].intensity ?? [0]));
  const plot = element("div", { id: "spectrum", class: "plot", role: "img", "aria-labelledby": "spectrum-title" });
  const place = element("div", { class: "scroll" });
  const heights = largest > 0
    ? "Heights: infrared intensities with the reference's Born charges; lines that are not infrared active have one height."
    : "All lines have one height: without Born charges, intensities are not known.";
  const nodes = [
    element("h3", { id: "spectrum-title" }, "Optical modes at Γ: infrared and Raman"),
    element("p", { class: "small" }, `Transverse modes, without LO–TO splitting, active by symmetry. ${heights} Click a line, or a number of the table, to see how the atoms move.`),
    plot, place,
  ];
  return {
    nodes,
    draw(Plotly, { sources: chosen, marked, animate }) {
      const shown = sources.filter((source) => chosen.includes(source));
      const choose = (key, index) => animate(key, lines[key].band[index], lines[key].per_cm[index] / PER_CM);
      drawSticks(Plotly, plot, { shown, lines, largest, marked, choose });
      if (lines.reference) place.replaceChildren(modeTable(sources, { lines, assigned, choose }));
    },
  };
};

function drawSticks(Plotly, plot, { shown, lines, largest, marked, choose }) {
  const traces = ACTIVITIES.flatMap(({ name, colour, dash, symbol }, kind) => {
    const stick = { type: "scatter", mode: "lines", name, x: [], y: [], line: { color: colour, dash, width: 2 }, hoverinfo: "skip" };
    const head = {
      type: "scatter", mode: "markers", name, x: [], y: [], text: [], customdata: [], showlegend: false,
      marker: { symbol, color: colour, size: 8, line: { color: colour, width: symbol.endsWith("open") ? 2 : 0 } },
      hovertemplate: "%{text}<br>click: animate<extra></extra>",
    };
    shown.forEach((source, row) => {
      const of = lines[source.key];
      of.per_cm.forEach((x, index) => {
        if (activityOf(of, index) !== kind) return;
        const top = heightOf(of, index, largest) - row;
        stick.x.push(x, x, null);
        stick.y.push(-row, top, null);
        head.x.push(x);
        head.y.push(top);
        head.text.push(`${softmode.plain(source.label)}: ${labelText(of.label[index])} ${softmode.fixed(x, 1)} cm⁻¹, ${ofModes(of.degeneracy[index])}`
          + (of.infrared[index] && of.intensity ? `, ${softmode.short(of.intensity[index])} e²/u` : ""));
        head.customdata.push([source.key, index]);
      });
    });
    return stick.x.length ? [stick, head] : [];
  });
  const at = shown.findIndex((source) => source.key === marked?.source);
  if (at >= 0 && marked.q.every((value) => value === 0)) {
    const of = lines[marked.source];
    const index = of.band.findIndex((band, line) => marked.band >= band && marked.band < band + of.degeneracy[line]);
    if (index >= 0) traces.push({
      type: "scatter", mode: "markers", x: [of.per_cm[index]], y: [heightOf(of, index, largest) - at], hoverinfo: "skip", showlegend: false,
      marker: { size: 15, color: "rgba(0,0,0,0)", line: { width: 2.5, color: softmode.colour("--mark") } },
    });
  }
  const all = shown.flatMap((source) => lines[source.key].per_cm);
  const room = 0.03 * (Math.max(...all, 0) - Math.min(...all, 0));
  const layout = {
    ...softmode.layout(), height: 110 + 70 * shown.length, margin: { l: 60, r: 10, t: 10, b: 45 }, showlegend: true,
    legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom" },
    xaxis: softmode.axis("wave number (cm⁻¹), imaginary as negative", { range: [Math.min(...all, 0) - room, Math.max(...all, 0) + room] }),
    yaxis: softmode.axis("", {
      tickvals: shown.map((_, row) => -row), ticktext: shown.map((source) => softmode.plain(source.label)), ticks: "",
      range: [0.15 - shown.length, 1], gridcolor: softmode.colour("--tick"), fixedrange: true,
    }),
    uirevision: "spectrum",
  };
  Plotly.react(plot, traces, layout, softmode.CONFIG);
  plot.choose = choose;
  if (plot.dataset.clickable) return;
  plot.dataset.clickable = "yes";
  plot.on("plotly_click", ({ points }) => {
    const found = points.find((point) => point.customdata);
    if (found) plot.choose(...found.customdata);
  });
}

/** Return the reference's modes with those of each other source that are assigned to them. */
function modeTable(sources, { lines, assigned, choose }) {
  const { element } = softmode;
  const reference = lines.reference;
  const others = sources.filter((source) => source.key !== "reference");
  const button = (key, index, text) => element("button", { type: "button", class: "plain", title: "see how the atoms move", onclick: () => choose(key, index) }, text);
  const cell = (source, line) => {
    const of = lines[source.key];
    const pair = (assigned[source.key] ?? []).find(([band]) => band === reference.band[line]);
    if (!pair) return softmode.NOTHING;
    const index = of.band.indexOf(pair[1]);
    const difference = of.per_cm[index] - reference.per_cm[line];
    return [button(source.key, index, softmode.fixed(of.per_cm[index], 1)),
      element("span", { class: "muted" }, ` (${difference > 0 ? "+" : ""}${softmode.fixed(difference, 1)})`)];
  };
  const lost = others.filter((source) => !assigned[source.key]?.length && reference.band.length);
  return element("div", {}, element("table", { class: "data", id: "spectrum-modes" },
    element("thead", {}, element("tr", {}, element("th", {}, "symbol"), element("th", { class: "number" }, "modes"), element("th", {}, "active"),
      sources.map((source) => element("th", { class: "number" }, softmode.sourceName(source), " (cm⁻¹)")))),
    element("tbody", {}, reference.band.map((_, line) => element("tr", {},
      element("td", {}, labelNodes(reference.label[line])),
      element("td", { class: "number" }, reference.degeneracy[line]),
      element("td", {}, ACTIVITIES[activityOf(reference, line)].name),
      sources.map((source) => element("td", { class: "number" }, source.key === "reference"
        ? button("reference", line, softmode.fixed(reference.per_cm[line], 1)) : cell(source, line))))))),
  lost.length ? element("p", { class: "small" }, `Not assigned: ${lost.map((source) => source.label).join(", ")}, whose crystal has other sets of modes than the reference's.`) : null);
}

function activityOf(of, index) {
  if (of.infrared[index]) return of.raman[index] ? 2 : 0;
  return of.raman[index] ? 1 : 3;
}

function heightOf(of, index, largest) {
  if (!(largest > 0)) return STRONGEST / 2;
  return of.infrared[index] && of.intensity ? Math.max(WEAKEST, STRONGEST * of.intensity[index] / largest) : UNKNOWN;
}

function ofModes(degeneracy) {
  return degeneracy === 1 ? "one mode" : `${degeneracy} modes`;
}

// a symbol such as A1g or E'' in parts: letter, what stands low, primes
function labelParts(label) {
  return /^([A-Z]?)([^']*)('*)$/.exec(label).slice(1);
}

function labelNodes(label) {
  const [letter, low, primes] = labelParts(label);
  return label ? [letter, primes.replace("''", "″").replace("'", "′"), low ? softmode.element("sub", {}, low) : null] : softmode.NOTHING;
}

function labelText(label) {
  const [letter, low, primes] = labelParts(label);
  return softmode.plain(letter) + primes.replace("''", "″").replace("'", "′") + (low ? `<sub>${softmode.plain(low)}</sub>` : "");
}
