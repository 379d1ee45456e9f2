"use strict";
// What all views share: data that arrive as scripts (a page opened from disk may not fetch), elements, navigation.
// Texts of the campaign reach the document as text nodes only, never as HTML.

// sections: what studies show of an entry, by their names: functions of the campaign's data, of what the study's
// `on_page` gives and of all that the page has of the entry, which return {nodes, draw(Plotly, {sources, marked, animate(source, band, frequency in THz)})}
const softmode = { views: {}, sections: {}, data: null };

// ---- data

softmode._promises = new Map();
softmode._waiting = new Map();

/** Called by each script in data/; a text is compressed JSON. */
softmode.receive = (name, content) => {
  const waiting = softmode._waiting.get(name);
  if (waiting) waiting.resolve(typeof content === "string" ? inflated(content).catch(waiting.reject) : content);
};

/** Return the values of JSON that is compressed with zlib, in base64. */
async function inflated(text) {
  if (!window.DecompressionStream) throw new Error("This browser is too old to read the data of this page; one of 2023 or later does.");
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

/** Return a promise of the content of data/NAME.js. */
softmode.load = (name) => {
  if (!softmode._promises.has(name)) {
    softmode._promises.set(name, new Promise((resolve, reject) => {
      softmode._waiting.set(name, { resolve, reject });
      softmode.addScript(`data/${name}.js`).catch(reject);
    }));
  }
  return softmode._promises.get(name);
};

softmode.addScript = (path) => new Promise((resolve, reject) => {
  const script = document.createElement("script");
  script.src = path;
  script.onload = resolve;
  script.onerror = () => reject(new Error(`${path} could not be loaded: was the whole folder copied?`));
  document.head.append(script);
});

/** The campaign's data, with what is derived from them. */
softmode.campaign = async () => {
  if (!softmode.data) {
    const data = await softmode.load("campaign");
    data.position = new Map(data.entries.id.map((id, position) => [id, position]));
    data.potentials = data.sources.filter((source) => source.key !== "reference");
    data.hasReference = data.sources.some((source) => source.key === "reference");
    data.hasDetails = new Set(data.details);
    softmode.data = data;
  }
  return softmode.data;
};

/** Plotly is five megabytes: it is loaded when there is something to draw. */
softmode.plotly = async () => {
  if (!softmode._plotly) softmode._plotly = softmode.addScript("assets/plotly.min.js");
  await softmode._plotly;
  return window.Plotly;
};

// ---- elements and texts

/** Return an element; children that are strings become text. */
softmode.element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined).map((child) =>
    child instanceof Node ? child : String(child)));
  return made;
};

/** Return a text as Plotly shows it, which reads some HTML in texts. */
softmode.plain = (text) =>
  String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

softmode.NOTHING = "–";

/** Return a number with so many digits after the point, with a real minus sign. */
softmode.fixed = (value, digits) =>
  value === null || value === undefined ? softmode.NOTHING : value.toFixed(digits).replace("-", "−");

/** Return a number with four significant digits. */
softmode.short = (value) => {
  if (value === null || value === undefined) return softmode.NOTHING;
  const size = Math.abs(value) < 5e-5 ? 0 : Math.abs(value);
  return softmode.fixed(size && value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 0.1 || size === 0 ? 3 : 4);
};

/** Return a formula with its numbers set low. */
softmode.formula = (text) => {
  const parts = String(text).split(/(\d+)/).filter((part) => part !== "");
  return softmode.element("span", { class: "formula" },
    parts.map((part) => (/^\d+$/.test(part) ? softmode.element("sub", {}, part) : part)));
};

/** Return the name of a source beside its colour. */
softmode.sourceName = (source) => {
  const swatch = softmode.element("span", { class: "swatch" });
  swatch.style.background = source.key === "reference" ? "var(--ink)" : source.colour;
  return softmode.element("span", { class: "source" }, swatch, source.label);
};

/** Return a symbol such as \omega_\mathrm{max} in the HTML that Plotly reads. */
softmode.symbol = (latex) => latex
  .replace(/\\omega/g, "ω")
  .replace(/_\\mathrm\{(\w+)\}/g, "<sub>$1</sub>")
  .replace(/_(\w)/g, "<sub>$1</sub>");

softmode.entryLink = (position) =>
  `#entry/${encodeURIComponent(softmode.data.entries.id[position])}`;

softmode.openEntry = (position) => { location.hash = softmode.entryLink(position); };

// ---- drawing

/** Return a colour of the theme, such as --ink of page.css. */
softmode.colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

softmode.layout = () => ({
  font: { family: "system-ui, sans-serif", size: 13, color: softmode.colour("--ink") },
  paper_bgcolor: softmode.colour("--paper"), plot_bgcolor: softmode.colour("--paper"), showlegend: false, hovermode: "closest",
});
softmode.zeroLine = () => ({
  type: "line", xref: "paper", x0: 0, x1: 1, y0: 0, y1: 0, line: { color: softmode.colour("--ink"), width: 1, dash: "dot" },
});
softmode.CONFIG = {
  responsive: true,
  displaylogo: false,
  modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
  toImageButtonOptions: { format: "svg" },
};
softmode.axis = (title, more = {}) => ({
  title: { text: title, standoff: 8 },
  zeroline: false,
  gridcolor: softmode.colour("--grid"),
  linecolor: softmode.colour("--tick"),
  ticks: "outside",
  tickcolor: softmode.colour("--tick"),
  automargin: true,
  ...more,
});

// ---- navigation

softmode.problem = (error) => {
  const notice = document.getElementById("problem");
  notice.textContent = error ? error.message : "";
  notice.hidden = !error;
};

softmode.route = async () => {
  const [name, ...rest] = location.hash.slice(1).split("/");
  let argument = rest.join("/");
  try {
    argument = decodeURIComponent(argument);
  } catch {
    argument = "";
  }
  const shown = document.getElementById(`view-${name}`) ? name : "overview";
  const first = softmode.shown === undefined;
  const changed = softmode.shown !== shown;
  softmode.shown = shown;
  for (const section of document.querySelectorAll("main > section")) {
    section.classList.toggle("current", section.id === `view-${shown}`);
  }
  for (const link of document.querySelectorAll("header nav a")) {
    const current = link.hash === `#${shown}` || (shown === "entry" && link.hash === "#entries");
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  softmode.problem(null);
  if (changed || shown === "entry") window.scrollTo(0, 0);
  try {
    if (softmode.views[shown]) await softmode.views[shown](argument);
    if (changed && !first) document.querySelector("section.current h2")?.focus({ preventScroll: true });
  } catch (error) {
    softmode.problem(error);
  }
};

/** Take a theme, light or dark, for this page and the next time where the browser remembers it. */
softmode.setTheme = (theme) => {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("softmode-theme", theme);
  } catch {
    // a browser that keeps nothing of pages from disk
  }
  softmode.route();
};

// ← and → lead to the neighbours of an entry, wherever they mean nothing else
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || softmode.shown !== "entry") return;
  if (event.target.closest?.("input, select, textarea, .js-plotly-plot, .scroll")) return;
  const link = document.querySelector({ ArrowLeft: "a[data-step=previous]", ArrowRight: "a[data-step=next]" }[event.key] ?? "none");
  if (link) { event.preventDefault(); location.hash = link.hash; }
});

document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("theme").addEventListener("click", () =>
    softmode.setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  softmode.route();
  window.addEventListener("hashchange", softmode.route);
});
