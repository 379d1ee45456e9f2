"use strict";
// The section of an entry: how large derivatives of each order are, and how far from the reference's.

softmode.sections.anharmonicity = (data, { sources: found, undetermined }) => {
  const { element, short } = softmode;
  const sources = data.sources.filter((source) => found[source.key]);
  const orders = [...new Set(sources.flatMap((source) => found[source.key].map(({ order }) => order)))].sort();
  const judged = found.reference !== undefined;
  const cell = (source, order) => {
    const of = found[source.key].find((each) => each.order === order);
    if (!of) return softmode.NOTHING;
    if (!of.claimed) return element("span", { class: "muted", title: "below three times its noise or its error bar" }, "not claimed");
    const magnitude = short(of.mean_magnitude);
    const error = source.key === "reference" ? null : judged ? of.to_reference : of.to_others;
    const bar = of.error_percent === null ? "" : `, error bar ${short(of.error_percent)} %`;
    return element("span", { title: `mean magnitude ${magnitude} eV/Å^${order}${bar}` },
      error === null ? magnitude : [element("strong", {}, short(error)), element("span", { class: "muted" }, ` (${magnitude})`)]);
  };
  const lacking = sources.filter((source) => undetermined[source.key]);
  const said = judged
    ? "Root-mean-square error over the reference's mean magnitude (1: as wrong as they are large), and in brackets the mean magnitude in eV/Å to the power of the order; of the reference the magnitude alone. A dash instead of an error: the reference has no such derivatives."
    : "Difference to each other potential over its mean magnitude, their mean, and in brackets the mean magnitude in eV/Å to the power of the order.";
  return {
    nodes: [
      element("h3", { id: "derivatives-title" }, "Derivatives of the energy, order by order"),
      element("p", { class: "small" }, said),
      element("div", { class: "scroll" }, element("table", { class: "data", id: "derivatives" },
        element("thead", {}, element("tr", {}, element("th", {}, "source"), orders.map((order) => element("th", { class: "number" }, `order ${order}`)))),
        element("tbody", {}, sources.map((source) => element("tr", {}, element("td", {}, softmode.sourceName(source)),
          orders.map((order) => element("td", { class: "number" }, cell(source, order)))))))),
      ...lacking.map((source) => element("p", { class: "small" }, `${source.label}: ${undetermined[source.key]}.`)),
    ],
    draw() {},
  };
};
