"use strict";
// Tables that are sorted by a click on a column's title.

/** Return what a cell is sorted by: a number if it begins with one (413 k and 1.58 M count), else its text. */
softmode.sortKey = (text) => {
  const found = /^\s*([-−+]?\d[\d,]*\.?\d*(?:e[-+−]?\d+)?)(?:\s*([kM])\b)?(?=$|[\s,%[(*])/.exec(text);
  if (!found) return text.trim();
  const factor = { k: 1e3, M: 1e6 }[found[2]] || 1;
  return factor * Number(found[1].replace(/,/g, "").replace(/−/g, "-"));
};

/** Compare two keys; what is missing comes last in either direction. */
softmode.compare = (one, other, direction) => {
  const missing = (key) => key === null || key === undefined || key === "" || key === softmode.NOTHING;
  if (missing(one) || missing(other)) return missing(one) - missing(other);
  if (typeof one === "number" && typeof other === "number") return direction * (one - other);
  return direction * String(one).localeCompare(String(other), "en", { numeric: true });
};

/** Make the titles of a table's columns buttons that call `sort(column, direction)`; direction is 1 or -1. */
softmode.sortButtons = (header, sort) => {
  const cells = [...header.cells];
  cells.forEach((cell, column) => {
    const button = softmode.element("button", { type: "button", class: "sort", title: "sort by this column" });
    button.append(...cell.childNodes);
    cell.append(button);
    button.addEventListener("click", () => {
      const direction = cell.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
      sort(column, direction);
    });
  });
};

softmode.makeSortable = (table) => {
  const body = table.tBodies[0];
  softmode.sortButtons(table.tHead.rows[0], (column, direction) => {
    const rows = [...body.rows].map((row) => [softmode.sortKey(row.cells[column].textContent), row]);
    rows.sort(([one], [other]) => softmode.compare(one, other, direction));
    body.append(...rows.map(([, row]) => row));
  });
};

document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.sortable")) softmode.makeSortable(table);
});

softmode.views.tables = (name) => {
  const article = name && document.getElementById(`table-${name}`);
  if (article) article.scrollIntoView();
};
