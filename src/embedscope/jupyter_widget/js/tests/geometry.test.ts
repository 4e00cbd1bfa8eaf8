import { describe, expect, it } from "vitest";

import { Camera } from "../src/camera";
import { type Point, isInside, rectangle, segmentTouches, simplify } from "../src/geometry";
import { PointGrid, boundsOfPositions } from "../src/grid";

/** The same numbers every time. */
function numbers(n: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: n }, () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const STAR: Point[] = [0, 2, 4, 1, 3].map((k) => {
  const angle = (2 * Math.PI * k) / 5;
  return [Math.sin(angle), Math.cos(angle)];
});

describe("polygons", () => {
  it("fills by the non-zero rule: the middle of a pentagram is inside", () => {
    expect(isInside(0, 0, STAR)).toBe(true);
    expect(isInside(0, 0.9, STAR)).toBe(true);
    expect(isInside(0, -0.9, STAR)).toBe(false);
  });

  it("does not depend on the direction of drawing", () => {
    const square = rectangle([0, 0], [1, 2]);
    expect(isInside(0.5, 1, square)).toBe(true);
    expect(isInside(0.5, 1, [...square].reverse())).toBe(true);
    expect(isInside(1.5, 1, square)).toBe(false);
  });

  it("finds segments that cross a box without an end inside it", () => {
    const box = { x0: 0, y0: 0, x1: 1, y1: 1 };
    expect(segmentTouches(box, [-1, 0.5], [2, 0.5])).toBe(true);
    expect(segmentTouches(box, [-1, 1.5], [0.4, 1.1])).toBe(false);
    expect(segmentTouches(box, [2, 2], [3, 3])).toBe(false);
  });

  it("keeps corners and drops what lies on the line between them", () => {
    const line: Point[] = [
      [0, 0],
      [1, 0.01],
      [2, 0],
      [2, 1],
      [2, 2],
    ];
    expect(simplify(line, 0.1)).toEqual([
      [0, 0],
      [2, 0],
      [2, 2],
    ]);
  });
});

describe("the grid", () => {
  const xy = numbers(4000);
  const grid = new PointGrid(xy);

  it("selects what a test of every sample selects", () => {
    for (const polygon of [STAR, rectangle([-0.3, -2], [0.2, 3]), rectangle([-9, -9], [9, 9])]) {
      const all = Uint8Array.from({ length: 2000 }, (_, i) =>
        Number(isInside(xy[2 * i], xy[2 * i + 1], polygon)),
      );
      expect(grid.inPolygon(polygon)).toEqual(all);
    }
  });

  it("finds the nearest sample, or none within reach", () => {
    expect(grid.nearest(xy[20], xy[21], 0.01, () => true)).toBe(10);
    expect(grid.nearest(5, 5, 0.5, () => true)).toBe(-1);
    expect(grid.nearest(xy[20], xy[21], 0.1, (row) => row !== 10)).not.toBe(10);
  });

  it("leaves out samples without a position", () => {
    const some = new PointGrid(Float32Array.of(NaN, NaN, 0.5, 0.5, 0, 0));
    expect([...some.inPolygon(rectangle([-1, -1], [2, 2]))]).toEqual([0, 1, 1]);
    expect(some.nearest(0.5, 0.5, 9, () => true)).toBe(1);
  });

  it("has bounds without any sample", () => {
    expect(boundsOfPositions(Float32Array.of(NaN, NaN))).toEqual({ x0: 0, y0: 0, x1: 1, y1: 1 });
  });
});

describe("the camera", () => {
  const camera = new Camera(1, 0.1);
  camera.resize(200, 100);
  camera.fit({ x0: -1, y0: -1, x1: 1, y1: 1 });

  it("fits the box with its margin, and grows upwards", () => {
    expect(camera.toScreen(0, 1)[1]).toBeCloseTo(10);
    expect(camera.toScreen(0, -1)[1]).toBeCloseTo(90);
  });

  it("maps there and back", () => {
    const [x, y] = camera.toWorld(...camera.toScreen(0.3, -0.7));
    expect(x).toBeCloseTo(0.3);
    expect(y).toBeCloseTo(-0.7);
  });

  it("zooms about the pointer and pans by pixels", () => {
    const before = camera.toWorld(30, 40);
    camera.zoom(3, 30, 40);
    expect(camera.toWorld(30, 40)[0]).toBeCloseTo(before[0]);
    camera.pan(10, -5);
    expect(camera.toWorld(40, 35)[1]).toBeCloseTo(before[1]);
  });
});
