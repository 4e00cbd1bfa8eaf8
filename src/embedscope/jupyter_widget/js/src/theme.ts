// Dark or light, measured from the background that the host shows: hosts name their themes in
// different ways, or not at all.

import { onThemeChanged, parentOf } from "./host";

const MOSTLY_OPAQUE = 0.5; // below this alpha, what is behind decides
const MIDDLE_GREY = 128;

export function watchTheme(element: HTMLElement, onChange: () => void, signal: AbortSignal): void {
  const update = () => {
    element.classList.toggle("es-dark", isDark(element));
    onChange();
  };
  const preference = matchMedia("(prefers-color-scheme: dark)");
  preference.addEventListener("change", update, { signal });
  onThemeChanged(update, signal);
  update();
}

function isDark(element: HTMLElement): boolean {
  for (let at = parentOf(element); at; at = parentOf(at)) {
    const parts =
      getComputedStyle(at)
        .backgroundColor.match(/[\d.]+/g)
        ?.map(Number) ?? [];
    const [r, g, b, alpha = 1] = parts;
    const luminance = 0.3 * r + 0.59 * g + 0.11 * b; // weights of ITU-R BT.601
    if (parts.length >= 3 && alpha > MOSTLY_OPAQUE) return luminance < MIDDLE_GREY;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}
