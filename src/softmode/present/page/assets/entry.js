"use strict";
// One entry: structure, band structures and densities of states, thermodynamics, records and failures.

// sources that are not drawn, as chosen by the reader; kept from entry to entry
const hiddenSources = new Set();

const THERMODYNAMICS = [
  ["free_energy_kJ_per_mol", "F (kJ/mol)", "free energy"],
  ["entropy_J_per_K_mol", "S (J/K/mol)", "entropy"],
  ["heat_capacity_J_per_K_mol", "C<sub>V</sub> (J/K/mol)", "heat capacity"],
];

let wanted = null;

softmode.views.entry = async (id) => {
  wanted = id;
  const data = await softmode.campaign();
  const position = data.position.get(id);
  const view = document.getElementById("entry-view");
  if (position === undefined) {
    view.replaceChildren();
    throw new Error(`There is no entry “${id}” in this campaign.`);
  }
  const { element } = softmode;
  const { entries } = data;
  const details = data.hasDetails.has(position) ? await softmode.load(`entries/${position}`) : null;
  if (softmode.shown !== "entry" || wanted !== id) return;
  const title = element("h2", { tabindex: "-1" }, softmode.formula(entries.formula[position]), " ",
    element("span", { class: "id" }, id));
  view.replaceChildren(
    steps(data, position), title, facts(data, position, details),
    ...(details ? plots(data) : [element("p", { class: "notice" },
      "Structure and band structures of this entry are not in this page, which was made with a limited number of them. ",
      element("code", {}, "softmode show CAMPAIGN ENTRY --figure FILE"), " draws them.")]),
    element("h3", {}, "Numbers"), numbers(data, position),
    ...(details ? [element("h3", {}, "Lattice"), lattices(data, details)] : []),
    element("h3", {}, "Records"), records(data, position, details),
    ...(details ? [atoms(details)] : []));
  for (const table of view.querySelectorAll("table.sortable")) softmode.makeSortable(table);
  if (!details) return;
  const Plotly = await softmode.plotly();
  if (!view.contains(title)) return;
  const redraw = () => {
    drawBands(Plotly, data, details);
    THERMODYNAMICS.forEach((quantity, index) => drawThermodynamics(Plotly, data, details, quantity, index));
  };
  for (const box of view.querySelectorAll("input[data-source]")) {
    box.addEventListener("change", () => {
      if (box.checked) hiddenSources.delete(box.dataset.source);
      else hiddenSources.add(box.dataset.source);
      redraw();
    });
  }
  redraw();
};

/** Return the way to the neighbours in the list as it was last searched and sorted. */
function steps(data, position) {
  const { element } = softmode;
  const order = softmode.order?.includes(position) ? softmode.order : data.entries.id.map((_, index) => index);
  const at = order.indexOf(position);
  const step = (neighbour, text) => (neighbour === undefined
    ? element("span", { class: "muted" }, text)
    : element("a", { href: softmode.entryLink(neighbour) }, text));
  const search = document.getElementById("search").value.trim();
  return element("p", { class: "steps" },
    element("a", { href: search ? `#entries/${encodeURIComponent(search)}` : "#entries" }, "All entries"),
    step(order[at - 1], "← previous"), step(order[at + 1], "next →"),
    element("span", { class: "muted" }, `${at + 1} of ${order.length}`));
}

function facts(data, position, details) {
  const { element } = softmode;
  const { entries } = data;
  const rows = [
    ["space group", `${entries.space_group[position]}, ${entries.space_group_symbol[position]} (${entries.crystal_system[position]})`],
    ["atoms", `${entries.n_sites[position]} in the unit cell` + (details
      ? `, ${details.structure.n_primitive} in the primitive cell, ${details.structure.n_supercell} in the supercell (${matrix(details.structure.supercell_matrix)})`
      : "")],
    ["stable", data.sources.map((source) => `${source.label}: ${data.outcomes[source.key]?.[position] ?? softmode.NOTHING}`).join(" · ")],
  ];
  return element("table", { class: "facts" }, rows.map(([name, value]) =>
    element("tr", {}, element("th", {}, name), element("td", {}, value))));
}

function matrix(rows) {
  const diagonal = rows.every((row, i) => row.every((value, j) => i === j || value === 0));
  return diagonal ? rows.map((row, i) => row[i]).join(" × ") : rows.map((row) => row.join(" ")).join("; ");
}

