// The map panel: tools, points, and the layer over them.

import type { Connection } from "../connection";
import { type Mode, modeOf, oneOf } from "../bits";
import { h } from "../dom";
import { type Point, type Polygon, simplify } from "../geometry";
import { createPointsView, type PointsView } from "../points/view";
import type { Store } from "../store";
import { Gestures } from "./gestures";
import { KeyPointer } from "./keypointer";
import { Overlay } from "./overlay";
import { toolbar } from "./toolbar";
import { Tooltip } from "./tooltip";
import { atEnd } from "../emitter";

const GATE_TOLERANCE_PX = 3; // of a freehand line when it is simplified
const N_PATH_PICTURES = 12;
const N_AROUND = 48; // samples near the pointer whose pictures are requested in advance

export class MapPanel {
  readonly view: PointsView;
  readonly element: HTMLElement;
  private readonly stage: HTMLElement;
  private readonly note = h("div", { class: "es-stage-note", role: "status", hidden: true });
  private readonly overlay: Overlay;
  private readonly tooltip: Tooltip;
  private readonly keys: KeyPointer;

  constructor(
    private readonly store: Store,
    private readonly connection: Connection,
    signal: AbortSignal,
  ) {
    this.stage = h("div", {
      class: "es-stage es-map",
      tabindex: 0,
      role: "application",
      "aria-label":
        "Map of the samples. Arrow keys move, plus and minus zoom, 0 shows all. " +
        "Shift with an arrow key goes to the next sample, Enter selects it.",
    });
    this.view = createPointsView(this.stage, () => this.overlay.update(), store.mapAim);
    this.tooltip = new Tooltip(store);
    this.keys = new KeyPointer(
      store,
      connection,
      this.view.camera,
      this.tooltip,
      {
        panel: "map",
        placeOf: (row) => store.placeOf(row),
        next: (from, direction) => this.view.next(from, direction),
        onCamera: () => this.moved(),
      },
      signal,
    );
    this.overlay = new Overlay(
      this.view.camera,
      {
        onGateEdited: (name, polygon) =>
          connection.editGate(name, { polygon: polygon.map((p) => [...p]) }),
        onGateChosen: (name, mode) => connection.selectGate(name, mode),
        onEditEnded: () => this.endEditing(),
      },
      store.isStatic,
      signal,
    );
    this.stage.append(this.overlay.element, this.note, this.tooltip.element);
    this.element = h(
      "div",
      { class: "es-map-panel" },
      toolbar(store, this.stage, () => this.fit(), signal),
      this.stage,
      this.keys.element,
    );
    this.listenToGestures(signal);
    this.listenToStore(signal);
    this.watchSize(signal);
    const leave = () => {
      const { aim } = this.view.camera;
      store.mapAim = aim.magnification === 1 ? null : aim; // null shows the whole map
      this.view.destroy();
    };
    atEnd(signal, leave);
  }

  private fit(): void {
    this.view.fit();
  }

  private moved(): void {
    this.placeMarks();
    this.view.draw();
  }

  private listenToGestures(signal: AbortSignal): void {
    const { store, view } = this;
    new Gestures(
      this.stage,
      view.camera,
      {
        tool: () => store.tool,
        onCamera: () => this.moved(),
        onSketch: (line) => this.overlay.showSketch(line, store.tool !== "path"),
        onLine: (line, event) => this.finishLine(line, event),
        onClick: (at, event) => this.click(at, event),
        onDoubleClick: (at) => view.pick(at[0], at[1]) < 0 && this.clear(),
        onDrag: (at) => {
          this.decodeAt(view.camera.toWorld(at[0], at[1]));
          this.tooltip.showDecoded(at, view.camera);
        },
        onHover: (at) => this.hover(at),
        onStep: (direction) => this.keys.step(direction),
        onEnter: (event) => store.hover >= 0 && this.choose(store.hover, modeOf(event)),
        onEscape: () => this.clear(),
        onFit: () => this.fit(),
        onTool: (tool) => store.setTool(tool),
      },
      signal,
    );
  }

  private finishLine(line: Polygon, event: PointerEvent): void {
    const { camera } = this.view;
    const toMap = (polygon: Polygon) => polygon.map(([x, y]) => camera.toWorld(x, y));
    if (this.store.tool === "path") {
      const stops = toMap(simplify(line, GATE_TOLERANCE_PX)).map((p) => [...p]);
      this.connection.decodePath(stops, N_PATH_PICTURES);
    } else if (this.store.tool === "gate") {
      const corners = toMap(simplify([...line, line[0]], GATE_TOLERANCE_PX)).slice(0, -1);
      if (corners.length < 3) return;
      const polygon = corners.map((p) => [...p]);
      this.connection.addGate(polygon);
    } else {
      this.connection.select(this.view.lasso(toMap(line)), modeOf(event), "map");
    }
  }

