// The image that samples come from, with its objects. Mouse and keys do the same here as on the
// map. The kernel sends the visible part at about screen resolution.

import { modeOf, oneOf } from "../bits";
import { Camera } from "../camera";
import type { Connection } from "../connection";
import { h } from "../dom";
import type { Point, Polygon } from "../geometry";
import { Gestures } from "../map/gestures";
import { KeyPointer, type Walk } from "../map/keypointer";
import { Tooltip } from "../map/tooltip";
import type { ImageItem, Located } from "../messages";
import type { ImagePicture, Store, Tool } from "../store";
import { type Channel, channelsOf } from "./compose";
import { imageControls } from "./controls";
import { ImageDrawing } from "./drawing";
import { ObjectPlaces, rowAt, rowsIn } from "./objects";
import { partInSight } from "./part";
import { atEnd } from "../emitter";

const SETTLE_MS = 140; // after the camera moved, before the picture is requested
const ON_IMAGE = new Set<Tool>(["lasso", "rectangle"]); // the other tools are for the map

export class ImagePanel {
  readonly element: HTMLElement;
  private readonly stage = h("div", {
    class: "es-stage es-image",
    tabindex: 0,
    role: "application",
    "aria-label":
      "Image with the objects. Arrow keys move, plus and minus zoom, 0 shows all. " +
      "Shift with an arrow key goes to the next object, Enter selects it.",
  });
  private readonly note = h("div", { class: "es-caption" });
  private readonly controls = h("div", { class: "es-image-controls" });
  private readonly wait = h("div", { class: "es-stage-note", role: "status" });
  private readonly tooltip: Tooltip;
  private readonly keys: KeyPointer;
  private readonly camera = new Camera(-1, 0);
  private readonly drawing = new ImageDrawing();
  private source: ImageItem | null = null;
  private sourceKey = "";
  private channels: Channel[] = [];
  private plane = { t: 0, z: 0 };
  private readonly look = { outlines: true };
  private frame = 0;
  private settleTimer = 0;
  private picture: ImagePicture | null = null;
  private known: ObjectPlaces | null = null; // of this picture, made at first use
  private asked = 0;
  private isAwaited = false;

  constructor(
    private readonly store: Store,
    private readonly connection: Connection,
    private readonly signal: AbortSignal,
  ) {
    this.tooltip = new Tooltip(store);
    const { camera, tooltip } = this;
    const walk: Walk = {
      panel: "image",
      placeOf: (row) => this.places?.placeOf(row) ?? [NaN, NaN],
      next: (from, to) =>
        this.places?.next(from, to, camera.scale, (row) => store.isVisible(row)) ?? -1,
      onCamera: () => this.moved(),
    };
    this.keys = new KeyPointer(store, connection, camera, tooltip, walk, signal);
    this.stage.append(this.drawing.canvas, this.drawing.sketch, this.wait, this.tooltip.element);
    this.element = h(
      "div",
      { class: "es-image-panel" },
      this.stage,
      this.keys.element,
      this.note,
      this.controls,
    );
    this.listenToGestures();
    this.listenToStore();
    const sized = new ResizeObserver(() => this.resize());
    sized.observe(this.stage);
    atEnd(signal, () => {
      sized.disconnect();
      clearTimeout(this.settleTimer);
      cancelAnimationFrame(this.frame);
    });
  }

  private listenToStore(): void {
    const { store, signal } = this;
    store.on(["catalog"], () => this.chooseSource(this.source?.name), signal);
    store.on(["picture"], () => this.takePicture(), signal);
    store.on(["refused"], () => this.takeRefusal(), signal);
    const recolor = () => {
      this.drawing.changeObjects();
      this.redraw();
    };
    store.on(["colors", "selection", "hover"], recolor, signal);
    store.on(["located"], () => store.located && this.goTo(store.located), signal);
    store.on(["thumbnails", "colors"], () => this.tooltip.fill(), signal);
    this.chooseSource(undefined);
  }

  private chooseSource(name: string | undefined): void {
    const images = this.store.catalog?.images ?? [];
    const chosen = images.find((image) => image.name === name) ?? images[0] ?? null;
    this.element.hidden = chosen === null;
    const key = JSON.stringify([chosen, this.store.catalog?.n_samples]);
    if (key === this.sourceKey) return;
    this.sourceKey = key;
    this.source = chosen;
    this.picture = null;
    this.known = null;
    this.drawing.clear();
    this.plane = { t: 0, z: chosen ? Math.floor(chosen.n_z / 2) : 0 };
    this.channels = chosen ? channelsOf(chosen) : [];
    this.showControls();
    this.updateWait();
    if (chosen) this.stage.style.setProperty("--es-aspect", `${chosen.width / chosen.height}`);
    this.fit();
  }

  private showControls(): void {
    const images = this.store.catalog?.images ?? [];
    const { source, plane, channels, look, signal } = this;
    if (!source) return;
    const events = {
      onSource: (name: string) => this.chooseSource(name),
      onPlane: () => this.askSoon(),
      onLook: () => {
        this.drawing.changeChannels();
        this.redraw();
      },
    };
    this.controls.replaceChildren(
      ...imageControls({ images, source, plane, channels, look }, events, signal),
    );
  }

