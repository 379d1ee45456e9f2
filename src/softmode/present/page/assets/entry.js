"use strict";
// One entry: structure and modes, band structures and densities of states, thermodynamics, files, records and failures.

// sources that are not drawn, and other choices of the reader; kept from entry to entry
const hiddenSources = new Set();
const choices = { byElement: "", polar: false, amplitude: 1, moving: !matchMedia("(prefers-reduced-motion: reduce)").matches };

const THERMODYNAMICS = [
  ["free_energy_kJ_per_mol", "F (kJ/mol)", "free energy"],
  ["entropy_J_per_K_mol", "S (J/K/mol)", "entropy"],
  ["heat_capacity_J_per_K_mol", "C<sub>V</sub> (J/K/mol)", "heat capacity"],
];
// how far in THz a frequency of the page may be from the one that it drew; with more, a wrong mode would be animated
const SAME_FREQUENCY_THZ = 0.05;

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
  const sections = Object.entries(details?.studies ?? {}).map(([name, content]) => softmode.sections[name](data, content, details));
  view.replaceChildren(
    steps(data, position), title, facts(data, position, details),
    ...(details ? plots(data, details, sections) : [element("p", { class: "notice" },
      "Structure and band structures of this entry are not in this page, which was made with a limited number of them. ",
      element("code", {}, "softmode show CAMPAIGN ENTRY --figure FILE"), " draws them.")]),
    element("h3", {}, "Numbers"), numbers(data, position),
    ...(details ? [element("h3", {}, "Lattice"), lattices(data, details)] : []),
    element("h3", {}, "Records"), records(data, position, details),
    ...(details ? [atoms(details), softmode.filesOf(data, position, details, () => choices.polar)] : []));
  for (const table of view.querySelectorAll("table.sortable")) softmode.makeSortable(table);
  if (!details) return;
  const Plotly = await softmode.plotly();
  if (!view.contains(title)) return;
  await live(Plotly, data, details, view, sections);
};

/** Draw, and draw again after each choice of the reader. */
async function live(Plotly, data, details, view, sections) {
  const { bands } = details;
  const plot = document.getElementById("bands");
  const state = { marked: null, crystal: null };
  const redraw = () => {
    document.getElementById("bands-note").textContent = notes(data, details);
    if (bands) {
      softmode.drawBands(Plotly, plot, details, {
        sources: drawn(data), byElement: choices.byElement, polar: choices.polar, marked: state.marked, choose: animate,
      });
    } else {
      plot.textContent = "No source has phonons of this entry.";
    }
    for (const section of sections) section.draw(Plotly, { sources: drawn(data), marked: state.marked, animate: animateAtGamma });
    THERMODYNAMICS.forEach((quantity, index) => drawThermodynamics(Plotly, data, details, quantity, index));
    for (const button of view.querySelectorAll("button[data-softest]")) {
      const softest = softmode.softest(bands, button.dataset.softest);
      button.querySelector(".value").textContent = softest ? softmode.frequency(softest.frequency) : softmode.NOTHING;
    }
    sayMode(data, details, state.marked);
  };
  const animate = (mode) => {
    const polar = choices.polar && bands.polar_THz?.[mode.source] ? details.born : null;
    const [from, to] = bands.ends[mode.segment];
    const q = softmode.qOfPath(bands, mode.segment, mode.point);
    const found = softmode.modesAt(details, mode.source, q, polar, to.map((value, axis) => value - from[axis]));
    const lines = polar ? bands.polar_THz : bands.frequencies_THz;
    const drawnAt = lines[mode.source][mode.segment][mode.band][mode.point];
    if (Math.abs(found.frequencies[mode.band] - drawnAt) > SAME_FREQUENCY_THZ) {
      throw new Error(`The frequency of this mode comes out as ${found.frequencies[mode.band].toFixed(3)} THz and was drawn at ${drawnAt} THz: please report this.`);
    }
    state.marked = { ...mode, q, frequency: drawnAt };
    if (state.crystal) {
      state.crystal.show(mode.source, softmode.cellsFor(details.modes[mode.source], q));
      state.crystal.animate({ q, vector: found.vectors[mode.band] });
    }
    redraw();
  };
  const guarded = (action) => (...given) => {
    try {
      action(...given);
    } catch (error) {
      softmode.problem(error);
    }
  };
  // modes of studies and softest ones are those of the bands without the long-range field
  const animatePlain = (mode) => {
    choices.polar = false;
    const box = view.querySelector("#polar");
    if (box) box.checked = false;
    animate(mode);
  };
  const animateAtGamma = guarded((source, band, frequency) => {
    const at = softmode.gammaOfPath(bands);
    const drawnAt = bands.frequencies_THz[source][at.segment][band][at.point];
    if (Math.abs(frequency - drawnAt) > SAME_FREQUENCY_THZ) {
      throw new Error(`Band ${band + 1} at Γ is drawn at ${drawnAt} THz, and the mode is at ${frequency.toFixed(3)} THz: please report this.`);
    }
    animatePlain({ source, band, ...at });
    document.getElementById("crystal").scrollIntoView({ block: "nearest" });
  });
  for (const box of view.querySelectorAll("input[data-source]")) {
    box.addEventListener("change", () => {
      if (box.checked) hiddenSources.delete(box.dataset.source);
      else hiddenSources.add(box.dataset.source);
      redraw();
    });
  }
  view.querySelector(".units").append(softmode.unitSwitch(redraw));
  view.querySelector("#by-element")?.addEventListener("change", (event) => { choices.byElement = event.target.value; redraw(); });
  view.querySelector("#polar")?.addEventListener("change", (event) => {
    choices.polar = event.target.checked;
    state.marked = null;
    redraw();
  });
  for (const button of view.querySelectorAll("button[data-softest]")) {
    button.addEventListener("click", guarded(() => {
      const softest = softmode.softest(bands, button.dataset.softest);
      if (softest) animatePlain({ source: button.dataset.softest, ...softest });
    }));
  }
  redraw();
  const first = data.sources.find((source) => details.modes[source.key])?.key;
  if (!first) return;
  const crystal = await softmode.makeCrystal(document.getElementById("crystal"), details);
  if (!crystal || !view.contains(plot)) return;
  state.crystal = crystal;
  crystal.moving = choices.moving;
  crystal.size = choices.amplitude;
  crystal.show(first, softmode.cellsFor(details.modes[first], [0, 0, 0]));
  const play = view.querySelector("#play");
  play.addEventListener("click", () => {
    choices.moving = !choices.moving;
    play.textContent = choices.moving ? "Pause" : "Play";
    crystal.play(choices.moving);
  });
  view.querySelector("#amplitude").addEventListener("input", (event) => {
    choices.amplitude = Number(event.target.value);
    crystal.amplitude(choices.amplitude);
  });
  document.getElementById("crystal").dataset.ready = "yes";
}

