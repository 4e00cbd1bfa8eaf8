// Keys of the whole view: undo and redo. All other keys are hidden from the notebook.

import type { Connection } from "./connection";
import { hideFromHost } from "./host";
import type { Store } from "./store";

const TYPED = "input:is([type=text], [type=number])"; // browsers have an undo for these

export function listenToKeys(
  element: HTMLElement,
  store: Store,
  connection: Connection,
  signal: AbortSignal,
): void {
  element.addEventListener(
    "keydown",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) {
        hideFromHost(event);
        return;
      }
      const isTyped = event.target instanceof Element && event.target.matches(TYPED);
      const step = isTyped || store.isStatic ? null : stepOf(event);
      if (!step) return;
      event.preventDefault();
      hideFromHost(event);
      if (store.history[step]) connection.command(step);
    },
    { signal },
  );
}

function stepOf({ key, shiftKey }: KeyboardEvent): "undo" | "redo" | null {
  const pressed = key.toLowerCase();
  if (pressed === "y") return "redo";
  if (pressed !== "z") return null;
  return shiftKey ? "redo" : "undo";
}
