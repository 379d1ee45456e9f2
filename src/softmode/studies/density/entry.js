"use strict";
// The section of an entry: densities of states of models that know no forces, beside those of the other sources.

const DENSITY_ROWS = [
  ["free_energy_kJ_per_mol", "F (kJ/mol)"],
  ["entropy_J_per_K_mol", "S (J/K/mol)"],
  ["heat_capacity_J_per_K_mol", "C_V (J/K/mol)"],
];

softmode.sections.density = (data, { step_THz: step, temperatures_K: temperatures, models }, details) => {
  const { element } = softmode;
  const sources = data.models.filter((source) => models[source.key]);
  const plot = element("div", { id: "predicted-density", class: "plot", role: "img", "aria-labelledby": "predicted-density-title" });
  const at = temperatures.indexOf(data.temperature_K);
  const table = element("table", { class: "data" },
    element("thead", {}, element("tr", {}, element("th", {}, "model"), element("th", { class: "number" }, "ω̄ (THz)"),
      DENSITY_ROWS.map(([, title]) => element("th", { class: "number" }, title)))),
    element("tbody", {}, sources.map((source) => {
      const model = models[source.key];
      const deviation = model.deviation_THz === null ? "" : ` ± ${softmode.fixed(model.deviation_THz, 2)}`;
      return element("tr", {}, element("td", {}, softmode.sourceName(source)),
        element("td", { class: "number" }, softmode.fixed(model.mean_frequency_THz, 2) + deviation),
        DENSITY_ROWS.map(([key]) => element("td", { class: "number" }, at < 0 ? softmode.NOTHING : softmode.fixed(model[key][at], 2))));
    })));
  return {
    nodes: [
      element("h3", { id: "predicted-density-title" }, "Density of states without forces"),
      element("p", { class: "small" }, "Models that are given the structure of the data set alone; bands are their standard deviations. "
        + `Thin lines: the densities of the other sources, in bins as wide. Numbers per mole of primitive cells, at ${data.temperature_K} K.`),
      plot, element("div", { class: "scroll" }, table),
    ],
    draw(Plotly, { sources: chosen }) {
      const { factor, name } = softmode.unit;
      const others = chosen.filter((source) => details.density_of_states.sources[source.key]);
      const traces = others.map((source) => otherTrace(source, details.density_of_states, step));
      for (const source of sources) traces.push(...modelTraces(source, models[source.key], step));
      const layout = {
        ...softmode.layout(), height: 330, margin: { l: 60, r: 10, t: 10, b: 45 }, showlegend: true,
        legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom" },
        xaxis: softmode.axis(`frequency (${name})`), yaxis: softmode.axis(`states per ${name}`, { rangemode: "tozero" }),
        uirevision: `density ${name} ${factor}`,
      };
      Plotly.react(plot, traces, layout, softmode.CONFIG);
    },
  };
};

/** Return the density of a source with phonons, in bins as wide as those of the models. */
function otherTrace(source, { step_THz: fine, sources }, step) {
  const { factor } = softmode.unit;
  const { first_THz: first, states_per_THz: states } = sources[source.key];
  const sums = new Map();
  states.forEach((value, index) => {
    const bin = Math.floor((first + fine * index) / step);
    sums.set(bin, (sums.get(bin) ?? 0) + value * fine);
  });
  const bins = [...sums.keys()].sort((a, b) => a - b);
  const all = Array.from({ length: bins.at(-1) - bins[0] + 1 }, (_, index) => bins[0] + index);
  return {
    type: "scatter", mode: "lines", name: softmode.plain(source.label), line: { ...softmode.lineOf(source), width: 1, shape: "hvh" },
    x: all.map((bin) => (bin + 0.5) * step * factor), y: all.map((bin) => (sums.get(bin) ?? 0) / step / factor),
    hovertemplate: "%{y:.3g} at %{x:.1f}<extra>%{fullData.name}</extra>",
  };
}

function modelTraces(source, { states_per_THz: states, deviations_per_THz: deviations }, step) {
  const { factor } = softmode.unit;
  const name = softmode.plain(source.label);
  const x = states.map((_, index) => (index + 0.5) * step * factor);
  const line = {
    type: "scatter", mode: "lines", name, line: { color: source.colour, width: 2.6 }, x, y: states.map((value) => value / factor),
    hovertemplate: "%{y:.3g} at %{x:.1f}<extra>%{fullData.name}</extra>",
  };
  if (!deviations) return [line];
  const edge = (sign) => states.map((value, index) => Math.max(0, value + sign * deviations[index]) / factor);
  const band = { type: "scatter", mode: "lines", line: { width: 0 }, x, hoverinfo: "skip", showlegend: false };
  return [{ ...band, y: edge(-1) }, { ...band, y: edge(1), fill: "tonexty", fillcolor: `${source.colour}40` }, line];
}
