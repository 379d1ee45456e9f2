"use strict";
// Files of one entry and source, written by the page itself from what it holds.

/** Return a button that downloads what `write` returns, a text or a promise of one. */
softmode.download = (label, name, write) => softmode.element("button", {
  type: "button", class: "download",
  onclick: async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const text = await write((share) => { button.textContent = `${label} … ${Math.round(100 * share)} %`; });
      const link = softmode.element("a", { href: URL.createObjectURL(new Blob([text], { type: "text/plain" })), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    } catch (error) {
      softmode.problem(error);
    }
    button.textContent = label;
    button.disabled = false;
  },
}, label);

function numbersOf(row, digits) {
  return row.map((value) => value.toFixed(digits).padStart(digits + 6)).join(" ");
}

/** Return the atoms of the unit cell in reduced coordinates: {symbol, mass, at}. */
function unitAtoms(of) {
  const reciprocal = softmode.inverse(softmode.unitLattice(of));
  return of.unit_atoms.map(([j, ...cell]) => {
    const position = softmode.positionOf(of, j, cell);
    const at = [0, 1, 2].map((axis) => position.reduce((sum, x, i) => sum + x * reciprocal[i][axis], 0));
    return { symbol: of.symbols[j], mass: of.masses[j], at };
  });
}

/** Return the unit cell as VASP's POSCAR, in the order of the data set's atoms. */
softmode.poscar = (of, title) => {
  const atoms = unitAtoms(of);
  const groups = [];
  for (const { symbol } of atoms) {
    if (groups.at(-1)?.symbol === symbol) groups.at(-1).number += 1;
    else groups.push({ symbol, number: 1 });
  }
  return [title, "1.0", ...softmode.unitLattice(of).map((row) => numbersOf(row, 8)),
    groups.map((group) => group.symbol).join(" "), groups.map((group) => group.number).join(" "), "Direct",
    ...atoms.map(({ at }) => numbersOf(at, 8)), ""].join("\n");
};

/** Return phonopy_params.yaml with the force constants, as `phonopy-load` reads it. */
softmode.phonopyParams = (of, title) => {
  const n = of.symbols.length;
  const rows = (matrix, digits) => matrix.map((row) => `- [ ${row.map((value) => value.toFixed(digits)).join(", ")} ]`);
  const indented = (lines) => lines.map((line) => `  ${line}`);
  const points = unitAtoms(of).flatMap(({ symbol, mass, at }) => [
    `- symbol: ${symbol}`, `  coordinates: [ ${at.map((x) => x.toFixed(12)).join(", ")} ]`, `  mass: ${mass.toFixed(6)}`]);
  const constants = of.force_constants.flatMap((row) => {
    const lines = [];
    for (let at = 0; at < row.length; at += 9) {
      lines.push("  - # of one pair, eV/Å²");
      for (const first of [0, 3, 6]) {
        lines.push(`    - [ ${row.slice(at + first, at + first + 3).map((value) => (value * of.step_eV_per_A2).toFixed(6)).join(", ")} ]`);
      }
    }
    return lines;
  });
  return [`# ${title}`, "# force constants as the campaign's protocol makes them, to 1e-6 eV/Å²",
    "phonopy:", "  calculator: vasp", "  frequency_unit_conversion_factor: 15.633302", "physical_unit:",
    '  atomic_mass: "AMU"', '  length: "angstrom"', '  force_constants: "eV/angstrom^2"',
    "primitive_matrix:", ...rows(of.primitive_matrix, 15), "supercell_matrix:", ...rows(of.supercell_matrix, 0),
    "unit_cell:", "  lattice:", ...indented(rows(softmode.unitLattice(of), 12)), "  points:", ...indented(points),
    "force_constants:", '  format: "compact"', `  shape: [ ${n}, ${of.of_supercell.length} ]`, "  elements:", ...constants, ""].join("\n");
};

/** Return the band structures of all sources as CSV, one line for each point of the path. */
softmode.bandsCsv = (bands, sources, polar) => {
  const of = sources.map((source) => [source, (polar && bands.polar_THz?.[source.key]) || bands.frequencies_THz[source.key]]).filter(([, found]) => found);
  const header = ["segment", "from", "to", "distance_per_A", "q1", "q2", "q3",
    ...of.flatMap(([source, found]) => found[0].map((_, band) => `${source.key}_band${band + 1}_THz`))];
  const lines = bands.distances.flatMap((distances, segment) => distances.map((distance, point) => [
    segment + 1, ...bands.labels[segment], distance, ...softmode.qOfPath(bands, segment, point).map((x) => x.toFixed(6)),
    ...of.flatMap(([, found]) => found[segment].map((band) => band[point]))].join(",")));
  return [header.join(","), ...lines, ""].join("\n");
};

