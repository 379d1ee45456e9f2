"use strict";
// Band structures and densities of states of all sources of an entry, and a click that names a mode.

/** Return a line's style. */
softmode.lineOf = (source, scale = 1) => {
  const isReference = source.key === "reference";
  return {
    color: isReference ? softmode.colour("--ink") : source.colour, width: scale * (isReference ? 2.2 : 1.4),
    dash: source.key === "yardstick" ? "dash" : "solid",
  };
};

/** Draw bands and densities.
 *
 *  sources: those that are drawn; byElement: the source whose density is parted by elements, or null;
 *  marked: the mode that is animated, or null; choose: called with {source, segment, point, band} after a click. */
softmode.drawBands = (Plotly, plot, details, { sources, byElement, polar, marked, choose }) => {
  const { bands } = details;
  const { factor, name } = softmode.unit;
  const traces = [];
  for (const source of sources) {
    const segments = (polar && bands.polar_THz?.[source.key]) || bands.frequencies_THz[source.key];
    if (segments) traces.push(bandTrace(source, bands, segments));
    const density = details.density_of_states.sources[source.key];
    if (density && source.key !== byElement) traces.push(densityTrace(source, density, details.density_of_states.step_THz));
  }
  if (byElement) traces.push(...elementTraces(details, byElement));
  if (marked) {
    traces.push({
      type: "scatter", mode: "markers", x: [bands.distances[marked.segment][marked.point]], y: [marked.frequency * factor],
      marker: { size: 12, color: "rgba(0,0,0,0)", line: { width: 2.5, color: softmode.colour("--mark") } }, hoverinfo: "skip",
      name: "animated",
    });
  }
  const ticks = pathTicks(bands);
  const layout = {
    ...softmode.layout(),
    height: 480,
    margin: { l: 60, r: 10, t: 10, b: 40 },
    xaxis: softmode.axis("", {
      domain: [0, 0.78], tickvals: ticks.map(([at]) => at), ticktext: ticks.map(([, text]) => text),
      range: [ticks[0][0], ticks[ticks.length - 1][0]], gridcolor: softmode.colour("--tick"),
    }),
    xaxis2: softmode.axis(`states per ${name}`, { domain: [0.8, 1], rangemode: "tozero" }),
    yaxis: softmode.axis(`frequency (${name})`),
    shapes: [softmode.zeroLine()],
    uirevision: name,
  };
  Plotly.react(plot, traces, layout, softmode.CONFIG);
  plot.choose = choose;
  if (plot.dataset.clickable) return;
  plot.dataset.clickable = "yes";
  plot.on("plotly_click", ({ points }) => {
    const found = points.find((point) => point.data.locate);
    if (found) plot.choose({ source: found.data.source, ...found.data.locate(found.pointNumber) });
  });
};

/** Return all bands of a source as one line with gaps. */
function bandTrace(source, bands, segments) {
  const { factor } = softmode.unit;
  const x = [];
  const y = [];
  const text = [];
  segments.forEach((of, segment) => {
    const points = bands.distances[segment].map((_, point) => softmode.showQ(softmode.qOfPath(bands, segment, point)));
    of.forEach((band, index) => {
      for (let point = 0; point < band.length; point += 1) {
        x.push(bands.distances[segment][point]);
        y.push(band[point] * factor);
        text.push(`band ${index + 1} at q = ${points[point]}`);
      }
      x.push(null);
      y.push(null);
      text.push("");
    });
  });
  // many bands leave each other little room
  const nBands = segments[0].length;
  return {
    type: "scatter", mode: "lines", name: softmode.plain(source.label), x, y, text, source: source.key,
    line: softmode.lineOf(source, nBands > 90 ? 0.4 : nBands > 36 ? 0.7 : 1),
    hovertemplate: `%{y:.${softmode.unit.digits}f} ${softmode.unit.name}, %{text}<br>click: animate<extra>%{fullData.name}</extra>`,
    locate: (number) => {
      let rest = number;
      for (let segment = 0; segment < segments.length; segment += 1) {
        const length = segments[segment][0].length + 1;
        const whole = length * segments[segment].length;
        if (rest < whole) return { segment, band: Math.floor(rest / length), point: rest % length };
        rest -= whole;
      }
      return null;
    },
  };
}

