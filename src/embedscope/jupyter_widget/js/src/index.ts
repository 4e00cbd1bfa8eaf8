// Entry point of the page: `initialize` makes the connection, `render` a view; both end with their
// signal. State is in the closure, not in the module: some hosts load the module once for all
// widgets.

import { Connection } from "./connection";
import { type HostModel, lifetime } from "./host";
import { layOut } from "./layout";
import { PROTOCOL } from "./messages";
import { Store } from "./store";
import { watchTheme } from "./theme";
import { atEnd } from "./emitter";

export { openRecording } from "./recording";

interface InitializeContext {
  model: HostModel;
  signal?: AbortSignal;
}

interface RenderContext extends InitializeContext {
  el: HTMLElement;
}

export default function widget() {
  const store = new Store();
  let connection: Connection | null = null;

  function initialize({ model, signal }: InitializeContext): () => void {
    const life = lifetime(signal);
    connection = new Connection(model, store, life.signal);
    if (model.get("protocol") !== PROTOCOL) {
      store.setNotice({
        text: "This page and the kernel have different versions of embedscope.",
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
    atEnd(life.signal, () => element.remove());
    return () => life.abort();
  }

  return { initialize, render };
}