/** Say which mode is animated, or what to do. */
function sayMode(data, details, marked) {
  const line = document.getElementById("mode");
  if (!marked) {
    line.textContent = "Click a band to see how the atoms move, or:";
    return;
  }
  const label = data.sources.find((source) => source.key === marked.source).label;
  const point = softmode.pointOfPath(details.bands, marked.segment, marked.point);
  line.textContent = `${label}: ${softmode.frequency(marked.frequency)}, band ${marked.band + 1} at ${point ? `${point}, ` : ""}q = ${softmode.showQ(marked.q)}`;
}

function notes(data, details) {
  const label = (key) => data.sources.find((source) => source.key === key)?.label ?? key;
  const said = [...details.problems];
  const { bands } = details;
  if (bands && bands.path_of !== "reference") said.push(`The path is that of the structure of ${label(bands.path_of)}.`);
  const failed = Object.entries(details.records).filter(([, record]) => record.status === "failed");
  if (failed.length) said.push(`No phonons: ${failed.map(([key, record]) => `${label(key)} (${record.failed_kind})`).join(", ")}.`);
  if (choices.polar && bands?.polar_THz) {
    said.push("LO–TO: the reference's Born charges and dielectric constant with the force constants of each source (Wang et al., 2010). No table counts them.");
  }
  return said.join(" ");
}

