// The loss curves during training: one small plot for each loss, solid for the training samples and
// dashed for those held out; and the explained variance of held-out samples.

import uPlot from "uplot";

import { h } from "../dom";
import type { LossHistory, Store } from "../store";
import { atEnd } from "../emitter";

// Of Okabe and Ito: distinct for colour-blind readers too.
const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"];
const HEIGHT = 74; // of a plot
const EPOCHS_HEIGHT = 24; // below the last plot
const PADDING: [number, number, number, number] = [6, 12, 6, 0];
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]; // epochs between ticks
const GRID_ALPHA = 0.2;
const DASHES = [4, 4];
const HELD_OUT = "val_";
const NAMES: Record<string, string> = {
  loss: "map",
  reconstruction_loss: "reconstruction by position",
  style_reconstruction_loss: "reconstruction with style code",
};
const WHAT_IT_MEANS =
  "Measured on samples that the decoder was not trained on: 100 % of the variance is exact, " +
  "0 % is no better than the mean sample";

export interface LossGroup {
  name: string;
  curves: { column: number; isHeldOut: boolean }[];
}

export function lossPlot(store: Store, signal: AbortSignal): HTMLElement {
  const place = h("div", { class: "es-losses" });
  const share = h("p", { class: "es-share", title: WHAT_IT_MEANS });
  const empty = h("p", { class: "es-caption" }, "The curves appear while training.");
  const element = h("div", {}, empty, share, place);
  let plots: Plot[] = [];
  let drawn = "";

  const draw = () => {
    const { names, epochs } = store.losses;
    share.textContent = store.share && store.share[0].toUpperCase() + store.share.slice(1);
    share.hidden = store.share === "";
    empty.hidden = epochs.length > 0;
    place.hidden = epochs.length === 0;
    if (!epochs.length || !place.clientWidth) return;
    if (drawn !== names.join()) {
      drawn = names.join();
      plots.forEach((plot) => plot.destroy());
      const groups = groupLosses(names);
      plots = groups.map((group, i) => new Plot(group, i, i === groups.length - 1, place));
    }
    plots.forEach((plot) => plot.show(store.losses));
  };
  let frame = 0;
  const soon = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      draw();
    });
  };
  store.on(["losses"], soon, signal);
  store.on(["theme"], () => plots.forEach((plot) => plot.redraw()), signal);
  const sized = new ResizeObserver(() => {
    plots.forEach((plot) => plot.fit());
    soon();
  });
  sized.observe(element);
  atEnd(signal, () => {
    sized.disconnect();
    cancelAnimationFrame(frame);
    plots.forEach((plot) => plot.destroy());
  });
  soon();
  return element;
}

/** Groups the columns of the same loss. */
export function groupLosses(names: string[]): LossGroup[] {
  const groups = new Map<string, LossGroup>();
  names.forEach((name, column) => {
    const isHeldOut = name.startsWith(HELD_OUT);
    const kind = isHeldOut ? name.slice(HELD_OUT.length) : name;
    const group = groups.get(kind) ?? { name: NAMES[kind] ?? kind.replaceAll("_", " "), curves: [] };
    group.curves.push({ column, isHeldOut });
    groups.set(kind, group);
  });
  return [...groups.values()];
}

class Plot {
  private readonly element: HTMLElement;
  private readonly plot: uPlot;
  private readonly height: number;

  constructor(
    private readonly group: LossGroup,
    number: number,
    isLast: boolean,
    private readonly place: HTMLElement,
  ) {
    const color = COLORS[number % COLORS.length];
    this.height = HEIGHT + (isLast ? EPOCHS_HEIGHT : 0);
    this.element = h("div", {}, key(group, color));
    place.append(this.element);
    this.plot = new uPlot(this.options(color, isLast), [[]], this.element);
  }

  private options(color: string, isLast: boolean): uPlot.Options {
    const { place } = this;
    const grid = { stroke: () => inkOf(place, GRID_ALPHA), width: 1 };
    const ticks = { ...grid, size: 4 };
    const axis = { stroke: () => inkOf(place, 1), grid, ticks, font: "11px system-ui" };
    const shape = { stroke: color, width: 1.5, points: { show: false } };
    return {
      width: place.clientWidth,
      height: this.height,
      padding: PADDING,
      legend: { show: false },
      cursor: { y: false },
      scales: { x: { time: false } },
      axes: [
        isLast ? { ...axis, size: EPOCHS_HEIGHT, incrs: WHOLE } : { ...axis, size: 0, values: () => [] },
        { ...axis, size: 42, space: 18 },
      ],
      series: [
        { label: "epoch" },
        ...this.group.curves.map(({ isHeldOut }) => ({
          ...shape,
          label: isHeldOut ? "held out" : this.group.name,
          ...(isHeldOut && { dash: DASHES }),
        })),
      ],
    };
  }

  show({ epochs, columns }: LossHistory): void {
    this.plot.setData([epochs, ...this.group.curves.map(({ column }) => columns[column])]);
  }

  fit(): void {
    this.plot.setSize({ width: this.place.clientWidth, height: this.height });
  }

  redraw(): void {
    this.plot.redraw(false, true);
  }

  destroy(): void {
    this.plot.destroy();
    this.element.remove();
  }
}

/** The present text colour: the theme may change while a plot is shown. */
function inkOf(place: HTMLElement, alpha: number): string {
  const [r, g, b, own = 1] =
    getComputedStyle(place)
      .color.match(/[\d.]+/g)
      ?.map(Number) ?? [];
  return `rgba(${r}, ${g}, ${b}, ${own * alpha})`;
}

/** A key of our own: that of uPlot is as tall as the plot. */
function key({ name, curves }: LossGroup, color: string): HTMLElement {
  const items = curves.map(({ isHeldOut }) => {
    const line = h("i", { class: isHeldOut ? "es-line es-line-dashed" : "es-line" });
    line.style.borderColor = color;
    return h("span", {}, line, isHeldOut ? "held out" : name);
  });
  return h("div", { class: "es-key" }, ...items);
}
