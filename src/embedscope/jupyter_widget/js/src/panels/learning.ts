// What the next map learns from: what the samples show, or columns of their table; and what the
// present one does. The choice is the page's own until Train sends it.

import type { Connection } from "../connection";
import { h, option } from "../dom";
import type { Store } from "../store";

const TOOLTIP =
  "What the map learns from: what the samples show, or columns of their table, such as measurements " +
  "or deep features. Pictures are shown and decoded all the same.";
const MOST_NAMED = 3; // columns in a sentence; all are in its tooltip

export function learningChoice(
  store: Store,
  connection: Connection,
  signal: AbortSignal,
): HTMLElement {
  const choice = h("select", { name: "learn_from" });
  const row = h(
    "label",
    { class: "es-field es-learn", title: TOOLTIP },
    h("span", {}, "Learn from"),
    choice,
  );
  const list = h("div", {
    class: "es-columns",
    role: "group",
    "aria-label": "Columns",
    title: "Columns of numbers that the map is trained on.",
  });
  const said = h("p", { class: "es-caption", role: "status" });
  let boxes: [string, HTMLInputElement][] = [];
  const ticked = () => boxes.filter(([, box]) => box.checked).map(([name]) => name);
  const choose = () => connection.learnFrom(choice.value === "columns" ? ticked() : choice.value);
  choice.addEventListener("change", choose, { signal });
  list.addEventListener("change", choose, { signal });
  const offer = (names: string[]) => {
    if (names.length === boxes.length && names.every((name, i) => name === boxes[i][0])) return;
    boxes = names.map((name) => [name, h("input", { type: "checkbox", checked: true })]);
    list.replaceChildren(
      ...boxes.map(([name, box]) => h("label", { title: name }, box, h("span", {}, name))),
    );
  };
  const update = () => {
    const { catalog, status, learning } = store;
    const names = catalog?.learn_columns ?? [];
    const kind = learning?.kind ?? catalog?.learned_kind ?? "shown";
    const isOther = catalog?.learned_kind === "array" || catalog?.learned_kind === "function";
    row.hidden = store.isStatic || !(names.length || isOther);
    choice.replaceChildren(
      option("shown", catalog?.is_image ? "pixels" : "whole rows", kind === "shown"),
      ...(names.length ? [option("columns", "columns of the table", kind === "columns")] : []),
      ...(isOther && catalog ? [option("given", catalog.learns_from, kind === catalog.learned_kind)] : []),
    );
    offer(names);
    const columns = learning?.columns ?? catalog?.learned_columns ?? [];
    if (kind === "columns") for (const [name, box] of boxes) box.checked = columns.includes(name);
    list.hidden = row.hidden || kind !== "columns";
    const isActive = Boolean(status?.is_running || status?.is_paused) || store.isLost;
    choice.disabled = isActive;
    for (const [, box] of boxes) box.disabled = isActive;
    said.hidden = !catalog?.n_samples || (row.hidden && !store.isStatic);
    said.textContent = describeLearning(store);
    said.title = columns.length > MOST_NAMED && kind === "columns" ? columns.join(", ") : "";
    said.classList.toggle("es-warning", whyNoTraining(store) !== "");
  };
  store.on(["catalog", "status", "learning", "parameters"], update, signal);
  update();
  return h("div", {}, row, list, said);
}

/** Why the chosen columns cannot be trained on; empty if they can. */
export function whyNoTraining({ learning, parameters }: Store): string {
  if (learning?.kind !== "columns") return "";
  if (!learning.columns.length) return "Choose at least one column.";
  if ("alike" in parameters && parameters.alike !== "pixels")
    return "Set What is alike to pixels: columns are compared as they are.";
  return "";
}

/** One sentence: what the present map learns from, or the next. */
export function describeLearning(store: Store): string {
  const { learning, catalog } = store;
  const problem = whyNoTraining(store);
  if (problem) return problem;
  if (learning) {
    const shown = catalog?.is_image ? "pixels" : "whole rows";
    const what = learning.kind === "columns" ? named(learning.columns) : shown;
    return `The next map learns from ${what}: press Train.`;
  }
  const columns = catalog?.learned_columns ?? [];
  return `The map learns from ${columns.length ? named(columns) : (catalog?.learns_from ?? "")}.`;
}

function named(columns: string[]): string {
  return columns.length > MOST_NAMED ? `${columns.length} columns` : columns.join(", ");
}