  private listenToGestures(): void {
    const { store, connection, camera } = this;
    const tool = (): Tool => (ON_IMAGE.has(store.tool) ? store.tool : "pan");
    new Gestures(
      this.stage,
      camera,
      {
        tool,
        onCamera: () => this.moved(),
        onSketch: (line) => this.drawing.sketchLine(line, camera),
        onLine: (line, event) => connection.select(this.objectsIn(line), modeOf(event), "image"),
        onClick: (at, event) => {
          const row = this.objectAt(at);
          const hits = row >= 0 ? oneOf(store.n, row) : new Uint8Array(store.n);
          if (row >= 0 || modeOf(event) === "replace")
            connection.select(hits, modeOf(event), "image");
        },
        onDoubleClick: () => undefined, // the first click has cleared the selection
        onDrag: () => undefined,
        onHover: (at) => this.hover(at),
        onStep: (direction) => this.keys.step(direction),
        onEnter: (event) =>
          store.hover >= 0 &&
          connection.select(oneOf(store.n, store.hover), modeOf(event), "image"),
        onEscape: () => connection.select(new Uint8Array(store.n), "replace", "image"),
        onFit: () => this.fit(),
        onTool: (chosen) => store.setTool(chosen),
      },
      this.signal,
    );
  }

  private hover(at: Point | null): void {
    this.keys.rest();
    const row = at ? this.objectAt(at) : -1;
    this.connection.hover(row, row >= 0 ? "image" : "");
    this.connection.expectHover(at ? this.objectsAround(at) : []);
    if (row >= 0 && at) this.tooltip.show(row, at, this.camera);
    else this.tooltip.hide();
  }

  private get places(): ObjectPlaces | null {
    if (this.picture) this.known ??= new ObjectPlaces(this.picture, this.store.n);
    return this.known;
  }

  /** Row of the visible object at a point of the screen, -1 for none. */
  private objectAt(at: Point): number {
    const [x, y] = this.camera.toWorld(at[0], at[1]);
    const row = this.picture ? rowAt(this.picture, x, y) : -1;
    return row >= 0 && this.store.isVisible(row) ? row : -1;
  }

  private objectsAround(at: Point): number[] {
    const { camera, store } = this;
    const from = camera.toWorld(at[0], at[1]);
    return this.places?.around(from, camera.scale, (row) => store.isVisible(row)) ?? [];
  }

  private objectsIn(line: Polygon): Uint8Array {
    const hits = new Uint8Array(this.store.n);
    const polygon = line.map(([sx, sy]) => this.camera.toWorld(sx, sy));
    const rows = this.picture ? rowsIn(this.picture, polygon) : [];
    for (const row of rows) if (this.store.isVisible(row)) hits[row] = 1;
    return hits;
  }

  /** Shows the sample that was clicked on the map: its image and plane, in view. */
  private goTo(place: Located): void {
    this.chooseSource(place.source);
    if (place.source !== this.source?.name) return;
    const isShown = place.t_index === this.plane.t && place.z_index === this.plane.z;
    const { x0, y0, x1, y1 } = this.camera.visible;
    const isInSight = place.x > x0 && place.x < x1 && place.y > y0 && place.y < y1;
    if (isShown && isInSight) return;
    this.plane = { t: place.t_index, z: place.z_index };
    if (!isInSight) [this.camera.x, this.camera.y] = [place.x, place.y];
    this.showControls();
    this.moved();
  }

  private resize(): void {
    const [width, height] = [this.stage.clientWidth, this.stage.clientHeight];
    const wasHidden = this.camera.width <= 1;
    this.camera.resize(width, height);
    if (wasHidden || this.camera.magnification === 1) this.fit();
    else this.moved();
  }

  private fit(): void {
    if (!this.source || this.camera.width <= 1) return;
    this.camera.fit({ x0: 0, y0: 0, x1: this.source.width, y1: this.source.height });
    this.moved();
  }

  private moved(): void {
    this.redraw();
    this.askSoon();
  }

  /** Nothing is requested while the camera moves. */
  private askSoon(): void {
    clearTimeout(this.settleTimer);
    this.settleTimer = window.setTimeout(() => this.ask(), SETTLE_MS);
  }

  private ask(): void {
    const { source, camera, plane } = this;
    if (!source || camera.width <= 1) return;
    const part = partInSight(source, camera);
    if (!part) return;
    this.isAwaited = true;
    this.asked = this.connection.wantPicture({
      source: source.name,
      t_index: plane.t,
      z_index: plane.z,
      ...part,
    });
  }

  /**
   * Only the picture that this view requested: other views may show other parts. Of requests that
   * wait, the kernel answers the latest, so this view asks again after the answer to another.
   */
  private takePicture(): void {
    const { picture } = this.store;
    if (picture && picture.head.req > this.asked && this.isAwaited) this.ask();
    if (!picture || picture.head.req !== this.asked) return;
    this.isAwaited = false;
    this.picture = picture;
    this.known = null;
    this.note.textContent = picture.head.note;
    this.note.hidden = picture.head.note === "";
    this.drawing.show(picture, this.channels);
    this.updateWait();
    this.redraw();
  }

  private takeRefusal(): void {
    if (this.store.refusedRequest === this.asked) this.isAwaited = false;
    this.updateWait();
  }

  /** Says why there is no picture. */
  private updateWait(): void {
    this.wait.hidden = this.picture !== null;
    if (this.store.isStatic) this.wait.textContent = "The image is not part of this page.";
    else if (this.asked && this.store.refusedRequest === this.asked)
      this.wait.textContent = "The image could not be read: see the message above.";
    else this.wait.textContent = "The image is being read.";
  }

  private redraw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.drawing.draw(this.camera, this.store, this.look);
    });
  }
}
