// The tools, which decide what a drag over the map does, and a button that fits the map.

import { button, h } from "../dom";
import type { Store, Tool } from "../store";

const NEEDS_KERNEL = new Set<Tool>(["path", "gate"]);

const TOOLS: readonly [Tool, string, string][] = [
  ["lasso", "Lasso", "Draw around samples to select them (L). Shift adds, Alt takes away."],
  ["rectangle", "Rectangle", "Drag a rectangle to select samples (R). Shift adds, Alt takes away."],
  ["pan", "Pan", "Drag to move the map (P). The right mouse button moves it with every tool."],
  ["decode", "Decode", "Drag over the map to see the decoded sample under the pointer (D)."],
  ["path", "Path", "Draw a line over the map to see decoded samples along it (H)."],
  ["gate", "Gate", "Draw around samples to add a gate (G)."],
];

export function toolbar(
  store: Store,
  stage: HTMLElement,
  onFit: () => void,
  signal: AbortSignal,
): HTMLElement {
  const offered = TOOLS.filter(([tool]) => !store.isStatic || !NEEDS_KERNEL.has(tool));
  const tools = offered.map(([tool, label, tooltip]) =>
    button(label, tooltip, () => store.setTool(tool), signal, { "data-tool": tool }),
  );
  const update = () => {
    tools.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.tool === store.tool)));
    stage.dataset.tool = store.tool;
  };
  store.on(["tool"], update, signal);
  update();
  const fit = button("Fit", "Show the whole map (0)", onFit, signal);
  const group = h("div", { class: "es-group", role: "group", "aria-label": "Tool" }, ...tools);
  return h("div", { class: "es-toolbar" }, group, h("span", { class: "es-spring" }), fit);
}
