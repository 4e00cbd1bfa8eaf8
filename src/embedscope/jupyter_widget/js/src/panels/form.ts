// The parameter form, from the kernel's description of its fields: labels, bounds and tooltips are
// the same in all front ends.

import type { Connection } from "../connection";
import { h, option, section } from "../dom";
import type { FormField } from "../messages";
import type { Store } from "../store";
import { learningChoice } from "./learning";

const SHORT_UNIT = 3; // characters; longer units are in the tooltip only

type Input = HTMLInputElement | HTMLSelectElement;

export function parameterForm(
  store: Store,
  connection: Connection,
  signal: AbortSignal,
): HTMLElement {
  const inputs = new Map<string, Input>();
  const groups = new Map<string, HTMLElement[]>();
  for (const field of store.form) {
    const input = inputFor(field);
    inputs.set(field.name, input);
    const change = () => {
      const value = readInput(field, input);
      if (value !== null) connection.setParameters({ [field.name]: value });
      else refuse(field, input);
    };
    input.addEventListener("change", change, { signal });
    const row = h("label", { class: "es-field", title: tooltipOf(field) }, labelOf(field), input);
    groups.set(field.group, [...(groups.get(field.group) ?? []), row]);
  }
  const refuse = (field: FormField, input: Input) => {
    const kind = field.kind === "int" ? "a whole number" : "a number";
    const text = `${field.label} must be ${kind}, ${field.minimum} to ${field.maximum}.`;
    store.setNotice({ text, hint: `${input.value || "Nothing"} was not accepted.` });
    input.value = String(store.parameters[field.name]);
  };
  const update = () => {
    for (const field of store.form) {
      const input = inputs.get(field.name) as Input;
      writeInput(field, input, store.parameters[field.name]);
      input.disabled = Boolean(store.status?.is_running) || store.isStatic || store.isLost;
    }
  };
  store.on(["parameters", "status", "refused"], update, signal);
  update();
  const learning = learningChoice(store, connection, signal);
  return h("div", { class: "es-form" }, arrange(store.form, groups, learning));
}

/** The basic fields are open, all others under one heading. */
function arrange(
  fields: FormField[],
  groups: Map<string, HTMLElement[]>,
  learning: HTMLElement,
): HTMLElement {
  const isBasic = (name: string) => fields.some((field) => field.group === name && field.is_basic);
  const basic = [...groups].filter(([name]) => isBasic(name)).flatMap(([, rows]) => rows);
  const advanced = [...groups]
    .filter(([name]) => !isBasic(name))
    .flatMap(([name, rows]) => [h("h4", {}, name), ...rows]);
  const more = h("details", { class: "es-advanced" }, h("summary", {}, "Advanced"), ...advanced);
  return section("Parameters", true, learning, ...basic, more);
}

/** Long units are in the tooltip, where they do not break the line. */
function labelOf(field: FormField): HTMLElement {
  const isShort = field.unit !== "" && field.unit.length <= SHORT_UNIT;
  return h("span", {}, field.label, isShort ? h("small", {}, ` ${field.unit}`) : null);
}

function tooltipOf(field: FormField): string {
  const unit = field.unit ? ` In ${field.unit}.` : "";
  const { minimum, maximum } = field;
  return `${field.tooltip}${unit}${minimum === null ? "" : ` ${minimum} to ${maximum}.`}`;
}

export function inputFor(field: FormField): Input {
  if (field.kind === "choice") {
    const select = h("select", { name: field.name });
    select.append(...field.choices.map((c) => option(c, c, c === field.default)));
    return select;
  }
  if (field.kind === "bool") return h("input", { type: "checkbox", name: field.name });
  if (field.kind === "text") return h("input", { type: "text", name: field.name });
  const { minimum: min, maximum: max } = field;
  const step = field.kind === "int" ? (field.step ?? 1) : "any";
  return h("input", { type: "number", name: field.name, min, max, step });
}

/** The value in the field's kind, or null if it breaks a bound. */
export function readInput(field: FormField, input: Input): unknown {
  if (field.kind === "bool") return (input as HTMLInputElement).checked;
  if (field.kind === "choice" || field.kind === "text") return input.value;
  const value = Number(input.value);
  const isWhole = field.kind !== "int" || Number.isInteger(value);
  const isAllowed = value >= (field.minimum ?? -Infinity) && value <= (field.maximum ?? Infinity);
  return input.value !== "" && isWhole && isAllowed ? value : null;
}

export function writeInput(field: FormField, input: Input, value: unknown): void {
  if (field.kind === "bool") (input as HTMLInputElement).checked = Boolean(value);
  else if (!input.matches(":focus") || input.value === "") input.value = String(value ?? "");
}