  private click(at: Point, event: PointerEvent): void {
    const { store, view } = this;
    if (store.tool === "decode") return; // decoded when the button was pressed
    const row = view.pick(at[0], at[1]);
    if (row >= 0) this.choose(row, modeOf(event));
    else this.decodeAt(view.camera.toWorld(at[0], at[1]));
  }

  private clear(): void {
    if (this.store.nSelected)
      this.connection.select(new Uint8Array(this.store.n), "replace", "map");
  }

  private choose(row: number, mode: Mode): void {
    const { store, connection } = this;
    connection.select(oneOf(store.n, row), mode, "map");
    if (store.catalog?.images.length) connection.wantPlace(row);
    this.decodeAt(store.placeOf(row));
  }

  private decodeAt(place: Point): void {
    if (this.store.hasMap) this.connection.decodeAt(place);
  }

  /** The decoded picture follows the pointer, from the atlas if there is one. */
  private hoverDecoder(at: Point | null): void {
    if (!at || !this.store.hasMap) {
      this.tooltip.hide();
      this.connection.returnToPlace();
      return;
    }
    const [x, y] = this.view.camera.toWorld(at[0], at[1]);
    if (!this.store.showFromAtlas(x, y) && this.store.catalog?.can_decode)
      this.connection.decode(x, y);
    this.tooltip.showDecoded(at, this.view.camera);
  }

  private hover(at: Point | null): void {
    this.keys.rest();
    if (this.store.tool === "decode") {
      this.hoverDecoder(at);
      return;
    }
    const row = at ? this.view.pick(at[0], at[1]) : -1;
    this.connection.hover(row, row >= 0 ? "map" : "");
    this.connection.expectHover(at ? this.view.around(at[0], at[1], N_AROUND) : []);
    if (row >= 0 && at) this.tooltip.show(row, at, this.view.camera);
    else this.tooltip.hide();
  }

  private placeMarks(): void {
    const { store } = this;
    const row = store.hover;
    this.overlay.showHover(
      row >= 0 && row < store.n ? [store.xy[2 * row], store.xy[2 * row + 1]] : null,
    );
    this.overlay.showPin(store.place);
    this.overlay.showPath(store.path?.xy ?? new Float32Array(0));
  }

  private listenToStore(signal: AbortSignal): void {
    const { store, view } = this;
    const show = {
      positions: () => {
        view.setPositions(store.xy, () => store.grid, true);
        this.updateNote();
      },
      theme: () => view.draw(),
      look: () => view.setLook(store.look),
      colors: () => {
        view.setColors(store.levels, store.palette);
        this.tooltip.fill();
      },
      selection: () => view.setMask(store.mask, store.nSelected > 0),
      novel: () => view.setMarked(store.novel),
      gates: () => this.overlay.showGates(store.gates, store.editedGate),
      hover: () => this.placeMarks(),
      path: () => this.placeMarks(),
      thumbnails: () => this.tooltip.fill(),
      place: () => this.placeMarks(),
      decoded: () => this.tooltip.fill(),
      status: () => this.updateNote(),
    };
    for (const [topic, update] of Object.entries(show)) {
      store.on([topic as keyof typeof show], update, signal);
      update();
    }
  }

  private endEditing(): void {
    this.store.toggleEdited(null);
    this.stage.focus({ preventScroll: true });
  }

  /** An empty map shows the reason. */
  private updateNote(): void {
    const { store } = this;
    const waiting = store.status?.is_running
      ? "The map appears when the neighbour graph is built."
      : store.catalog?.n_samples
        ? "No map yet. Press Train."
        : "No samples yet.";
    this.note.textContent = store.hasMap ? "" : waiting;
    this.note.hidden = this.note.textContent === "";
  }

  private watchSize(signal: AbortSignal): void {
    const sized = new ResizeObserver(() => {
      this.view.resize(this.stage.clientWidth, this.stage.clientHeight);
      this.placeMarks();
    });
    sized.observe(this.stage);
    const seen = new IntersectionObserver(
      ([entry]) => {
        if (entry.isIntersecting) this.view.resume();
        else this.view.suspend();
      },
      { rootMargin: "200px" },
    );
    seen.observe(this.stage);
    atEnd(signal, () => {
      sized.disconnect();
      seen.disconnect();
    });
  }
}