function plots(data) {
  const { element } = softmode;
  const boxes = data.sources.map((source) => element("label", { class: "check" },
    element("input", { type: "checkbox", "data-source": source.key, checked: !hiddenSources.has(source.key) }),
    softmode.sourceName(source)));
  return [
    element("h3", { id: "bands-title" }, "Band structure and density of states"),
    element("div", { class: "controls", role: "group", "aria-label": "Sources that are drawn" }, boxes),
    element("p", { class: "small", id: "bands-note" }),
    element("div", { id: "bands", class: "plot", role: "img", "aria-labelledby": "bands-title" }),
    element("h3", { id: "thermodynamics-title" }, "Thermodynamics, per mole of primitive cells"),
    element("div", { class: "row" }, THERMODYNAMICS.map(([, , name], index) =>
      element("div", { id: `thermodynamics-${index}`, class: "plot", role: "img", "aria-label": name }))),
  ];
}

function drawn(data) {
  return data.sources.filter((source) => !hiddenSources.has(source.key));
}

function lineOf(source, scale = 1) {
  const isReference = source.key === "reference";
  return { color: source.colour, width: scale * (isReference ? 2.2 : 1.4), dash: source.key === "yardstick" ? "dash" : "solid" };
}

function drawBands(Plotly, data, details) {
  const { bands } = details;
  const label = (key) => data.sources.find((source) => source.key === key)?.label ?? key;
  const notes = [...details.problems];
  if (bands && bands.path_of !== "reference") notes.push(`The path is that of the structure of ${label(bands.path_of)}.`);
  const failed = Object.entries(details.records).filter(([, record]) => record.status === "failed");
  if (failed.length) notes.push(`No phonons: ${failed.map(([key, record]) => `${label(key)} (${record.failed_kind})`).join(", ")}.`);
  document.getElementById("bands-note").textContent = notes.join(" ");
  const plot = document.getElementById("bands");
  if (!bands) {
    plot.textContent = "No source has phonons of this entry.";
    return;
  }
  const traces = [];
  for (const source of drawn(data)) {
    const segments = bands.frequencies_THz[source.key];
    if (segments) traces.push(bandTrace(source, bands.distances, segments));
    const density = details.density_of_states.sources[source.key];
    if (density) traces.push(densityTrace(source, density, details.density_of_states.step_THz));
  }
  const ticks = pathTicks(bands);
  const layout = {
    ...softmode.LAYOUT,
    height: 480,
    margin: { l: 60, r: 10, t: 10, b: 40 },
    xaxis: softmode.axis("", {
      domain: [0, 0.78], tickvals: ticks.map(([at]) => at), ticktext: ticks.map(([, text]) => text),
      range: [ticks[0][0], ticks[ticks.length - 1][0]], gridcolor: "#9aa5b1",
    }),
    xaxis2: softmode.axis("states per THz", { domain: [0.8, 1], rangemode: "tozero" }),
    yaxis: softmode.axis("frequency (THz)"),
    shapes: [softmode.ZERO_LINE],
  };
  Plotly.react(plot, traces, layout, softmode.CONFIG);
}

/** Return all bands of a source as one line with gaps. */
function bandTrace(source, distances, segments) {
  const x = [];
  const y = [];
  segments.forEach((bands, index) => bands.forEach((band) => {
    x.push(...distances[index], null);
    y.push(...band, null);
  }));
  // many bands leave each other little room
  const nBands = segments[0].length;
  return {
    type: "scatter", mode: "lines", name: softmode.plain(source.label), x, y,
    line: lineOf(source, nBands > 90 ? 0.4 : nBands > 36 ? 0.7 : 1),
    hovertemplate: "%{y:.2f} THz<extra>%{fullData.name}</extra>",
  };
}

function densityTrace(source, density, step) {
  return {
    type: "scatter", mode: "lines", xaxis: "x2", name: softmode.plain(source.label), line: lineOf(source),
    x: density.states_per_THz,
    y: density.states_per_THz.map((_, index) => density.first_THz + step * index),
    hovertemplate: "%{x:.3g} per THz at %{y:.1f} THz<extra>%{fullData.name}</extra>",
  };
}

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

function drawThermodynamics(Plotly, data, details, [key, title], index) {
  const { temperatures_K: temperatures } = details.thermodynamics;
  const traces = drawn(data).filter((source) => details.thermodynamics[key][source.key]).map((source) => ({
    type: "scatter", mode: "lines+markers", name: softmode.plain(source.label), line: lineOf(source),
    marker: { size: 5 }, x: temperatures, y: details.thermodynamics[key][source.key],
    hovertemplate: "%{y:.2f} at %{x} K<extra>%{fullData.name}</extra>",
  }));
  const layout = {
    ...softmode.LAYOUT, height: 280, margin: { l: 60, r: 10, t: 10, b: 45 },
    xaxis: softmode.axis("temperature (K)"), yaxis: softmode.axis(title),
  };
  Plotly.react(document.getElementById(`thermodynamics-${index}`), traces, layout, softmode.CONFIG);
}

