// One view: all panels of a store.

import type { Connection } from "./connection";
import { h, section } from "./dom";
import { ImagePanel } from "./image/panel";
import { listenToKeys } from "./keys";
import { MapPanel } from "./map/panel";
import { colorPanel } from "./panels/colors";
import { decodedPanel } from "./panels/decoded";
import { noticeLine, replaySlider, selectionLine } from "./panels/footer";
import { parameterForm } from "./panels/form";
import { gatePanel } from "./panels/gates";
import { header } from "./panels/header";
import { leftOutNote } from "./panels/left_out";
import { lookControls } from "./panels/look";
import { lossPlot } from "./panels/losses";
import { pathPanel } from "./panels/path";
import { reconstructedPanel } from "./panels/reconstructed";
import { selectedPanel } from "./panels/selected";
import { sourceNote } from "./panels/source";
import { whyPanel } from "./panels/why";
import type { Store } from "./store";

/** The map, the panels that describe samples, and the controls: three columns, two, or one. */
export function layOut(store: Store, connection: Connection, signal: AbortSignal): HTMLElement {
  const map = new MapPanel(store, connection, signal);
  const mapColumn = h(
    "div",
    { class: "es-column es-column-map" },
    map.element,
    selectionLine(store, connection, signal),
    replaySlider(store, connection, signal),
    sourceNote(store, connection, signal),
    colorPanel(store, connection, signal),
    lookControls(store, signal),
  );
  const sampleColumn = h(
    "div",
    { class: "es-column es-column-look" },
    imageSection(store, connection, signal),
    h(
      "div",
      { class: "es-column" },
      section("Decoded sample", true, decodedPanel(store, connection, signal)),
      pathPanel(store, signal),
      selectedPanel(store, connection, signal),
      reconstructedPanel(store, connection, signal),
      whySection(store, connection, signal),
    ),
  );
  const controlColumn = h(
    "div",
    { class: "es-column es-column-set" },
    parameterForm(store, connection, signal),
    section("Loss", true, lossPlot(store, signal)),
    section("Gates", true, gatePanel(store, connection, signal)),
  );
  const style = `--es-height: ${store.height}px`;
  const element = h(
    "div",
    { class: "es-root", role: "region", "aria-label": "embedscope explorer", style },
    header(store, connection, signal),
    noticeLine(store, signal),
    leftOutNote(store, signal),
    h("div", { class: "es-body" }, mapColumn, sampleColumn, controlColumn),
  );
  listenToKeys(element, store, connection, signal);
  return element;
}

/** Opens when there is an explanation. */
function whySection(store: Store, connection: Connection, signal: AbortSignal): HTMLElement {
  const element = section("Why here", false, whyPanel(store, connection, signal));
  store.on(["explained"], () => (element.open ||= store.explained !== null), signal);
  return element;
}

/** Hidden if the samples come from no image. */
function imageSection(store: Store, connection: Connection, signal: AbortSignal): HTMLElement {
  const element = section("Image", true, new ImagePanel(store, connection, signal).element);
  const update = () => (element.hidden = !store.catalog?.images.length);
  store.on(["catalog"], update, signal);
  update();
  return element;
}
