// Draws points by WebGL2. A new map needs one upload of its positions; the vertex shader
// interpolates between two maps. After a lost context everything is uploaded again from the scene.

import type { Camera } from "../camera";
import { contextOf, link, release, texelTexture, uniforms, uploadPalette } from "../gl";
import type { Renderer } from "./renderer";
import { CROSS_LINE_PX, type Scene, crossSize, nDrawn } from "./scene";

// Comments are here, since those in a shader are part of the bundle. `view` is the centre and the scale
// to clip space; `pass` is 0 for points that are not selected, 1 for selected ones, 2 for crosses.
const VERTEX = `#version 300 es
in vec2 before; in vec2 after; in float level; in float selected; in float marked;
uniform vec4 view;
uniform float morph, size, opacity, crossSize;
uniform highp int pass;
uniform bool hasSelection;
uniform vec3 ink;
uniform sampler2D palette;
out vec4 color;
void main() {
  vec4 own = texelFetch(palette, ivec2(int(level), 0), 0);
  bool isSelected = selected > 0.5;
  bool isOfPass = pass == 2 ? marked > 0.5 : isSelected == (pass == 1);
  bool isDrawn = own.a > 0.0 && isOfPass && !isnan(after.x);
  vec2 place = (mix(before, after, morph) - view.xy) * view.zw;
  gl_Position = isDrawn ? vec4(place, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  gl_PointSize = pass == 2 ? crossSize : isSelected ? size * 1.3 : size;
  float alpha = own.a * (isSelected ? 1.0 : hasSelection ? opacity * 0.4 : opacity);
  vec3 rgb = isSelected || !hasSelection ? own.rgb : mix(own.rgb, vec3(0.6), 0.6);
  color = pass == 2 ? vec4(ink, 1.0) : vec4(rgb * alpha, alpha);
}`;

// The precision is that of the vertex shader, since both use the sizes. `pass == 2` measures how far the
// pixel is from the nearer diagonal, in pixels.
const FRAGMENT = `#version 300 es
precision highp float;
in vec4 color;
uniform float size, crossSize, lineWidth;
uniform highp int pass;
out vec4 pixel;
void main() {
  vec2 at = (gl_PointCoord - 0.5) * 2.0;
  float soft = 2.0 / max(size, 2.0);
  float inside = 1.0 - smoothstep(1.0 - soft, 1.0, length(at));
  if (pass == 2) {
    float away = min(abs(at.x - at.y), abs(at.x + at.y)) * 0.3536 * crossSize;
    inside = 1.0 - smoothstep(0.0, 1.0, away - 0.5 * lineWidth + 0.5);
  }
  if (inside <= 0.0) discard;
  pixel = color * inside;
}`;

const ATTRIBUTES = ["before", "after", "level", "selected", "marked"] as const;
const NOTHING: Scene["versions"] = { positions: -1, colors: -1, palette: -1, mask: -1, marked: -1 };
type Attribute = (typeof ATTRIBUTES)[number];

interface Resources {
  program: WebGLProgram;
  at: (name: string) => WebGLUniformLocation | null;
  buffers: Record<Attribute, WebGLBuffer>;
  palette: WebGLTexture;
}

export class WebGLRenderer implements Renderer {
  readonly name = "WebGL2";
  private resources: Resources | null = null;
  private uploaded = { ...NOTHING };
  private readonly listening = new AbortController();

