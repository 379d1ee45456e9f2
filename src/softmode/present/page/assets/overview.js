"use strict";
// The overview: what each potential says of stability, against the reference.

const CLASSES = ["stable", "unstable"];
const OUTCOMES = ["stable", "unstable", "failed"];

softmode.views.overview = async (part) => {
  const data = await softmode.campaign();
  const place = document.getElementById("confusion");
  // without a reference there is none
  if (place && !place.children.length) place.append(...data.potentials.map((source) => matrixOf(data, source)));
  const target = part && document.getElementById(part);
  if (target) target.scrollIntoView();
};

/** Return the confusion matrix of one source: numbers, shaded by their share of the reference's class. */
function matrixOf(data, source) {
  const { element } = softmode;
  const expected = data.outcomes.reference ?? [];
  const found = data.outcomes[source.key] ?? [];
  const count = (of, outcome) => expected.filter((one, at) => one === of && found[at] === outcome).length;
  const rows = CLASSES.map((of) => {
    const numbers = OUTCOMES.map((outcome) => count(of, outcome));
    const total = numbers.reduce((sum, number) => sum + number, 0);
    return element("tr", {}, element("th", { scope: "row" }, `${of} (${total})`), numbers.map((number, at) => {
      const share = total ? number / total : 0;
      const right = OUTCOMES[at] === of;
      const search = `reference=${of} ${source.key}=${OUTCOMES[at]}`;
      const cell = element("td", { class: right ? "right" : "wrong-share" },
        element("a", { href: `#entries/${encodeURIComponent(search)}`, title: search }, number),
        element("span", { class: "small" }, total ? ` ${Math.round(100 * share)} %` : ""));
      cell.style.setProperty("--share", `${Math.round(100 * share)}%`);
      return cell;
    }));
  });
  return element("table", { class: "confusion" },
    element("caption", {}, softmode.sourceName(source)),
    element("thead", {}, element("tr", {}, element("th", {}, `${data.sources[0].label} says`), OUTCOMES.map((title) => element("th", {}, title)))),
    element("tbody", {}, rows));
}
