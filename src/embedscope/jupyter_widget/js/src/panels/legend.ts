// The legend: classes, which can be hidden, or a colour bar, whose limits can be set.

import { grouped, h } from "../dom";
import type { Colors } from "../messages";
import type { Store } from "../store";
import type { ColorChange } from "./colors";

const MOST_CLASSES = 100;
const N_STOPS = 9;
const STEPS = 50; // of an arrow key over the whole range, about

export function legend(
  store: Store,
  change: (what: ColorChange) => void,
  signal: AbortSignal,
): HTMLElement {
  const chips = h("div", { class: "es-legend", role: "group", "aria-label": "Classes" });
  const scale = new Scale(store, change, signal);
  const novel = novelChip(store, signal);
  const update = () => {
    const items = store.colors?.legend ?? [];
    const focused = [...chips.children].findIndex((chip) => chip.matches(":focus"));
    chips.replaceChildren(...chipsOf(store, change));
    chips.hidden = items.length === 0;
    (chips.children[focused] as HTMLElement | undefined)?.focus(); // keeps the focus
    scale.show(store.colors, store.palette);
  };
  store.on(["colors", "refused"], update, signal);
  update();
  return h("div", {}, scale.element, chips, novel);
}

/** The count of samples unlike the training samples; a click hides or shows their crosses. */
function novelChip(store: Store, signal: AbortSignal): HTMLElement {
  const count = h("small");
  const chip = h(
    "button",
    { type: "button", class: "es-chip" },
    h("span", { "aria-hidden": "true" }, "\u2715"),
    "unlike those trained on",
    count,
  );
  chip.onclick = () => store.setLook({ marksNovel: !store.look.marksNovel });
  const update = () => {
    const { marksNovel } = store.look;
    chip.hidden = store.novel.length === 0;
    chip.title = marksNovel ? "Hide their crosses on the map" : "Mark them by crosses";
    chip.setAttribute("aria-pressed", String(marksNovel));
    count.textContent = grouped(store.novel.length);
  };
  store.on(["novel", "look"], update, signal);
  update();
  return h("div", { class: "es-legend" }, chip);
}

function chipsOf(store: Store, change: (what: ColorChange) => void): HTMLElement[] {
  const items = store.colors?.legend ?? [];
  const toggled = (label: string) => {
    const shown = items.filter((item) => !item.visible).map((item) => item.label);
    const hidden = store.requestedColors?.hidden ?? shown; // before the answer
    return hidden.includes(label) ? hidden.filter((l) => l !== label) : [...hidden, label];
  };
  const shown = items.slice(0, MOST_CLASSES).map((item) => {
    const swatch = h("i", { class: "es-swatch" });
    swatch.style.background = item.color;
    const chip = h(
      "button",
      {
        type: "button",
        class: "es-chip",
        "aria-pressed": String(item.visible),
        title: item.visible ? "Hide these samples" : "Show these samples",
      },
      swatch,
      item.label,
      h("small", {}, grouped(item.count)),
    );
    chip.onclick = () => change({ hidden: toggled(item.label) });
    return chip;
  });
  const rest = items.length - shown.length;
  return rest > 0 ? [...shown, h("small", {}, `and ${rest} more`)] : shown;
}

/** A colour bar between its two limits. */
class Scale {
  private readonly bar = h("i", { class: "es-ramp" });
  private readonly low = limitInput("Number of the first colour");
  private readonly high = limitInput("Number of the last colour");
  private readonly reset = h(
    "button",
    { type: "button", class: "es-button", title: "Use the limits of the data again" },
    "Reset",
  );
  readonly element = h(
    "div",
    { class: "es-row es-scale", role: "group", "aria-label": "Limits of the colours" },
    this.low,
    this.bar,
    this.high,
    this.reset,
  );
  private limits: number[] = [];

  constructor(
    private readonly store: Store,
    private readonly change: (what: ColorChange) => void,
    signal: AbortSignal,
  ) {
    for (const input of [this.low, this.high])
      input.addEventListener("change", () => this.take(), { signal });
    this.reset.addEventListener("click", () => change({ limits: null }), { signal });
  }

  show(colors: Colors | null, palette: Uint8Array): void {
    this.element.hidden = !colors?.limits;
    if (!colors?.limits) return;
    this.limits = colors.limits;
    this.bar.style.background = `linear-gradient(to right, ${stopsOf(palette).join(", ")})`;
    this.bar.title = colors.title;
    this.write();
    for (const input of [this.low, this.high]) input.disabled = this.store.isStatic;
    this.reset.disabled = !colors.has_own_limits;
    this.reset.hidden = this.store.isStatic;
  }

  private write(): void {
    const step = stepOf(this.limits);
    [this.low, this.high].forEach((input, i) => {
      input.value = shortly(this.limits[i]);
      input.step = String(step);
    });
  }

  /** A limit that was not edited keeps all its digits. */
  private take(): void {
    const [low, high] = [this.low, this.high].map((input, i) =>
      input.value === shortly(this.limits[i]) ? this.limits[i] : input.valueAsNumber,
    );
    if (low < high) {
      this.change({ limits: [low, high] });
      return;
    }
    this.store.setNotice({
      text: "The number of the first colour must be smaller than that of the last.",
      hint: "The limits are as before.",
    });
    this.write();
  }
}

function limitInput(label: string): HTMLInputElement {
  return h("input", { type: "number", class: "es-limit", "aria-label": label, title: label });
}

export function shortly(value: number): string {
  return Number(value.toPrecision(4)).toString();
}

/** A power of ten, so that the arrow keys go through the range in at least fifty steps. */
export function stepOf([low, high]: number[]): number {
  const range = high - low;
  return range > 0 ? 10 ** Math.floor(Math.log10(range / STEPS)) : 1;
}

/** Levels 1..249 are the colours of numbers. */
function stopsOf(palette: Uint8Array): string[] {
  return Array.from({ length: N_STOPS }, (_, i) => {
    const level = 1 + i * (248 / (N_STOPS - 1));
    const [r, g, b] = palette.subarray(4 * level, 4 * level + 3);
    return `rgb(${r} ${g} ${b})`;
  });
}
