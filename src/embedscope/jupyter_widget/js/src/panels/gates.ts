// The list of gates: count, select, edit, combine, rename, remove.

import { modeOf } from "../bits";
import type { Connection } from "../connection";
import { button, grouped, h, option } from "../dom";
import type { CombineGates, GateItem } from "../messages";
import type { Store } from "../store";

export function gatePanel(store: Store, connection: Connection, signal: AbortSignal): HTMLElement {
  const list = h("div", { class: "es-gates", role: "list", "aria-label": "Gates" });
  const combine = combination(store, connection, signal);
  const empty = h(
    "p",
    { class: "es-caption" },
    store.isStatic ? "None." : "Draw around samples with the Gate tool to add a gate.",
  );
  const rows: GateRow[] = [];
  const update = () => {
    while (rows.length < store.gates.length) rows.push(new GateRow(store, connection, signal));
    rows.splice(store.gates.length).forEach((row) => row.element.remove());
    rows.forEach((row, i) => row.show(store.gates[i]));
    // Rows that are in the list already are not moved: they keep the focus and the typed text.
    list.append(...rows.map((row) => row.element).filter((row) => row.parentNode !== list));
    empty.hidden = rows.length > 0;
    list.hidden = rows.length === 0; // a list without items is not accessible
    combine.hidden = rows.length < 2 || store.isStatic;
  };
  store.on(["gates", "catalog"], update, signal);
  store.on(["refused"], () => rows.forEach((row) => row.reset()), signal);
  update();
  return h("div", {}, empty, list, combine);
}

/** A row is used again: it shows the gate that has its index now. */
class GateRow {
  private gate: GateItem | null = null;
  private readonly color: HTMLInputElement;
  private readonly label: HTMLInputElement;
  private readonly count = h("span", { class: "es-number" });
  private readonly select: HTMLButtonElement;
  private readonly edit: HTMLButtonElement;
  private readonly why: HTMLButtonElement;
  private readonly remove: HTMLButtonElement;
  readonly element: HTMLElement;

  constructor(
    private readonly store: Store,
    connection: Connection,
    signal: AbortSignal,
  ) {
    const name = () => this.gate?.name ?? "";
    const disabled = store.isStatic;
    this.color = h("input", { type: "color", disabled });
    this.color.addEventListener(
      "change",
      () => connection.editGate(name(), { color: this.color.value }),
      { signal },
    );
    this.label = h("input", { type: "text", class: "es-plain", disabled });
    this.label.addEventListener("change", () => this.rename(connection), { signal });
    this.label.addEventListener("keydown", (event) => event.key === "Escape" && this.reset(), {
      signal,
    });
    this.select = button(
      "Select",
      "Select its samples. Shift adds, Alt takes away.",
      (event) => connection.selectGate(name(), modeOf(event)),
      signal,
    );
    this.edit = button("Edit", "Move its corners", () => store.toggleEdited(name()), signal);
    this.why = button(
      "Why",
      "What drives the position of its samples on the map?",
      () => connection.wantGateExplanation(name()),
      signal,
    );
    this.remove = button(
      "Remove",
      "Remove the gate; its samples stay",
      () => connection.removeGate(name()),
      signal,
    );
    const actions = h("div", { class: "es-gate-actions" });
    actions.append(this.select, this.edit, this.why, this.remove);
    actions.hidden = store.isStatic;
    this.element = h(
      "div",
      { class: "es-gate-row", role: "listitem" },
      this.color,
      this.label,
      this.count,
      actions,
    );
  }

  show(gate: GateItem): void {
    const isOther = gate.name !== this.gate?.name;
    this.gate = gate;
    this.count.textContent = `${grouped(gate.count)} · ${(100 * gate.share).toFixed(1)} %`;
    this.color.value = gate.color;
    if (isOther || !this.label.matches(":focus")) this.reset();
    this.edit.hidden = gate.polygon === null;
    this.why.disabled = !this.store.catalog?.can_explain || gate.count === 0;
    this.edit.setAttribute("aria-pressed", String(this.store.editedGate === gate.name));
    const named = {
      [`Colour of gate ${gate.name}`]: this.color,
      [`Name of gate ${gate.name}`]: this.label,
      [`Select gate ${gate.name}`]: this.select,
      [`Edit gate ${gate.name}`]: this.edit,
      [`Why gate ${gate.name} is where it is`]: this.why,
      [`Remove gate ${gate.name}`]: this.remove,
    };
    for (const [text, control] of Object.entries(named)) control.setAttribute("aria-label", text);
    this.element.title = gate.operation ? `${gate.operation} of ${gate.members.join(", ")}` : "";
  }

  /** Replaces what was typed by the name of the gate. */
  reset(): void {
    this.label.value = this.gate?.name ?? "";
  }

  private rename(connection: Connection): void {
    const { gate } = this;
    const name = this.label.value.trim();
    if (!gate || name === gate.name) this.reset();
    else connection.editGate(gate.name, { new_name: name });
  }
}

function combination(store: Store, connection: Connection, signal: AbortSignal): HTMLElement {
  const first = h("select", { "aria-label": "First gate" });
  const operation = h("select", { "aria-label": "How to combine" });
  operation.append(
    option("intersection", "and", true),
    option("union", "or", false),
    option("difference", "without", false),
  );
  const second = h("select", { "aria-label": "Second gate" });
  const make = button(
    "Combine",
    "Make a gate of these two; it changes with them",
    () =>
      connection.combineGates(operation.value as CombineGates["operation"], [
        first.value,
        second.value,
      ]),
    signal,
  );
  const update = () => {
    const names = store.gates.map((gate) => gate.name);
    fill(first, names);
    const others = names.filter((name) => name !== first.value); // no gate with itself
    fill(second, others);
  };
  first.addEventListener("change", update, { signal });
  store.on(["gates"], update, signal);
  update();
  return h("div", { class: "es-row es-combine" }, first, operation, second, make);
}

/** Keeps the choice if it is still there. */
function fill(select: HTMLSelectElement, names: string[]): void {
  const chosen = select.value;
  select.replaceChildren(...names.map((name) => option(name, name, name === chosen)));
}
