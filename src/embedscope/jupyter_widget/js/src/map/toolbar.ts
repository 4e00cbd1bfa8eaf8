// What a drag over the map does, and the way back to the whole map.

import { button, h } from "../dom";
import type { Store, Tool } from "../store";

const NEEDS_KERNEL = new Set<Tool>(["path", "gate"]);

const TOOLS: readonly [Tool, string, string][] = [
  ["lasso", "Lasso", "Draw around samples to select them (L). Shift adds, Alt takes away."],
  ["rectangle", "Rectangle", "Drag a rectangle to select samples (R). Shift adds, Alt takes away."],
  ["pan", "Pan", "Drag to move the map (P). The right mouse button moves it with every tool."],
  ["decode", "Decode", "Drag over the map: what would a sample look like there? (D)"],
  ["path", "Path", "Draw a line over the map: what changes along it? (H)"],
  ["gate", "Gate", "Draw around a region to keep it as a named gate (G)."],
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
