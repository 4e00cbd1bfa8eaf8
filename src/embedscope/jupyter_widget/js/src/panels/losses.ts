// The loss curves, growing while the network learns.

import uPlot from "uplot";

import { h } from "../dom";
import type { Store } from "../store";

const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"];
const HEIGHT = 150;
const GRID_ALPHA = 0.2;

export function lossPlot(store: Store, signal: AbortSignal): HTMLElement {
  const place = h("div", { class: "es-losses" });
  const empty = h("p", { class: "es-caption" }, "The curves appear while training.");
  const element = h("div", {}, empty, place);
  let plot: uPlot | null = null;
  let drawn = "";

  const draw = () => {
    const { names, epochs, columns } = store.losses;
    empty.hidden = epochs.length > 0;
    place.hidden = epochs.length === 0;
    if (!epochs.length || !place.clientWidth) return;
    const key = names.join();
    if (!plot || drawn !== key) {
      plot?.destroy();
      plot = new uPlot(options(names, place), [epochs, ...columns], place);
      drawn = key;
    } else {
      plot.setData([epochs, ...columns]);
    }
  };
  let frame = 0;
  const soon = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      draw();
    });
  };
  store.on(["losses"], soon, signal);
  store.on(["theme"], () => plot?.redraw(false, true), signal);
  const sized = new ResizeObserver(() => {
    plot?.setSize({ width: place.clientWidth, height: HEIGHT });
    soon();
  });
  sized.observe(element);
  signal.addEventListener("abort", () => {
    sized.disconnect();
    cancelAnimationFrame(frame);
    plot?.destroy();
  });
  soon();
  return element;
}

function options(names: string[], place: HTMLElement): uPlot.Options {
  const grid = { stroke: () => inkOf(place, GRID_ALPHA), width: 1 };
  const ticks = { ...grid, size: 4 };
  const axis = { stroke: () => inkOf(place, 1), grid, ticks, font: "11px system-ui" };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false },
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 24 },
      { ...axis, size: 42 },
    ],
    series: [
      { label: "epoch" },
      ...names.map((label, i) => ({
        label,
        stroke: COLORS[i % COLORS.length],
        width: 1.5,
        points: { show: false },
      })),
    ],
    hooks: { init: [(plot) => place.prepend(key(names, plot))] },
  };
}

/** The text's colour as it is now, since themes change while a plot stands. */
function inkOf(place: HTMLElement, alpha: number): string {
  const [r, g, b, own = 1] =
    getComputedStyle(place)
      .color.match(/[\d.]+/g)
      ?.map(Number) ?? [];
  return `rgba(${r}, ${g}, ${b}, ${own * alpha})`;
}

/** Our own key, since uPlot's is as tall as the plot. */
function key(names: string[], plot: uPlot): HTMLElement {
  plot.root.parentElement?.querySelector(".es-key")?.remove();
  const items = names.map((name, i) => {
    const swatch = h("i", { class: "es-swatch" });
    swatch.style.background = COLORS[i % COLORS.length];
    return h("span", {}, swatch, name.replaceAll("_", " "));
  });
  return h("div", { class: "es-key" }, ...items);
}
