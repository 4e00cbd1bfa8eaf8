// Draws a scene: by WebGL2, or by Canvas2D where there is none.

import type { Camera } from "../camera";
import type { Scene } from "./scene";

export interface Renderer {
  readonly canvas: HTMLCanvasElement;
  readonly name: "WebGL2" | "Canvas2D";
  draw(scene: Scene, camera: Camera, pixelRatio: number): void;
  destroy(): void;
}
