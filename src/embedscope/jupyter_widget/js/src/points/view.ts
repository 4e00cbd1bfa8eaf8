// The points of the map in a panel: scene, camera and renderer. Another renderer (regl-scatterplot,
// say) would have to implement `PointsView` only.

import { type Aim, Camera } from "../camera";
import type { Point, Polygon } from "../geometry";
import { type PointGrid, boundsOfPositions } from "../grid";
import { Canvas2DRenderer } from "./canvas2d";
import type { Renderer } from "./renderer";
import type { Look } from "../store";
import { emptyScene, pointOpacity, pointSize } from "./scene";
import { WebGLRenderer } from "./webgl";

const MORPH_MS = 220;
const MOST_MOVED_BY_CANVAS = 20_000; // more points take longer to draw than the morph lasts
const PICK_PX = 9; // largest distance from the pointer to the hovered point
const AROUND_PX = 60;
const STEP_PX = 5; // least step by the keyboard; zooming in makes steps finer
const MARGIN = 0.06; // of the panel, on each side of the fitted map

export interface PointsView {
  readonly camera: Camera;
  readonly rendererName: string;
  setPositions(xy: Float32Array, grid: () => PointGrid, morphs: boolean): void;
  setColors(levels: Uint8Array, palette: Uint8Array): void;
  setMask(mask: Uint8Array, hasSelection: boolean): void;
  /** Crosses on these rows. */
  setMarked(rows: Uint32Array): void;
  /** Size as a multiple of the default for their number; opacity 0..1, null for the default. */
  setLook(look: Look): void;
  /** The sample at a point of the screen, or -1. */
  pick(sx: number, sy: number): number;
  /** The visible samples near a point of the screen, the nearest first. */
  around(sx: number, sy: number, most: number): number[];
  /** The next visible sample in a direction from a point of the map, or -1. */
  next(from: Point, direction: Point): number;
  /** 1 for every visible sample inside a polygon in map coordinates. */
  lasso(polygon: Polygon): Uint8Array;
  fit(): void;
  resize(width: number, height: number): void;
  draw(): void;
  /** Frees the graphics context while the map is out of view; `resume` makes a new one. */
  suspend(): void;
  resume(): void;
  destroy(): void;
}

/** `aim` is where the camera starts; null shows the whole map. */
export function createPointsView(
  parent: HTMLElement,
  onDrawn: () => void,
  aim: Aim | null,
): PointsView {
  return new SceneView(parent, onDrawn, aim);
}

class SceneView implements PointsView {
  readonly camera = new Camera(1, MARGIN);
  private readonly scene = emptyScene();
  private renderer: Renderer | null = null;
  private grid: () => PointGrid = () => {
    throw new Error("There are no positions yet.");
  };
  private frame = 0;
  private morphBegan = 0;
  private look: Look = { pointScale: 1, opacity: null, marksNovel: true };
  private markedRows: Uint32Array = new Uint32Array(0);
  private isFitted = false;
  private standIn: Renderer | null = null; // while the graphics context is lost

  constructor(
    private readonly parent: HTMLElement,
    private readonly onDrawn: () => void,
    private firstAim: Aim | null,
  ) {
    this.resume();
  }

  get rendererName(): string {
    return this.drawing?.name ?? "none";
  }

  private get drawing(): Renderer | null {
    return this.standIn ?? this.renderer;
  }

  setPositions(xy: Float32Array, grid: () => PointGrid, morphs: boolean): void {
    const { scene } = this;
    const isSameSize = scene.xy.length === xy.length;
    const canMorph = this.drawing?.name === "WebGL2" || xy.length < 2 * MOST_MOVED_BY_CANVAS;
    scene.before = isSameSize && morphs && canMorph && !prefersReducedMotion() ? scene.xy : xy;
    scene.xy = xy;
    scene.versions.positions++;
    if (!isSameSize) this.mark();
    this.grid = grid;
    this.morphBegan = performance.now();
    if (!this.isFitted || !isSameSize || this.camera.magnification === 1) this.fitQuietly();
    this.draw();
  }

  setColors(levels: Uint8Array, palette: Uint8Array): void {
    this.scene.levels = levels;
    this.scene.palette = palette;
    this.scene.versions.colors++;
    this.scene.versions.palette++;
    this.draw();
  }

  setMask(mask: Uint8Array, hasSelection: boolean): void {
    this.scene.mask = mask;
    this.scene.hasSelection = hasSelection;
    this.scene.versions.mask++;
    this.draw();
  }

  setMarked(rows: Uint32Array): void {
    this.markedRows = rows;
    this.mark();
    this.draw();
  }

  /** Rows beyond the samples are ignored. */
  private mark(): void {
    const { scene, markedRows } = this;
    scene.marked = new Uint8Array(scene.xy.length / 2);
    for (const row of markedRows) scene.marked[row] = 1;
    scene.versions.marked++;
  }

