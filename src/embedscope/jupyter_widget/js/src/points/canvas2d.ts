// Draws points by Canvas2D where there is no WebGL2: slower, but the map is never blank.

import type { Camera } from "../camera";
import type { Renderer } from "./renderer";
import { CROSS_LINE_PX, type Scene, crossSize } from "./scene";

const GREY = 153; // 0.6 of 255, as in the shader of webgl.ts
const SMALL_PX = 3; // below it corners are not visible, and squares take a tenth of the time

export class Canvas2DRenderer implements Renderer {
  readonly name = "Canvas2D";
  readonly canvas = document.createElement("canvas");
  private readonly context = this.canvas.getContext("2d");

  draw(scene: Scene, camera: Camera, pixelRatio: number): void {
    const [w, h] = [Math.round(camera.width * pixelRatio), Math.round(camera.height * pixelRatio)];
    this.canvas.width = w; // also clears it
    this.canvas.height = h;
    if (!this.context) return;
    this.context.scale(pixelRatio, pixelRatio);
    const byLevel = rowsByLevel(scene);
    for (const drawsSelected of scene.hasSelection ? [0, 1] : [0]) {
      byLevel.forEach((rows, level) => this.drawLevel(scene, camera, rows, level, drawsSelected));
    }
    if (scene.hasMarks) this.drawCrosses(scene, camera);
  }

  private drawCrosses(scene: Scene, camera: Camera): void {
    const { context } = this;
    if (!context) return;
    const half = crossSize(scene.size) / 2;
    context.strokeStyle = scene.ink;
    context.lineWidth = CROSS_LINE_PX;
    context.beginPath();
    scene.marked.forEach((isMarked, row) => {
      if (!isMarked || !scene.palette[4 * (scene.levels[row] ?? 0) + 3]) return;
      const [x, y] = camera.toScreen(mixed(scene, 2 * row), mixed(scene, 2 * row + 1));
      for (const side of [-1, 1]) {
        context.moveTo(x - half, y - side * half);
        context.lineTo(x + half, y + side * half);
      }
    });
    context.stroke();
  }

  /** Sets the fill style once for each level: that is the slow part. */
  private drawLevel(
    scene: Scene,
    camera: Camera,
    rows: number[],
    level: number,
    drawsSelected: number,
  ): void {
    const color = styleOf(scene, level, drawsSelected === 1);
    if (!color || !this.context) return;
    const { context } = this;
    context.fillStyle = color;
    const size = scene.size * (drawsSelected ? 1.3 : 1);
    const isSmall = size < SMALL_PX;
    for (const row of rows) {
      if (scene.mask[row] !== drawsSelected) continue;
      const [x, y] = camera.toScreen(mixed(scene, 2 * row), mixed(scene, 2 * row + 1));
      if (isSmall) {
        context.fillRect(x - size / 2, y - size / 2, size, size);
        continue;
      }
      context.beginPath();
      context.arc(x, y, size / 2, 0, 2 * Math.PI);
      context.fill();
    }
  }

  destroy(): void {
    this.canvas.remove();
  }
}

function rowsByLevel(scene: Scene): Map<number, number[]> {
  const all = new Map<number, number[]>();
  for (let row = 0; row < scene.xy.length / 2; row++) {
    const level = scene.levels[row] ?? 0;
    const rows = all.get(level);
    if (rows) rows.push(row);
    else all.set(level, [row]);
  }
  return all;
}

function mixed(scene: Scene, i: number): number {
  return scene.before[i] + (scene.xy[i] - scene.before[i]) * scene.morph;
}

function styleOf(scene: Scene, level: number, isSelected: boolean): string | null {
  const [r, g, b, a] = scene.palette.subarray(4 * level, 4 * level + 4);
  if (!a) return null;
  const isDimmed = scene.hasSelection && !isSelected;
  const alpha = isSelected ? 1 : scene.opacity * (isDimmed ? 0.4 : 1);
  const [red, green, blue] = [r, g, b].map((v) => (isDimmed ? v + (GREY - v) * 0.6 : v));
  return `rgba(${red}, ${green}, ${blue}, ${(a / 255) * alpha})`;
}
