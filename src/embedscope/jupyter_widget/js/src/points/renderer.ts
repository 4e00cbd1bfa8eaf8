// What draws a scene: WebGL2 where there is one, Canvas2D elsewhere.

import type { Camera } from "../camera";
import type { Scene } from "./scene";

export interface Renderer {
  readonly canvas: HTMLCanvasElement;
  readonly name: "WebGL2" | "Canvas2D";
  draw(scene: Scene, camera: Camera, pixelRatio: number): void;
  destroy(): void;
}