/** Return the densities of states of all sources, whole and by element, as CSV, one line for each bin. */
softmode.densitiesCsv = ({ step_THz: step, sources }, keys) => {
  const columns = keys.filter((key) => sources[key]).flatMap((key) => {
    const { first_THz: first, states_per_THz: whole, by_element: parts } = sources[key];
    const start = Math.round(first / step);
    return [[key, whole], ...Object.entries(parts).map(([symbol, states]) => [`${key}_${symbol}`, states])]
      .map(([name, states]) => ({ name, states, start, offset: first - start * step }));
  });
  if (!columns.length) return "frequency_THz\n";
  const start = Math.min(...columns.map((column) => column.start));
  const end = Math.max(...columns.map((column) => column.start + column.states.length));
  const lines = [];
  for (let bin = start; bin < end; bin += 1) {
    lines.push([(bin * step + columns[0].offset).toFixed(4), ...columns.map((column) => column.states[bin - column.start] ?? 0)].join(","));
  }
  return [["frequency_THz", ...columns.map((column) => `${column.name}_states_per_THz`)].join(","), ...lines, ""].join("\n");
};

// numbers of eigenvectors in a file at most; with many more, the site that shows it stumbles
const MOST_NUMBERS = 1_500_000;

/** Return the JSON of the phonon website, with eigenvectors along the path; thinned where the cell is large. */
softmode.websiteJson = async (details, source, name, progress) => {
  const of = details.modes[source];
  const { bands } = details;
  const size = 3 * of.symbols.length;
  const total = bands.distances.reduce((sum, distances) => sum + distances.length, 0);
  const stride = Math.max(1, Math.ceil((total * 2 * size * size) / MOST_NUMBERS));
  const found = { qpoints: [], distances: [], eigenvalues: [], vectors: [], line_breaks: [], highsym_qpts: [] };
  for (let segment = 0; segment < bands.distances.length; segment += 1) {
    const start = found.qpoints.length;
    const last = bands.distances[segment].length - 1;
    for (let point = 0; point <= last; point += 1) {
      if (point % stride && point !== last) continue;
      const label = softmode.pointOfPath(bands, segment, point);
      if (label) found.highsym_qpts.push([found.qpoints.length, label]);
      const q = softmode.qOfPath(bands, segment, point);
      const modes = softmode.modesAt(details, source, q);
      found.qpoints.push(q);
      found.distances.push(bands.distances[segment][point]);
      found.eigenvalues.push(modes.frequencies.map((value) => Number((value * softmode.UNITS[1].factor).toFixed(4))));
      found.vectors.push(modes.vectors.map((vector) => of.masses.map((mass, j) => [0, 1, 2].map((axis) =>
        [vector[3 * j + axis], vector[size + 3 * j + axis]].map((x) => Number((x / Math.sqrt(mass)).toFixed(6)))))));
    }
    found.line_breaks.push([start, found.qpoints.length]);
    progress((segment + 1) / bands.distances.length);
    // the page answers between two segments
    await new Promise((resolve) => { setTimeout(resolve); });
  }
  return JSON.stringify({
    name, natoms: of.symbols.length, lattice: of.lattice, atom_types: of.symbols,
    atom_numbers: of.symbols.map((symbol) => softmode.ELEMENTS.indexOf(symbol) + 1), formula: name, repetitions: [3, 3, 3],
    atom_pos_red: of.positions, atom_pos_car: of.positions.map((_, j) => softmode.positionOf(of, j, [0, 0, 0])), ...found,
  });
};

/** Return the buttons of the files of an entry; `polar` says whether LO–TO splitting is drawn. */
softmode.filesOf = (data, position, details, polar) => {
  const { element } = softmode;
  const id = data.entries.id[position];
  const formula = data.entries.formula[position];
  const sources = data.sources.filter((source) => details.modes[source.key]);
  if (!sources.length) return null;
  const select = element("select", { id: "files-of" }, sources.map((source) => element("option", { value: source.key }, source.label)));
  const safe = (text) => text.replace(/[^\w.+-]+/g, "_");
  const buttons = element("span", { class: "controls" });
  const fill = () => {
    const source = sources.find((one) => one.key === select.value);
    const of = details.modes[source.key];
    const stem = safe(`${id}-${source.key}`);
    const title = `${formula} ${id}, ${source.label}, protocol ${data.protocol}`.replace(/\s+/g, " ");
    buttons.replaceChildren(
      softmode.download("POSCAR", `${stem}.POSCAR.vasp`, () => softmode.poscar(of, title)),
      softmode.download("phonopy_params.yaml", `${stem}.phonopy_params.yaml`, () => softmode.phonopyParams(of, title)),
      softmode.download("phononwebsite JSON", `${stem}.phononwebsite.json`, (progress) => softmode.websiteJson(details, source.key, `${formula} ${id} ${source.label}`, progress)));
  };
  select.addEventListener("change", fill);
  fill();
  const { bands } = details;
  return element("div", {}, element("h3", { id: "files" }, "Files"),
    element("div", { class: "controls" }, element("span", { class: "field" }, element("label", { for: "files-of" }, "of"), select), buttons),
    element("div", { class: "controls" }, "of all sources ",
      bands ? softmode.download("bands, CSV", `${safe(id)}-bands.csv`, () => softmode.bandsCsv(bands, data.sources, polar())) : null,
      softmode.download("densities of states, CSV", `${safe(id)}-densities.csv`, () => softmode.densitiesCsv(details.density_of_states, data.sources.map((source) => source.key)))),
    element("p", { class: "small" }, "phonopy_params.yaml has the force constants, which ", element("code", {}, "phonopy-load"),
      " reads; ", element("code", {}, "softmode export"), " writes the forces that they come of, too."));
};
