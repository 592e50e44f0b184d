"use strict";
// Sorts and filters tables of members. Without it all rows stand there, gravest first.
for (const form of document.querySelectorAll("[data-filters]")) {
  const table = document.getElementById(form.dataset.filters);
  const body = table.tBodies[0];
  const all = () => [...body.rows].filter(row => row.dataset.word !== undefined);
  let rows = all();
  const heads = [...table.tHead.rows[0].cells];
  const compare = new Intl.Collator("en", {numeric: true}).compare;
  const named = name => form.elements.namedItem(name);

  function key(row, column) {
    const cell = row.cells[column];
    return cell.dataset.key === undefined ? cell.textContent.trim() : cell.dataset.key;
  }

  function sort(column, descending) {
    const sign = descending ? -1 : 1;
    body.append(...[...rows].sort((one, other) => sign * compare(key(one, column), key(other, column))));
    heads.forEach((head, place) => {
      if (place === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  function filter() {
    const text = named("text").value.toLowerCase();
    const word = named("word").value;
    const changed = named("changed") !== null && named("changed").checked;
    let shown = 0;
    for (const row of rows) {
      const fits = row.cells[0].textContent.toLowerCase().includes(text) &&
        (!word || row.dataset.word === word) && (!changed || row.dataset.changed === "1");
      row.hidden = !fits;
      shown += fits;
    }
    form.querySelector("output").textContent = `${shown} of ${rows.length} shown`;
  }

  heads.forEach((head, column) => {
    if (!head.dataset.sort) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => sort(column, head.getAttribute("aria-sort") === "ascending"));
  });
  form.addEventListener("input", filter);
  form.addEventListener("change", filter);
  form.addEventListener("submit", event => event.preventDefault());
  named("order").addEventListener("change", event => sort(Number(event.target.value), false));
  // The dashboard renews the table of a run that goes on.
  document.addEventListener("members-renewed", () => {
    rows = all();
    filter();
  });
  filter();
  form.hidden = false;
}