  private constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGL2RenderingContext,
    onLost: () => void,
    onRestored: () => void,
  ) {
    const { signal } = this.listening;
    canvas.addEventListener(
      "webglcontextlost",
      (event) => {
        event.preventDefault(); // else it is never restored
        this.resources = null;
        onLost();
      },
      { signal },
    );
    canvas.addEventListener("webglcontextrestored", onRestored, { signal });
    this.build();
  }

  /** Null if the browser has no WebGL2, or its driver rejects the shaders. */
  static create(onLost: () => void, onRestored: () => void): WebGLRenderer | null {
    const canvas = document.createElement("canvas");
    const gl = contextOf(canvas);
    if (!gl) return null;
    try {
      return new WebGLRenderer(canvas, gl, onLost, onRestored);
    } catch (error) {
      console.warn("embedscope draws with Canvas2D:", error);
      return null;
    }
  }

  private build(): Resources {
    const gl = this.gl;
    const program = link(gl, VERTEX, FRAGMENT);
    const buffers = {} as Record<Attribute, WebGLBuffer>;
    for (const name of ATTRIBUTES) {
      buffers[name] = gl.createBuffer();
      const at = gl.getAttribLocation(program, name);
      const isPlace = name === "before" || name === "after";
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(
        at,
        isPlace ? 2 : 1,
        isPlace ? gl.FLOAT : gl.UNSIGNED_BYTE,
        false,
        0,
        0,
      );
    }
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.uploaded = { ...NOTHING };
    const palette = texelTexture(gl, gl.TEXTURE_2D);
    this.resources = { program, at: uniforms(gl, program), buffers, palette };
    return this.resources;
  }

  draw(scene: Scene, camera: Camera, pixelRatio: number): void {
    const gl = this.gl;
    if (gl.isContextLost()) return;
    const resources = this.resources ?? this.build();
    gl.useProgram(resources.program);
    this.upload(scene, resources);
    this.resize(camera, pixelRatio);
    this.setUniforms(scene, camera, pixelRatio, resources);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    for (const pass of passesOf(scene)) {
      gl.uniform1i(resources.at("pass"), pass);
      gl.drawArrays(gl.POINTS, 0, nDrawn(scene));
    }
  }

  private upload(scene: Scene, { buffers, palette }: Resources): void {
    const gl = this.gl;
    const fill = (name: Attribute, data: Float32Array | Uint8Array) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    };
    const { versions } = scene;
    if (this.uploaded.positions !== versions.positions) {
      fill("before", scene.before);
      fill("after", scene.xy);
    }
    if (this.uploaded.colors !== versions.colors) fill("level", scene.levels);
    if (this.uploaded.mask !== versions.mask) fill("selected", scene.mask);
    if (this.uploaded.marked !== versions.marked) fill("marked", scene.marked);
    gl.bindTexture(gl.TEXTURE_2D, palette);
    if (this.uploaded.palette !== versions.palette) uploadPalette(gl, scene.palette);
    this.uploaded = { ...versions };
  }

  private resize(camera: Camera, pixelRatio: number): void {
    const [w, h] = [Math.round(camera.width * pixelRatio), Math.round(camera.height * pixelRatio)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
    this.gl.viewport(0, 0, w, h);
  }

  private setUniforms(scene: Scene, camera: Camera, pixelRatio: number, { at }: Resources): void {
    const gl = this.gl;
    const [sx, sy] = [(2 * camera.scale) / camera.width, (2 * camera.scale) / camera.height];
    gl.uniform4f(at("view"), camera.x, camera.y, sx, sy);
    gl.uniform1f(at("morph"), scene.morph);
    gl.uniform1f(at("size"), scene.size * pixelRatio);
    gl.uniform1f(at("crossSize"), crossSize(scene.size) * pixelRatio);
    gl.uniform1f(at("lineWidth"), CROSS_LINE_PX * pixelRatio);
    gl.uniform3fv(at("ink"), inkOf(scene));
    gl.uniform1f(at("opacity"), scene.opacity);
    gl.uniform1i(at("hasSelection"), scene.hasSelection ? 1 : 0);
    gl.uniform1i(at("palette"), 0);
  }

  destroy(): void {
    this.listening.abort();
    release(this.gl);
    this.canvas.remove();
  }
}

function passesOf({ hasSelection, hasMarks }: Scene): number[] {
  return [0, ...(hasSelection ? [1] : []), ...(hasMarks ? [2] : [])];
}

function inkOf({ ink }: Scene): number[] {
  return (ink.match(/[\d.]+/g) ?? []).slice(0, 3).map((value) => Number(value) / 255);
}
