// All that depends on the host of the page: JupyterLab, Notebook, VS Code, Colab or marimo. Colours
// and fonts of their themes are in host.css.

import type { AnyModel } from "@anywidget/types";

import type { Traits } from "./messages";
import { atEnd } from "./emitter";

export type HostModel = AnyModel<Traits>;

// Only models of ipywidgets (JupyterLab, Notebook) emit this event.
const CONNECTION_CHANGED = "comm_live_update" as never;

// JupyterLab sets the last one, other hosts one of the others, when the user changes the theme.
const THEME_ATTRIBUTES = ["class", "style", "data-theme", "data-jp-theme-light"];

/** Hosts with anywidget before 0.11 pass no signal; they call the returned function instead. */
export function lifetime(given: AbortSignal | undefined): AbortController {
  const own = new AbortController();
  atEnd(given, () => own.abort());
  return own;
}

/** The connection to the kernel was lost or restored; the event does not say which. */
export function onConnectionChanged(
  model: HostModel,
  listener: () => void,
  signal: AbortSignal,
): void {
  model.on(CONNECTION_CHANGED, listener);
  atEnd(signal, () => model.off(CONNECTION_CHANGED, listener));
}

/**
 * Saves count and revision of the selection: marimo runs dependent cells only when a page saves a
 * trait. Throws if the connection is closed.
 */
export function saveSelected(model: HostModel, count: number, revision: number): void {
  const known = model.get("selected");
  if (known.revision === revision || (known.count === 0 && count === 0)) return;
  model.set("selected", { count, revision });
  model.save_changes();
}

/** Else JupyterLab and Notebook take a lone X or D for "cut cell" or "delete cell". */
export function hideFromHost(event: KeyboardEvent): void {
  event.stopPropagation();
}

/** Calls `listener` when the theme of the page may have changed. */
export function onThemeChanged(listener: () => void, signal: AbortSignal): void {
  const changed = new MutationObserver(listener);
  for (const watched of [document.documentElement, document.body]) {
    changed.observe(watched, { attributes: true, attributeFilter: THEME_ATTRIBUTES });
  }
  atEnd(signal, () => changed.disconnect());
}

/** The element around an element, also across a shadow tree: some hosts put the widget in one. */
export function parentOf(element: Element): Element | null {
  const root = element.getRootNode();
  return element.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
}