  setLook(look: Look): void {
    this.look = look;
    this.draw();
  }

  pick(sx: number, sy: number): number {
    if (!this.scene.xy.length) return -1;
    const [x, y] = this.camera.toWorld(sx, sy);
    return this.grid().nearest(x, y, PICK_PX / this.camera.scale, (row) => this.isVisible(row));
  }

  around(sx: number, sy: number, most: number): number[] {
    if (!this.scene.xy.length) return [];
    const { camera } = this;
    const reach = AROUND_PX / camera.scale;
    return this.grid().around(camera.toWorld(sx, sy), reach, most, (row) => this.isVisible(row));
  }

  next(from: Point, direction: Point): number {
    if (!this.scene.xy.length) return -1;
    const least = STEP_PX / this.camera.scale;
    return this.grid().towards(from, direction, least, (row) => this.isVisible(row));
  }

  lasso(polygon: Polygon): Uint8Array {
    if (!this.scene.xy.length) return new Uint8Array(0);
    const hits = this.grid().inPolygon(polygon);
    for (let row = 0; row < hits.length; row++)
      if (hits[row] && !this.isVisible(row)) hits[row] = 0;
    return hits;
  }

  private isVisible(row: number): boolean {
    return this.scene.palette[4 * (this.scene.levels[row] ?? 0) + 3] > 0;
  }

  fit(): void {
    this.fitQuietly();
    this.draw();
  }

  private fitQuietly(): void {
    if (!this.scene.xy.length || this.camera.width <= 1) return;
    this.camera.fit(boundsOfPositions(this.scene.xy));
    if (this.firstAim) this.camera.aim = this.firstAim;
    this.firstAim = null;
    this.isFitted = true;
  }

  resize(width: number, height: number): void {
    const wasWhole = this.camera.magnification === 1;
    this.camera.resize(width, height);
    if (wasWhole || !this.isFitted) this.fitQuietly();
    this.draw();
  }

  draw(): void {
    this.frame ||= requestAnimationFrame(() => this.drawNow());
  }

  private drawNow(): void {
    this.frame = 0;
    const { scene, camera } = this;
    if (!this.drawing || camera.width <= 1) return;
    const n = scene.xy.length / 2;
    const progress = Math.min(1, (performance.now() - this.morphBegan) / MORPH_MS);
    scene.morph = scene.before === scene.xy ? 1 : progress * progress * (3 - 2 * progress);
    scene.size = pointSize(n, camera.magnification, this.look.pointScale);
    scene.opacity = this.look.opacity ?? pointOpacity(n);
    scene.hasMarks = this.markedRows.length > 0 && this.look.marksNovel;
    if (scene.hasMarks) scene.ink = getComputedStyle(this.parent).color;
    this.describe();
    this.drawing.draw(scene, camera, Math.min(2, window.devicePixelRatio || 1));
    this.onDrawn();
    if (scene.morph < 1) this.draw();
  }

  /** Writes renderer and camera into the page, for tests and bug reports. */
  private describe(): void {
    const { x, y, scale } = this.camera;
    this.parent.dataset.renderer = this.rendererName;
    this.parent.dataset.camera = `${x} ${y} ${scale}`;
  }

  suspend(): void {
    if (this.renderer?.name !== "WebGL2" || this.standIn) return;
    const picture = document.createElement("canvas");
    picture.width = this.renderer.canvas.width;
    picture.height = this.renderer.canvas.height;
    picture.getContext("2d")?.drawImage(this.renderer.canvas, 0, 0);
    this.show(null);
    this.parent.prepend(picture); // the last picture stays while scrolling past
  }

  resume(): void {
    if (this.renderer) return;
    this.show(this.makeRenderer());
  }

  private makeRenderer(): Renderer {
    const made = WebGLRenderer.create(
      () => this.lost(),
      () => this.restored(),
    );
    return made ?? new Canvas2DRenderer();
  }

  private show(renderer: Renderer | null): void {
    this.renderer?.destroy();
    this.renderer = renderer;
    this.parent.querySelector(":scope > canvas")?.remove();
    if (renderer) this.parent.prepend(renderer.canvas);
    this.draw();
  }

  /** Canvas2D draws until the context is restored, if ever. */
  private lost(): void {
    if (!this.renderer) return;
    this.renderer.canvas.hidden = true; // browsers show a broken picture there
    this.standIn ??= new Canvas2DRenderer();
    this.parent.prepend(this.standIn.canvas);
    this.draw();
  }

  private restored(): void {
    if (!this.renderer) return;
    this.renderer.canvas.hidden = false;
    this.standIn?.destroy();
    this.standIn = null;
    this.draw();
  }

  destroy(): void {
    this.standIn?.destroy();
    cancelAnimationFrame(this.frame);
    this.renderer?.destroy();
    this.renderer = null;
  }
}

/** The user asked the system for less motion. */
function prefersReducedMotion(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
