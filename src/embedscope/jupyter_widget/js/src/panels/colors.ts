// Choices of the colouring and its palette, and the legend.

import type { Connection } from "../connection";
import { h, option } from "../dom";
import type { SetColors } from "../messages";
import type { Store } from "../store";
import { legend } from "./legend";

const AUTOMATIC = "automatic";
const DIVERGING = ["RdBu_r", "PuOr_r", "coolwarm"]; // zero is the middle colour

export type ColorChange = Partial<Omit<SetColors, "t" | "req">>;

export function colorPanel(store: Store, connection: Connection, signal: AbortSignal): HTMLElement {
  const choice = h("select", { "aria-label": "Colour by", title: "Colour by" });
  const palette = h("select", {
    "aria-label": "Palette",
    title: "Colours of numbers; those with a middle are for values below and above zero",
  });
  const change = (what: ColorChange) => {
    if (store.colors) connection.setColors({ ...choiceOf(store), ...what });
  };
  choice.addEventListener(
    "change",
    () => {
      const [by, ...name] = choice.value.split(":");
      connection.setColors({ by, name: name.join(":") });
    },
    { signal },
  );
  palette.addEventListener("change", () => change({ palette: palette.value, hidden: [] }), {
    signal,
  });
  const paletteLabel = h("label", { class: "es-inline" }, "Palette", palette);
  const note = h("p", { class: "es-caption" });
  const update = () => {
    const { colors, catalog } = store;
    const chosen = `${colors?.by ?? "none"}:${colors?.name ?? ""}`;
    choice.replaceChildren(
      ...(catalog?.color_choices ?? []).map((c) =>
        option(`${c.by}:${c.name}`, c.label, `${c.by}:${c.name}` === chosen),
      ),
    );
    palette.replaceChildren(...paletteOptions(store));
    paletteLabel.hidden = store.isStatic || !colors?.palettes.length;
    note.textContent = colors?.note ?? "";
    note.hidden = note.textContent === "";
  };
  store.on(["colors", "catalog", "refused"], update, signal);
  update();
  return h(
    "div",
    { class: "es-colors" },
    h(
      "div",
      { class: "es-row es-between" },
      h("label", { class: "es-inline" }, "Colour by", choice),
      paletteLabel,
    ),
    legend(store, change, signal),
    note,
  );
}

/** The last choice, answered or not: a change keeps the rest of it. */
function choiceOf({ colors, requestedColors }: Store): Required<ColorChange> {
  if (requestedColors) return requestedColors;
  return {
    by: colors?.by ?? "none",
    name: colors?.name ?? "",
    palette: colors?.palette ?? "",
    limits: colors?.has_own_limits ? colors.limits : null,
    hidden: (colors?.legend ?? []).filter((item) => !item.visible).map((item) => item.label),
  };
}

function paletteOptions({ colors }: Store): HTMLOptionElement[] {
  if (!colors) return [];
  const { palette, palettes } = colors;
  const known = palettes.includes(palette) || !palette ? palettes : [palette, ...palettes];
  return ["", ...known].map((name) => option(name, labelOf(name), name === palette));
}

function labelOf(palette: string): string {
  if (!palette) return AUTOMATIC;
  const name = palette.replace("_r", "");
  return DIVERGING.includes(palette) ? `${name} (with a middle)` : name;
}