/** Return the way to the neighbours in the list as it was last searched and sorted. */
function steps(data, position) {
  const { element } = softmode;
  const order = softmode.order?.includes(position) ? softmode.order : data.entries.id.map((_, index) => index);
  const at = order.indexOf(position);
  const step = (neighbour, text, name) => (neighbour === undefined
    ? element("span", { class: "muted" }, text)
    : element("a", { href: softmode.entryLink(neighbour), "data-step": name, title: "with the arrow keys, too" }, text));
  const search = document.getElementById("search").value.trim();
  return element("p", { class: "steps" },
    element("a", { href: search ? `#entries/${encodeURIComponent(search)}` : "#entries" }, "All entries"),
    step(order[at - 1], "← previous", "previous"), step(order[at + 1], "next →", "next"),
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
  const links = linksOf(entries.id[position]);
  if (links.length) rows.push(["elsewhere", links]);
  return element("table", { class: "facts" }, rows.map(([name, value]) =>
    element("tr", {}, element("th", {}, name), element("td", {}, value))));
}

/** Return links to where an entry of this id is described; nothing is asked of them until they are clicked. */
function linksOf(id) {
  if (!/^mp-\d+$/.test(id)) return [];
  return [softmode.element("a", { href: `https://materialsproject.org/materials/${id}`, rel: "noreferrer", target: "_blank" }, "Materials Project")];
}

function matrix(rows) {
  const diagonal = rows.every((row, i) => row.every((value, j) => i === j || value === 0));
  return diagonal ? rows.map((row, i) => row[i]).join(" × ") : rows.map((row) => row.join(" ")).join("; ");
}

function plots(data, details, sections) {
  const { element } = softmode;
  const boxes = data.sources.map((source) => element("label", { class: "check" },
    element("input", { type: "checkbox", "data-source": source.key, checked: !hiddenSources.has(source.key) }),
    softmode.sourceName(source)));
  const withModes = data.sources.filter((source) => details.modes[source.key]);
  if (!withModes.some((source) => source.key === choices.byElement)) choices.byElement = "";
  const softest = withModes.map((source) => element("button", { type: "button", "data-softest": source.key,
    title: `the softest mode of ${source.label}: the lowest frequency at a named point, or an imaginary one between them` },
  softmode.sourceName(source), " ", element("span", { class: "value" })));
  const crystal = element("div", { class: "stage" },
    element("h3", { id: "crystal-title" }, "Structure and modes"),
    element("div", { id: "crystal", role: "img", "aria-labelledby": "crystal-title" },
      withModes.length ? null : "No source has phonons of this entry."),
    element("p", { class: "legend", id: "elements" }),
    withModes.length ? [
      element("p", { id: "mode", role: "status" }),
      element("p", { class: "softest" }, element("strong", {}, "softest mode: "), softest),
      element("p", { class: "controls" },
        element("button", { type: "button", id: "play" }, choices.moving ? "Pause" : "Play"),
        element("label", { class: "check" }, "amplitude ",
          element("input", { type: "range", id: "amplitude", min: "0.2", max: "3", step: "0.1", value: choices.amplitude }))),
      element("p", { class: "small" }, "Drag to turn, scroll to zoom. Nearest neighbours are joined; the atoms are those of the source that is animated, in so many unit cells that the mode fits."),
    ] : null);
  if (withModes.length) nameElements(crystal, details.modes[withModes[0].key].symbols);
  const density = element("span", { class: "field" }, element("label", { for: "by-element" }, "density of states"),
    element("select", { id: "by-element" }, element("option", { value: "" }, "whole, of all"),
      withModes.map((source) => element("option", { value: source.key, selected: source.key === choices.byElement }, `by element, of ${source.label}`))));
  const polar = details.born ? element("label", { class: "check" },
    element("input", { type: "checkbox", id: "polar", checked: choices.polar }), "LO–TO splitting") : null;
  return [
    element("div", { class: "controls" },
      element("div", { class: "controls", role: "group", "aria-label": "Sources that are drawn" }, boxes),
      element("span", { class: "units" })),
    element("div", { class: "bench" }, crystal,
      element("div", {},
        element("h3", { id: "bands-title" }, "Band structure and density of states"),
        element("div", { class: "controls" }, density, polar),
        element("p", { class: "small", id: "bands-note" }),
        element("div", { id: "bands", class: "plot", role: "img", "aria-labelledby": "bands-title" }))),
    ...sections.flatMap((section) => section.nodes),
    element("h3", { id: "thermodynamics-title" }, "Thermodynamics, per mole of primitive cells"),
    element("p", { class: "small" }, "Lines: every 10 K on the protocol's mesh. Points: the protocol's temperatures, which tables count."),
    element("div", { class: "row" }, THERMODYNAMICS.map(([, , name], index) =>
      element("div", { id: `thermodynamics-${index}`, class: "plot", role: "img", "aria-label": name }))),
  ];
}

async function nameElements(crystal, symbols) {
  const colours = await softmode.elementColours(symbols);
  crystal.querySelector("#elements").replaceChildren(...colours.map(({ symbol, colour }) => {
    const dot = softmode.element("span", { class: "swatch atom" });
    dot.style.background = colour;
    return softmode.element("span", { class: "source" }, dot, symbol);
  }));
}

function drawn(data) {
  return data.sources.filter((source) => !hiddenSources.has(source.key));
}

function drawThermodynamics(Plotly, data, details, [key, title], index) {
  const { temperatures_K: temperatures, smooth } = details.thermodynamics;
  const traces = drawn(data).filter((source) => details.thermodynamics[key][source.key]).flatMap((source) => {
    const line = softmode.lineOf(source);
    const name = softmode.plain(source.label);
    const hovertemplate = "%{y:.2f} at %{x} K<extra>%{fullData.name}</extra>";
    const points = {
      type: "scatter", mode: "markers", name, marker: { size: 6, color: line.color }, hovertemplate,
      x: temperatures, y: details.thermodynamics[key][source.key],
    };
    const values = smooth[key][source.key];
    return values ? [{ type: "scatter", mode: "lines", name, line, hovertemplate, x: smooth.temperatures_K, y: values }, points] : [points];
  });
  const layout = {
    ...softmode.layout(), height: 280, margin: { l: 60, r: 10, t: 10, b: 45 },
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
