// Controls of the image: which image, which plane, and the contrast of its channels.

import { h, option } from "../dom";
import type { ImageItem } from "../messages";
import type { Channel } from "./compose";

export interface Shown {
  images: ImageItem[];
  source: ImageItem;
  plane: { t: number; z: number };
  channels: Channel[];
  look: { outlines: boolean };
}

export interface ControlEvents {
  onSource(name: string): void;
  onPlane(): void;
  onLook(): void;
}

/** The controls write into `shown`, then call an event. */
export function imageControls(
  shown: Shown,
  events: ControlEvents,
  signal: AbortSignal,
): HTMLElement[] {
  const { source, look, images } = shown;
  const channels = source.channels.map((name, i) =>
    channelRow(name, shown.channels[i], events, signal),
  );
  const outlines = checkbox(
    "Outlines",
    look.outlines,
    (isOn) => {
      look.outlines = isOn;
      events.onLook();
    },
    signal,
  );
  return [
    ...(images.length > 1 ? [sourceChoice(shown, events, signal)] : []),
    ...(source.n_t > 1 ? [planeSlider("Time", "t", source.n_t, shown, events, signal)] : []),
    ...(source.n_z > 1 ? [planeSlider("Depth", "z", source.n_z, shown, events, signal)] : []),
    ...channels,
    outlines,
  ];
}

function sourceChoice(
  { images, source }: Shown,
  events: ControlEvents,
  signal: AbortSignal,
): HTMLElement {
  const choice = h("select", { "aria-label": "Image" });
  choice.append(...images.map(({ name }) => option(name, name, name === source.name)));
  choice.addEventListener("change", () => events.onSource(choice.value), { signal });
  return choice;
}

function planeSlider(
  label: string,
  axis: "t" | "z",
  n: number,
  { plane }: Shown,
  events: ControlEvents,
  signal: AbortSignal,
): HTMLElement {
  const input = h("input", { type: "range", min: 0, max: n - 1, step: 1, value: plane[axis] });
  const shown = h("output", {}, `${plane[axis] + 1} / ${n}`);
  const move = () => {
    plane[axis] = Number(input.value);
    shown.textContent = `${plane[axis] + 1} / ${n}`;
    events.onPlane();
  };
  input.addEventListener("input", move, { signal });
  return h("label", { class: "es-row" }, label, input, shown);
}

function checkbox(
  label: string,
  isOn: boolean,
  onChange: (isOn: boolean) => void,
  signal: AbortSignal,
): HTMLElement {
  const input = h("input", { type: "checkbox", checked: isOn });
  input.addEventListener("change", () => onChange(input.checked), { signal });
  return h("label", { class: "es-check" }, input, label);
}

function channelRow(
  name: string,
  channel: Channel,
  events: ControlEvents,
  signal: AbortSignal,
): HTMLElement {
  const shown = checkbox(
    name,
    channel.isVisible,
    (isOn) => {
      channel.isVisible = isOn;
      events.onLook();
    },
    signal,
  );
  const swatch = h("i", { class: "es-swatch" });
  swatch.style.background = `rgb(${channel.color.map((v) => v * 255).join(" ")})`;
  shown.insertBefore(swatch, shown.lastChild);
  const limits = (["low", "high"] as const).map((which) =>
    limit(name, which, channel, events, signal),
  );
  return h("div", { class: "es-row es-channel" }, shown, ...limits);
}

function limit(
  name: string,
  which: "low" | "high",
  channel: Channel,
  events: ControlEvents,
  signal: AbortSignal,
): HTMLElement {
  const label = `${which === "low" ? "Darkest" : "Brightest"} level of ${name}`;
  const attributes = { type: "range", min: 0, max: 255, value: channel[which] };
  const input = h("input", { ...attributes, title: label, "aria-label": label });
  const move = () => {
    channel[which] = Number(input.value);
    events.onLook();
  };
  input.addEventListener("input", move, { signal });
  return input;
}
