// From pointer and keys on a panel to events: pan, zoom, line, rectangle, click, drag. The same on
// the map and the image.

import type { Camera } from "../camera";
import { type Point, rectangle } from "../geometry";
import type { Tool } from "../store";

const CLICK_PX = 4; // a pointer that moves further drags
const KEY_PAN_PX = 40;
const WHEEL_ZOOM = 0.0016; // log of the zoom for each pixel that the wheel scrolls

export interface GestureEvents {
  tool(): Tool;
  onCamera(): void;
  /** The line that is being drawn, in screen pixels; null when it ended or was cancelled. */
  onSketch(line: readonly Point[] | null): void;
  onLine(line: readonly Point[], event: PointerEvent): void;
  onClick(at: Point, event: PointerEvent): void;
  onDoubleClick(at: Point): void;
  onDrag(at: Point): void;
  onHover(at: Point | null): void;
  /** To the next sample in one of four directions, upwards positive. */
  onStep(direction: Point): void;
  onEnter(event: KeyboardEvent): void;
  onEscape(): void;
  onFit(): void;
  onTool(tool: Tool): void;
}

const KEY_DIRECTIONS: Record<string, Point> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

const KEY_TOOLS: Record<string, Tool> = {
  p: "pan",
  l: "lasso",
  r: "rectangle",
  d: "decode",
  h: "path",
  g: "gate",
};

export class Gestures {
  private start: Point | null = null;
  private line: Point[] = [];
  private action: "pan" | "line" | "rectangle" | "decode" | null = null;
  private hasMoved = false;

  constructor(
    private readonly target: HTMLElement,
    private readonly camera: Camera,
    private readonly events: GestureEvents,
    signal: AbortSignal,
  ) {
    const on = <K extends keyof HTMLElementEventMap>(
      name: K,
      listener: (event: HTMLElementEventMap[K]) => void,
    ) => target.addEventListener(name, listener, { signal, passive: false });
    on("pointerdown", (event) => this.begin(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.end(event));
    on("dblclick", (event) => events.onDoubleClick(this.at(event)));
    on("pointercancel", () => this.cancel());
    on("pointerleave", () => events.onHover(null));
    on("wheel", (event) => this.wheel(event));
    on("keydown", (event) => this.key(event));
    on("contextmenu", (event) => event.preventDefault());
  }

  private at(event: MouseEvent): Point {
    const box = this.target.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private begin(event: PointerEvent): void {
    if (event.target instanceof Element && event.target.closest("[data-handle]")) return;
    this.target.focus({ preventScroll: true });
    this.target.setPointerCapture(event.pointerId);
    this.start = this.at(event);
    this.line = [this.start];
    this.hasMoved = false;
    this.action = this.actionFor(event);
    if (this.action === "decode") this.events.onDrag(this.start);
    event.preventDefault();
  }

  /** The middle and the right button pan with every tool. */
  private actionFor(event: PointerEvent): "pan" | "line" | "rectangle" | "decode" {
    const tool = this.events.tool();
    if (event.button !== 0 || tool === "pan") return "pan";
    if (tool === "rectangle" || tool === "decode") return tool;
    return "line";
  }

  private move(event: PointerEvent): void {
    const at = this.at(event);
    if (!this.start) {
      this.events.onHover(at);
      return;
    }
    const last = this.line[this.line.length - 1];
    this.hasMoved ||= Math.hypot(at[0] - this.start[0], at[1] - this.start[1]) > CLICK_PX;
    if (!this.hasMoved) return;
    if (this.action === "pan") {
      this.camera.pan(at[0] - last[0], at[1] - last[1]);
      this.events.onCamera();
    } else if (this.action === "decode") {
      this.events.onDrag(at);
    }
    this.line.push(at);
    if (this.action === "line") this.events.onSketch(this.line);
    if (this.action === "rectangle") this.events.onSketch(rectangle(this.start, at));
  }

  private end(event: PointerEvent): void {
    if (!this.start) return;
    const at = this.at(event);
    const [start, line, action] = [this.start, this.line, this.action];
    this.cancel();
    if (!this.hasMoved) {
      if (event.button === 0) this.events.onClick(at, event);
    } else if (action === "line") {
      if (line.length > 2) this.events.onLine(line, event);
    } else if (action === "rectangle") {
      this.events.onLine(rectangle(start, at), event);
    }
  }

  private cancel(): void {
    this.start = null;
    this.line = [];
    this.action = null;
    this.events.onSketch(null);
  }

  /** Zooms only if the panel has the focus or Ctrl is pressed; else the page scrolls. */
  private wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !this.target.matches(":focus-within")) return;
    event.preventDefault();
    event.stopPropagation();
    const [x, y] = this.at(event);
    this.camera.zoom(Math.exp(-event.deltaY * WHEEL_ZOOM * (event.deltaMode ? 20 : 1)), x, y);
    this.events.onCamera();
  }

  private key(event: KeyboardEvent): void {
    if (event.target !== this.target) return; // a handle or a name in front of the panel
    if (event.ctrlKey || event.metaKey || !this.handleKey(event)) return;
    event.preventDefault();
  }

  private handleKey(event: KeyboardEvent): boolean {
    const { key } = event;
    const direction = KEY_DIRECTIONS[key];
    if (direction && event.shiftKey) {
      this.events.onStep(direction);
      return true;
    }
    if (direction) this.camera.pan(-direction[0] * KEY_PAN_PX, direction[1] * KEY_PAN_PX);
    else if (key === "+" || key === "=") this.camera.zoom(1.25);
    else if (key === "-") this.camera.zoom(0.8);
    else if (key === "Enter") {
      this.events.onEnter(event);
      return true;
    } else return this.handleOtherKey(key);
    this.events.onCamera();
    return true;
  }

  private handleOtherKey(key: string): boolean {
    if (key === "0") this.events.onFit();
    else if (key in KEY_TOOLS) this.events.onTool(KEY_TOOLS[key]);
    else if (key === "Escape" && this.start) this.cancel();
    else if (key === "Escape") this.events.onEscape();
    else return false;
    return true;
  }
}
