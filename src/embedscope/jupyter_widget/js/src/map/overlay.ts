// The SVG layer over the points: the line being drawn, gates with their handles, the hovered
// sample, and the pinned point.

import { type Mode, modeOf } from "../bits";
import type { Camera } from "../camera";
import { svg } from "../dom";
import type { Point } from "../geometry";
import type { GateItem } from "../messages";

const KEY_STEP_PX = 4;

export interface OverlayEvents {
  onGateEdited(name: string, polygon: Point[]): void;
  onGateChosen(name: string, mode: Mode): void;
  onEditEnded(): void;
}

export class Overlay {
  readonly element = svg("svg", { class: "es-overlay" });
  private readonly gatesLayer = svg("g");
  private readonly sketch = svg("path", { class: "es-sketch", visibility: "hidden" });
  private readonly hover = svg("circle", { class: "es-hover", r: 7, visibility: "hidden" });
  private readonly pin = svg("path", {
    class: "es-pin",
    d: "M-7 0H7M0 -7V7",
    visibility: "hidden",
  });
  private readonly path = svg("path", { class: "es-path", visibility: "hidden" });
  private gates: GateItem[] = [];
  private edited: string | null = null;
  private dragged: Point[] | null = null; // corners of the edited gate while one is dragged

  constructor(
    private readonly camera: Camera,
    private readonly events: OverlayEvents,
    private readonly isStatic: boolean,
    private readonly signal: AbortSignal,
  ) {
    this.element.append(this.gatesLayer, this.sketch, this.path, this.hover, this.pin);
  }

  /** The line that is being drawn: closed for a lasso or gate, open for a path. */
  showSketch(line: readonly Point[] | null, isClosed: boolean): void {
    this.sketch.setAttribute("visibility", line ? "visible" : "hidden");
    this.sketch.setAttribute("class", isClosed ? "es-sketch" : "es-sketch-open");
    const drawn = (line ?? []).map((p) => p.join(" ")).join("L");
    this.sketch.setAttribute("d", drawn && `M${drawn}${isClosed ? "Z" : ""}`);
  }

  showHover(at: Point | null): void {
    place(this.hover, at && this.camera.toScreen(at[0], at[1]));
  }

  showPin(at: Point | null): void {
    place(this.pin, at && this.camera.toScreen(at[0], at[1]));
  }

  /** The line that was decoded last, x and y of each step; empty for none. */
  showPath(stops: Float32Array): void {
    const at = (i: number) => this.camera.toScreen(stops[2 * i], stops[2 * i + 1]).join(" ");
    const line = Array.from({ length: stops.length / 2 }, (_, i) => at(i)).join("L");
    this.path.setAttribute("visibility", line ? "visible" : "hidden");
    this.path.setAttribute("d", line && `M${line}`);
  }

  /** `edited` is the gate that shows handles. */
  showGates(gates: GateItem[], edited: string | null): void {
    this.gates = gates;
    this.edited = edited;
    this.update();
  }

  /** Draws again after the camera moved; the focus stays on its element. */
  update(): void {
    const key = this.gatesLayer.querySelector<SVGElement>(":focus")?.dataset.key;
    const drawn = this.gates.filter((gate) => gate.polygon !== null);
    this.gatesLayer.replaceChildren(...drawn.flatMap((gate) => this.drawGate(gate)));
    if (key === undefined) return;
    const again = this.gatesLayer.querySelectorAll<SVGElement>("[data-key]");
    [...again].find((e) => e.dataset.key === key)?.focus({ preventScroll: true });
  }

  private drawGate(gate: GateItem): SVGElement[] {
    const isEdited = gate.name === this.edited;
    const polygon = isEdited && this.dragged ? this.dragged : (gate.polygon as unknown as Point[]);
    const corners = polygon.map(([x, y]) => this.camera.toScreen(x, y));
    const shape = svg("polygon", {
      class: isEdited ? "es-gate es-gate-edited" : "es-gate",
      points: corners.map((p) => p.join(",")).join(" "),
      style: `--gate: ${gate.color}`,
    });
    const handles = isEdited ? corners.map((_, i) => this.handle(gate, polygon, i)) : [];
    return [shape, this.drawName(gate, corners), ...handles];
  }

