"use strict";
// The section of an entry: how wide its modes are along the path, and by how much three phonons shift them.

const LINEWIDTH_PLOTS = [["width", "full width"], ["shift", "shift"]];

softmode.sections.linewidths = (data, { ticks, names, sources: found }) => {
  const { element } = softmode;
  const sources = data.sources.filter((source) => found[source.key]);
  const plots = LINEWIDTH_PLOTS.map(([key, title]) => element("div", { id: `path-${key}`, class: "plot", role: "img", "aria-label": `${title} along the path` }));
  return {
    nodes: [
      element("h3", { id: "path-title" }, "Linewidths and shifts along the path"),
      element("p", { class: "small" }, "Full widths at half maximum and shifts of frequencies by three phonons (the bubble), at the points of a mesh that lie on the path."),
      element("div", { class: "row" }, plots),
    ],
    draw(Plotly, { sources: chosen }) {
      const { factor, name } = softmode.unit;
      LINEWIDTH_PLOTS.forEach(([key, title], index) => {
        const traces = sources.filter((source) => chosen.includes(source)).map((source) => {
          const of = found[source.key];
          return {
            type: "scatter", mode: "markers", cliponaxis: false, name: softmode.plain(source.label), x: of.at,
            y: of[key].map((value) => (value === null ? null : value * factor)),
            text: of.frequency.map((value) => softmode.frequency(value)),
            marker: { size: 5, opacity: 0.75, color: softmode.lineOf(source).color },
            hovertemplate: `%{y:.3g} ${name} of a mode at %{text}<extra>%{fullData.name}</extra>`,
          };
        });
        const layout = {
          ...softmode.layout(), height: 300, margin: { l: 65, r: 10, t: 10, b: 40 },
          xaxis: softmode.axis("", { tickvals: ticks, ticktext: names.map(softmode.plain), range: [ticks[0], ticks[ticks.length - 1]], gridcolor: softmode.colour("--tick") }),
          yaxis: softmode.axis(`${title} (${name})`), shapes: [softmode.zeroLine()], uirevision: name,
        };
        Plotly.react(plots[index], traces, layout, softmode.CONFIG);
      });
    },
  };
};
