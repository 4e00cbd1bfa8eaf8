// Dark or light, from the background that the host really shows: hosts name their themes in
// different ways, or not at all.

export function watchTheme(element: HTMLElement, onChange: () => void, signal: AbortSignal): void {
  const update = () => {
    element.classList.toggle("es-dark", isDark(element));
    onChange();
  };
  const preference = matchMedia("(prefers-color-scheme: dark)");
  preference.addEventListener("change", update, { signal });
  const changed = new MutationObserver(update);
  for (const watched of [document.documentElement, document.body]) {
    changed.observe(watched, {
      attributes: true,
      attributeFilter: ["class", "style", "data-theme", "data-jp-theme-light"],
    });
  }
  signal.addEventListener("abort", () => changed.disconnect(), { once: true });
  update();
}

/** Some hosts put the widget into a shadow tree, behind whose root the page goes on. */
function parentOf(element: Element): Element | null {
  const root = element.getRootNode();
  return element.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
}

function isDark(element: HTMLElement): boolean {
  for (let at = parentOf(element); at; at = parentOf(at)) {
    const parts =
      getComputedStyle(at)
        .backgroundColor.match(/[\d.]+/g)
        ?.map(Number) ?? [];
    const [r, g, b, alpha = 1] = parts;
    if (parts.length >= 3 && alpha > 0.5) return 0.3 * r + 0.59 * g + 0.11 * b < 128;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}
