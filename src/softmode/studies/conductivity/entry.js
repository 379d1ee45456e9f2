"use strict";
// The section of an entry: conductivities of all sources beside PBE's and published ones, and how wide their modes are.

softmode.sections.conductivity = (data, { sources: found }) => {
  const { element, short } = softmode;
  const sources = data.sources.filter((source) => found[source.key]);
  const temperature = sources.map((source) => found[source.key].temperature_K).find((value) => value !== null) ?? 300;
  const plot = element("div", { id: "linewidths", class: "plot", role: "img", "aria-labelledby": "conductivity-title" });
  const number = (text) => element("td", { class: "number" }, text);
  const outcome = ({ outcome: word, message }) => {
    const text = word.replace("_", " ");
    return word === "failed" && message ? element("span", { title: message }, text) : text;
  };
  const table = element("table", { class: "data", id: "conductivity" },
    element("thead", {}, element("tr", {},
      element("th", {}, "source"), element("th", {}, "outcome"),
      ["κ (W/m/K)", "PBE", "published", "C (%)", "SRE", "SRME"].map((title) => element("th", { class: "number" }, title)))),
    element("tbody", {}, sources.map((source) => {
      const of = found[source.key];
      return element("tr", {}, element("td", {}, softmode.sourceName(source)), element("td", {}, outcome(of)),
        [of.kappa, of.known, of.published, of.coherences, of.sre, of.srme].map((value) => number(short(value))));
    })));
  const drawn = sources.some((source) => found[source.key].modes.length);
  const nodes = [
    element("h3", { id: "conductivity-title" }, `Thermal conductivity at ${softmode.fixed(temperature, 0)} K`),
    element("p", { class: "small" }, "κ: mean of the three directions; PBE: without the correction of polar crystals; published: of the same model, by Matbench Discovery; C: the part of tunnelling between modes; SRE and SRME: symmetric relative errors of κ and of its modes, 2 without a conductivity."),
    element("div", { class: "scroll" }, table),
    drawn ? element("p", { class: "small" }, "Below: full width at half maximum of each mode on the mesh, by scattering of three phonons.") : null,
    drawn ? plot : null,
  ].filter((node) => node);
  return {
    nodes,
    draw(Plotly, { sources: chosen }) {
      if (!drawn) return;
      const { factor, name, digits } = softmode.unit;
      const traces = sources.filter((source) => chosen.includes(source) && found[source.key].modes.length).map((source) => ({
        type: "scattergl", mode: "markers", name: softmode.plain(source.label),
        x: found[source.key].modes.map(([frequency]) => frequency * factor),
        y: found[source.key].modes.map(([, width]) => width * factor),
        marker: { size: 4, opacity: 0.6, color: softmode.lineOf(source).color },
        hovertemplate: `%{x:.${digits}f} ${name}, width %{y:.3g} ${name}<extra>%{fullData.name}</extra>`,
      }));
      const layout = {
        ...softmode.layout(), height: 320, margin: { l: 70, r: 10, t: 10, b: 45 },
        xaxis: softmode.axis(`frequency (${name})`),
        yaxis: softmode.axis(`full width (${name})`, { type: "log", exponentformat: "power" }),
        uirevision: name,
      };
      Plotly.react(plot, traces, layout, softmode.CONFIG);
    },
  };
};