/** Return a table: first a column of sources, then the given columns of [title, cells by source]. */
function sourceTable(data, columns, sources = data.sources) {
  const { element } = softmode;
  return element("div", { class: "scroll" }, element("table", { class: "data sortable" },
    element("thead", {}, element("tr", {}, element("th", {}, "source"),
      columns.map(({ title, number }) => element("th", number ? { class: "number" } : {}, title)))),
    element("tbody", {}, sources.map((source) => element("tr", {},
      element("td", {}, softmode.sourceName(source)),
      columns.map(({ cell, number }) => element("td", number ? { class: "number" } : {}, cell(source.key))))))));
}

function numbers(data, position) {
  const perCell = data.quantities.filter((quantity) => !quantity.key.endsWith("_per_atom") &&
    data.sources.some((source) => (quantity.values[source.key]?.[position] ?? null) !== null));
  const at = `at ${data.temperature_K} K`;
  const columns = perCell.map((quantity) => ({
    title: ["entropy", "free_energy", "heat_capacity"].includes(quantity.key)
      ? `${quantity.name} ${at} (${quantity.unit})` : `${quantity.name} (${quantity.unit})`,
    number: true,
    cell: (key) => softmode.short(quantity.values[key]?.[position] ?? null),
  }));
  return sourceTable(data, columns);
}

function lattices(data, details) {
  const { element } = softmode;
  const found = details.structure.lattices;
  const columns = ["a (Å)", "b (Å)", "c (Å)", "α (°)", "β (°)", "γ (°)"].map((title, index) => ({
    title, number: true, cell: (key) => (found[key] ? softmode.fixed(found[key][index], index < 3 ? 4 : 2) : softmode.NOTHING),
  }));
  if (data.hasReference) columns.push({
    title: "a, b, c against the reference (%)", number: true,
    cell: (key) => (key !== "reference" && found[key] && found.reference
      ? [0, 1, 2].map((index) => softmode.fixed(100 * (found[key][index] / found.reference[index] - 1), 2)).join(", ")
      : softmode.NOTHING),
  });
  return element("div", {}, sourceTable(data, columns),
    element("p", { class: "small" }, "Of the unit cell, as each source relaxes it."));
}

function records(data, position, details) {
  const failures = new Map(data.failures.filter((failure) => failure.entry === position).map((one) => [one.source, one]));
  const record = (key) => details?.records[key] ?? {};
  const columns = [
    { title: "outcome", cell: (key) => {
      const failure = failures.get(key);
      if (failure) return softmode.element("span", { class: "failed" }, `failed: ${failure.stage}: ${failure.kind}`);
      return data.outcomes[key]?.[position] ? "done" : softmode.NOTHING;
    } },
    { title: "message", cell: (key) => failures.get(key)?.message ?? "" },
  ];
  if (details) {
    columns.push(
      { title: "steps", number: true, cell: (key) => record(key).relax_steps ?? softmode.NOTHING },
      { title: "largest force (eV/Å)", number: true, cell: (key) => {
        const force = record(key).relax_largest_force_eV_per_A;
        return force ? force.toExponential(1).replace("-", "−") : force ?? softmode.NOTHING;
      } },
      { title: "displacements", number: true, cell: (key) => record(key).n_displacements ?? softmode.NOTHING },
      { title: "force residual (eV/Å)", number: true, cell: (key) => softmode.short(record(key).force_residual_eV_per_A ?? null) },
      { title: "of the forces (%)", number: true, cell: (key) => {
        const ratio = record(key).force_residual_ratio;
        return ratio === undefined ? softmode.NOTHING : softmode.fixed(100 * ratio, 1);
      } },
      ...[["relax_seconds", "relaxation (s)"], ["force_sets_seconds", "force sets (s)"], ["phonons_seconds", "phonons (s)"]]
        .map(([name, title]) => ({ title, number: true, cell: (key) => softmode.short(record(key)[name] ?? null) })));
  } else {
    columns.push({ title: "seconds until it failed", number: true, cell: (key) => softmode.short(failures.get(key)?.seconds ?? null) });
  }
  return sourceTable(data, columns);
}

function atoms(details) {
  const { element } = softmode;
  const { symbols, positions } = details.structure;
  return element("details", {},
    element("summary", {}, `${symbols.length} atoms of the data set's unit cell`),
    element("div", { class: "scroll" }, element("table", { class: "data" },
      element("thead", {}, element("tr", {}, ["atom", "x", "y", "z"].map((title) =>
        element("th", title === "atom" ? {} : { class: "number" }, title)))),
      element("tbody", {}, symbols.map((symbol, index) => element("tr", {}, element("td", {}, symbol),
        positions[index].map((value) => element("td", { class: "number" }, softmode.fixed(value, 5)))))))),
    element("p", { class: "small" }, "In reduced coordinates."));
}