  /** Above the highest corner, and inside the panel. */
  private drawName(gate: GateItem, corners: Point[]): SVGElement {
    const top = corners.reduce((best, p) => (p[1] < best[1] ? p : best));
    const name = svg("text", {
      class: "es-gate-name",
      x: top[0],
      y: top[1] - 6,
      style: `--gate: ${gate.color}`,
      "data-handle": true,
      "data-key": `name ${gate.name}`,
    });
    name.textContent = gate.name;
    if (this.isStatic) return name;
    name.setAttribute("role", "button");
    name.setAttribute("tabindex", "0");
    name.setAttribute("aria-label", `Select the samples of gate ${gate.name}`);
    const choose = (event: MouseEvent | KeyboardEvent) =>
      this.events.onGateChosen(gate.name, modeOf(event));
    const { signal } = this;
    name.addEventListener("click", choose, { signal });
    name.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose(event);
      },
      { signal },
    );
    return name;
  }

  private handle(gate: GateItem, polygon: Point[], i: number): SVGElement {
    const [x, y] = this.camera.toScreen(polygon[i][0], polygon[i][1]);
    const handle = svg("circle", {
      class: "es-handle",
      cx: x,
      cy: y,
      r: 5,
      tabindex: 0,
      role: "button",
      "aria-label": `Corner ${i + 1} of gate ${gate.name}: arrow keys move, Delete removes`,
      "data-handle": i,
      "data-key": `corner ${i}`,
      style: `--gate: ${gate.color}`,
    });
    const { signal } = this;
    handle.addEventListener(
      "pointerdown",
      (event) => {
        handle.focus({ preventScroll: true });
        this.drag(event, gate, polygon, i);
      },
      { signal },
    );
    handle.addEventListener("keydown", (event) => this.nudge(event, gate, polygon, i), { signal });
    return handle;
  }

  /** Listens to the document: handles are replaced while one is dragged. */
  private drag(event: PointerEvent, gate: GateItem, polygon: Point[], i: number): void {
    event.stopPropagation();
    event.preventDefault();
    const dragging = new AbortController();
    const signal = AbortSignal.any([dragging.signal, this.signal]);
    const view = this.element.ownerDocument;
    const box = this.element.getBoundingClientRect();
    const end = (isAccepted: boolean) => {
      dragging.abort();
      const { dragged } = this;
      this.dragged = null;
      if (isAccepted && dragged) this.events.onGateEdited(gate.name, dragged);
      else this.update();
    };
    view.addEventListener(
      "pointermove",
      (moved) => {
        const at = this.camera.toWorld(moved.clientX - box.left, moved.clientY - box.top);
        this.dragged = polygon.map((p, k) => (k === i ? at : p));
        this.update();
      },
      { signal },
    );
    view.addEventListener("pointerup", () => end(true), { signal });
    view.addEventListener("pointercancel", () => end(false), { signal });
    const cancel = (pressed: KeyboardEvent) => {
      if (pressed.key !== "Escape") return;
      pressed.stopPropagation(); // else the handle ends the editing
      end(false);
    };
    view.addEventListener("keydown", cancel, { signal, capture: true });
  }

  private nudge(event: KeyboardEvent, gate: GateItem, polygon: Point[], i: number): void {
    const step = KEY_STEP_PX / this.camera.scale;
    const moves: Record<string, Point> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, step],
      ArrowDown: [0, -step],
    };
    const [dx, dy] = moves[event.key] ?? [0, 0];
    if (event.key === "Escape") this.events.onEditEnded();
    else if (event.key in moves)
      this.events.onGateEdited(
        gate.name,
        polygon.map((p, k): Point => (k === i ? [p[0] + dx, p[1] + dy] : p)),
      );
    else if (event.key === "Delete" && polygon.length > 3)
      this.events.onGateEdited(
        gate.name,
        polygon.filter((_, k) => k !== i),
      );
    else return;
    event.preventDefault();
  }
}

function place(element: SVGElement, at: Point | null): void {
  element.setAttribute("visibility", at ? "visible" : "hidden");
  if (at) element.setAttribute("transform", `translate(${at[0]} ${at[1]})`);
}
