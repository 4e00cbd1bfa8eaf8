// Draws an image plane on a canvas: channels are composed when they change, objects when colours or
// selection change; when the camera moves, the composed picture is only moved.

import type { Camera } from "../camera";
import { h } from "../dom";
import type { Point } from "../geometry";
import type { ImagePicture, Store } from "../store";
import { type Channel, composeChannels, composeObjects, edgesOf } from "./compose";

export class ImageDrawing {
  readonly canvas = h("canvas");
  readonly sketch = h("canvas", { class: "es-image-sketch" });
  private readonly pixels = h("canvas");
  private picture: ImagePicture | null = null;
  private channels: Channel[] = [];
  private edges: Uint8Array = new Uint8Array(0);
  private plain: ImageData | null = null; // channels without objects
  private isStale = true;

  show(picture: ImagePicture, channels: Channel[]): void {
    this.picture = picture;
    this.channels = channels;
    this.edges = edgesOf(picture.rows, picture.head.w);
    this.changeChannels();
  }

  clear(): void {
    this.picture = null;
  }

  changeChannels(): void {
    this.plain = null;
    this.isStale = true;
  }

  changeObjects(): void {
    this.isStale = true;
  }

  draw(camera: Camera, store: Store, look: { outlines: boolean }): void {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const [w, height] = [camera.width * ratio, camera.height * ratio].map(Math.round);
    if (this.canvas.width !== w || this.canvas.height !== height) {
      this.canvas.width = w;
      this.canvas.height = height;
    }
    const context = this.canvas.getContext("2d");
    context?.clearRect(0, 0, w, height);
    if (!context || !this.picture) return;
    if (this.isStale) this.compose(this.picture, store, look);
    const { head } = this.picture;
    const [x0, y0] = camera.toScreen(head.x0, head.y0);
    const [x1, y1] = camera.toScreen(head.x1, head.y1);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.pixels, x0 * ratio, y0 * ratio, (x1 - x0) * ratio, (y1 - y0) * ratio);
  }

  private compose(picture: ImagePicture, store: Store, look: { outlines: boolean }): void {
    const context = this.pixels.getContext("2d");
    if (!context) return;
    this.isStale = false;
    const { w, h: height } = picture.head;
    if (!this.plain) {
      this.plain = new ImageData(w, height);
      composeChannels(picture.levels, w * height, this.channels, this.plain.data);
    }
    const shown = new ImageData(new Uint8ClampedArray(this.plain.data), w, height);
    const { levels, palette, mask, nSelected, hover } = store;
    const lookup = { levels, palette, mask, hasSelection: nSelected > 0, hover, ...look };
    composeObjects(picture.rows, this.edges, lookup, shown.data);
    this.pixels.width = w;
    this.pixels.height = height;
    context.putImageData(shown, 0, 0);
  }

  /** The line that is being drawn, in screen pixels; null for none. */
  sketchLine(line: readonly Point[] | null, camera: Camera): void {
    this.sketch.width = camera.width;
    this.sketch.height = camera.height;
    const context = this.sketch.getContext("2d");
    if (!line || !context) return;
    context.beginPath();
    line.forEach(([x, y]) => context.lineTo(x, y));
    context.closePath();
    context.fillStyle = "rgba(255, 255, 255, 0.15)";
    context.strokeStyle = "#fff";
    context.fill();
    context.stroke();
  }
}
