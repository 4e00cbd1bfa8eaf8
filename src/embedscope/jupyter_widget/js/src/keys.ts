// Keys of the whole view: undo and redo, and no key that only a notebook would obey.

import type { Connection } from "./connection";
import type { Store } from "./store";

const TYPED = "input:is([type=text], [type=number])"; // have an undo of their own

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
        event.stopPropagation(); // a notebook takes a lone X or D for "delete this cell"
        return;
      }
      const isTyped = event.target instanceof Element && event.target.matches(TYPED);
      const step = isTyped || store.isStatic ? null : stepOf(event);
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
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