function densityTrace(source, density, step) {
  const { factor } = softmode.unit;
  return {
    type: "scatter", mode: "lines", xaxis: "x2", name: softmode.plain(source.label), line: softmode.lineOf(source),
    x: density.states_per_THz.map((states) => states / factor),
    y: density.states_per_THz.map((_, index) => (density.first_THz + step * index) * factor),
    hovertemplate: `%{x:.3g} per ${softmode.unit.name} at %{y:.1f} ${softmode.unit.name}<extra>%{fullData.name}</extra>`,
  };
}

// colours of elements in densities; those of the atoms are too pale for lines
const ELEMENT_COLOURS = ["#0b5394", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#0f766e", "#be185d"];

/** Return the density of one source in parts, one on the other, so that the outermost line is the whole. */
function elementTraces(details, key) {
  const density = details.density_of_states.sources[key];
  const step = details.density_of_states.step_THz;
  const { factor, name } = softmode.unit;
  return Object.entries(density?.by_element ?? {}).map(([symbol, states], index) => {
    const colour = ELEMENT_COLOURS[index % ELEMENT_COLOURS.length];
    return {
      type: "scatter", mode: "lines", xaxis: "x2", name: softmode.plain(symbol), stackgroup: "elements", orientation: "h",
      line: { color: colour, width: 1 }, fillcolor: `${colour}66`,
      x: states.map((value) => value / factor),
      y: states.map((_, at) => (density.first_THz + step * at) * factor),
      hovertemplate: `${softmode.plain(symbol)}: %{x:.3g} per ${name} at %{y:.1f} ${name}<extra></extra>`,
    };
  });
}
softmode.ELEMENT_COLOURS = ELEMENT_COLOURS;

/** Return a q point as text, thirds and the like as fractions. */
softmode.showQ = (q) => `(${q.map((value) => {
  for (const [n, text] of [[2, "½"], [3, "⅓"], [4, "¼"], [8, "⅛"]]) {
    if (Math.abs(Math.abs(value) - 1 / n) < 1e-5) return (value < 0 ? "−" : "") + text;
  }
  return softmode.fixed(Math.abs(value) < 5e-5 ? 0 : value, Number.isInteger(Math.round(value * 1e4) / 1e4) ? 0 : 3);
}).join(", ")})`;

/** Return position and name of each point of high symmetry; two names where the path jumps. */
function pathTicks(bands) {
  const names = new Map();
  bands.distances.forEach((distances, index) => {
    [distances[0], distances[distances.length - 1]].forEach((at, end) => {
      const name = pointName(bands.labels[index][end]);
      if (!names.has(at)) names.set(at, []);
      if (!names.get(at).includes(name)) names.get(at).push(name);
    });
  });
  return [...names].map(([at, of]) => [at, of.join("|")]);
}

function pointName(name) {
  if (name === "GAMMA") return "Γ";
  const [letter, number] = name.split("_");
  return number ? `${softmode.plain(letter)}<sub>${softmode.plain(number)}</sub>` : softmode.plain(letter);
}

/** Return the name of a point of the path as text, or null between two named ones. */
softmode.pointOfPath = (bands, segment, point) => {
  const last = bands.distances[segment].length - 1;
  if (point !== 0 && point !== last) return null;
  const name = bands.labels[segment][point ? 1 : 0];
  return name === "GAMMA" ? "Γ" : name.replace("_", "");
};

/** Return segment and point of the path where it first is at Γ, which each path is. */
softmode.gammaOfPath = (bands) => {
  const segment = bands.labels.findIndex((names) => names.includes("GAMMA"));
  return { segment, point: bands.labels[segment][0] === "GAMMA" ? 0 : bands.distances[segment].length - 1 };
};
