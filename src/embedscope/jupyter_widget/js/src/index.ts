// The widget's page half: `initialize` owns the connection, `render` a view, both end with their
// signal. State lives in the closure, not in the module, since some hosts load the module once for
// all widgets.

import type { AnyModel } from "@anywidget/types";

import { Connection } from "./connection";
import { layOut } from "./layout";
import { PROTOCOL, type Traits } from "./messages";
import { Store } from "./store";
import { watchTheme } from "./theme";

export { openRecording } from "./recording";

interface InitializeContext {
  model: AnyModel<Traits>;
  signal?: AbortSignal;
}

interface RenderContext extends InitializeContext {
  el: HTMLElement;
}

/** Hosts before anywidget 0.11 give no signal but call what is returned. */
function lifetime(given: AbortSignal | undefined): AbortController {
  const own = new AbortController();
  given?.addEventListener("abort", () => own.abort(), { once: true });
  return own;
}

export default function widget() {
  const store = new Store();
  let connection: Connection | null = null;

  function initialize({ model, signal }: InitializeContext): () => void {
    const life = lifetime(signal);
    connection = new Connection(model, store, life.signal);
    if (model.get("protocol") !== PROTOCOL) {
      store.setNotice({
        text: "This page and the kernel speak different versions.",
        hint: "Reload the page, then run the cell again.",
      });
    }
    return () => life.abort();
  }

  function render({ el, signal }: RenderContext): () => void {
    if (!connection) throw new Error("The widget was rendered before it was initialised.");
    const life = lifetime(signal);
    const element = layOut(store, connection, life.signal);
    el.append(element);
    watchTheme(element, () => store.emit("theme"), life.signal);
    life.signal.addEventListener("abort", () => element.remove(), { once: true });
    return () => life.abort();
  }

  return { initialize, render };
}
