"use strict";
// The list of all entries, and the search in it.

const PAGE = 200;
/** The elements in the order of their numbers. */
softmode.ELEMENTS = (
  "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr " +
  "Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir " +
  "Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr"
).split(" ");
const isElement = (text) => softmode.ELEMENTS.includes(text);

/** Return the composition of a formula such as SiO2, divided by its common factor; null if the text is none. */
softmode.composition = (text) => {
  if (!/^(?:[A-Z][a-z]?\d*)+$/.test(text)) return null;
  const counts = new Map();
  for (const [, symbol, number] of text.matchAll(/([A-Z][a-z]?)(\d*)/g)) {
    if (!isElement(symbol)) return null;
    counts.set(symbol, (counts.get(symbol) || 0) + Number(number || 1));
  }
  const divisor = (a, b) => (b ? divisor(b, a % b) : a);
  const common = [...counts.values()].reduce((a, b) => divisor(a, b));
  return [...counts].map(([symbol, count]) => `${symbol}${count / common}`).sort().join(" ");
};

/** Return whether an entry is what was searched for: every word must be one of its elements, its formula, in its id, or
 *  the verdict of a source on its stability (chgnet=unstable). */
softmode.matches = (words, entry) => words.every((word) => {
  const verdict = /^([\w.-]+)=(stable|unstable|failed)$/.exec(word);
  if (verdict) return entry.verdicts[verdict[1]] === verdict[2];
  if (isElement(word)) return entry.elements.includes(word) || entry.id === word;
  const composition = softmode.composition(word);
  if (composition && composition === entry.composition) return true;
  const low = word.toLowerCase();
  return entry.id.toLowerCase().includes(low) || entry.formula.toLowerCase().includes(low);
});

const listing = { rows: [], shown: PAGE, sorted: null };

softmode.views.entries = async (search) => {
  const data = await softmode.campaign();
  const input = document.getElementById("search");
  const which = document.getElementById("which");
  if (!listing.rows.length) {
    listing.rows = allRows(data);
    makeTable(data);
    input.addEventListener("input", () => {
      history.replaceState(null, "", input.value.trim() ? `#entries/${encodeURIComponent(input.value.trim())}` : "#entries");
      listing.shown = PAGE;
      fill(data);
    });
    which.addEventListener("change", () => { listing.shown = PAGE; fill(data); });
    document.getElementById("more").addEventListener("click", () => { listing.shown += PAGE; fill(data); });
  }
  input.value = search;
  fill(data);
};

function allRows(data) {
  const { entries } = data;
  return entries.id.map((id, position) => ({
    position,
    id,
    formula: entries.formula[position],
    composition: softmode.composition(entries.formula[position]),
    elements: entries.elements[position].split(" "),
    verdicts: Object.fromEntries(data.sources.map((source) => [source.key, data.outcomes[source.key]?.[position] ?? null])),
    outcomes: data.sources.map((source) => data.outcomes[source.key]?.[position] ?? null),
  }));
}

function sortKeys(data, row) {
  const { entries } = data;
  return [row.id, row.formula, entries.space_group[row.position], entries.crystal_system[row.position],
    entries.n_sites[row.position], ...row.outcomes];
}

function makeTable(data) {
  const { element } = softmode;
  const titles = ["entry", "formula", "space group", "crystal system", "atoms"];
  const header = element("tr", {},
    titles.map((title) => element("th", title === "atoms" ? { class: "number" } : {}, title)),
    data.sources.map((source) => element("th", {}, softmode.sourceName(source))));
  document.getElementById("entry-list").replaceChildren(element("thead", {}, header), element("tbody"));
  softmode.sortButtons(header, (column, direction) => {
    listing.sorted = [column, direction];
    fill(data);
  });
}

function chosen(row, which) {
  if (!softmode.data.hasReference) {
    if (which === "disagree") return row.outcomes.includes("stable") && row.outcomes.includes("unstable");
    return which === "all" || row.outcomes.includes(which);
  }
  const [reference, ...others] = row.outcomes;
  const judged = others.filter((outcome) => outcome && outcome !== "failed");
  if (which === "failed") return others.includes("failed");
  if (which === "disagree") return ["stable", "unstable"].includes(reference) && judged.some((one) => one !== reference);
  if (which === "unstable") return reference === "unstable";
  return true;
}

function fill(data) {
  const words = document.getElementById("search").value.trim().split(/[\s,]+/).filter((word) => word);
  const which = document.getElementById("which").value;
  let found = listing.rows.filter((row) => softmode.matches(words, row) && chosen(row, which));
  if (listing.sorted) {
    const [column, direction] = listing.sorted;
    const withKeys = found.map((row) => [sortKeys(data, row)[column], row]);
    found = withKeys.sort(([one], [other]) => softmode.compare(one, other, direction)).map(([, row]) => row);
  }
  // the way from an entry to its neighbours
  softmode.order = found.map((row) => row.position);
  const shown = found.slice(0, listing.shown);
  document.querySelector("#entry-list tbody").replaceChildren(...shown.map((row) => entryRow(data, row)));
  document.getElementById("found").textContent =
    `${found.length} of ${listing.rows.length} entries` + (shown.length < found.length ? `, the first ${shown.length} shown` : "");
  document.getElementById("more").hidden = shown.length === found.length;
}

function entryRow(data, row) {
  const { element } = softmode;
  const { entries } = data;
  const [reference] = row.outcomes;
  const cells = row.outcomes.map((outcome, index) => {
    if (outcome === null) return element("td", {}, softmode.NOTHING);
    const wrong = data.hasReference && index > 0 && outcome !== "failed" && reference !== "failed" && outcome !== reference;
    return element("td", { class: outcome === "failed" ? "failed" : wrong ? "wrong" : "outcome" }, wrong ? `${outcome}\u00a0≠` : outcome);
  });
  return element("tr", {},
    element("td", {}, element("a", { href: softmode.entryLink(row.position) }, row.id)),
    element("td", {}, softmode.formula(row.formula)),
    element("td", {}, `${entries.space_group[row.position]} ${entries.space_group_symbol[row.position]}`),
    element("td", {}, entries.crystal_system[row.position]),
    element("td", { class: "number" }, entries.n_sites[row.position]),
    cells);
}
