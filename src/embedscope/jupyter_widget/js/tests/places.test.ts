import { describe, expect, it } from "vitest";

import { pictureAt } from "../src/atlas";
import { PointGrid } from "../src/grid";
import { middlesOf, rowAt, rowsIn } from "../src/image/objects";
import type { Atlas, Picture } from "../src/messages";
import { cutSheet } from "../src/unpacking";

describe("the atlas", () => {
  const head: Atlas = { t: "atlas", rev: 1, nx: 3, ny: 2, x0: 0, y0: 0, x1: 2, y1: 1, w: 1, h: 1 };
  const rgb = Uint8Array.from({ length: 18 }, (_, i) => Math.floor(i / 3));
  const support = Uint8Array.of(0, 51, 102, 153, 204, 255);
  const cell = (x: number, y: number) => pictureAt({ head, rgb, support }, x, y);

  it("gives the nearest cell, row by row from the lower left corner", () => {
    expect([...cell(0, 0).rgb]).toEqual([0, 0, 0]);
    expect([...cell(1.2, 0.1).rgb]).toEqual([1, 1, 1]);
    expect([...cell(1.9, 0.9).rgb]).toEqual([5, 5, 5]);
  });

  it("begins a cell where the one before ends", () => {
    expect([0.66, 0.67, 1.33, 1.34].map((x) => cell(x, 0).rgb[0])).toEqual([0, 1, 1, 2]);
  });

  it("gives the nearest cell outside the grid too, with its support", () => {
    expect([...cell(-9, 9).rgb]).toEqual([3, 3, 3]);
    expect(cell(9, 9).head.support).toBe(1);
    expect(cell(1, 0).head.support).toBeCloseTo(0.2);
  });
});

describe("objects of an image", () => {
  // A part of a plane at half resolution: pixels 10..14 of x, 20..26 of y.
  const head = { w: 2, h: 3, x0: 10, y0: 20, x1: 14, y1: 26 } as Picture;
  const rows = Uint32Array.of(0, 1, 2, 2, 0, 3); // row + 1
  const picture = { head, rows, levels: new Uint8Array(0) };

  it("are found by a place in pixels of the full resolution", () => {
    expect(rowAt(picture, 13, 21)).toBe(0);
    expect(rowAt(picture, 10.5, 23.9)).toBe(1);
    expect(rowAt(picture, 11, 21)).toBe(-1);
    for (const [x, y] of [
      [9.9, 21],
      [14, 21],
      [11, 26],
    ]) {
      expect(rowAt(picture, x, y)).toBe(-1);
    }
  });

  it("are found by an outline that holds the middle of one of their pixels", () => {
    const box = (x0: number, y0: number, x1: number, y1: number) =>
      [
        ...rowsIn(picture, [
          [x0, y0],
          [x1, y0],
          [x1, y1],
          [x0, y1],
        ]),
      ].sort();
    expect(box(0, 0, 99, 99)).toEqual([0, 1, 2]);
    expect(box(10, 22, 12, 24)).toEqual([1]);
    expect(box(10, 20, 12, 22)).toEqual([]);
  });
});

describe("the middles of objects", () => {
  it("are in pixels of the full resolution, and NaN where an object is not in the picture", () => {
    const head = { w: 2, h: 2, x0: 10, y0: 20, x1: 14, y1: 24 } as Picture;
    const picture = { head, rows: Uint32Array.of(1, 1, 0, 3), levels: new Uint8Array(0) };
    expect([...middlesOf(picture, 3)]).toEqual([12, 21, NaN, NaN, 13, 23]);
    expect([...middlesOf(picture, 1)]).toEqual([12, 21]); // fewer samples than before
  });
});

describe("the next sample", () => {
  const xy = Float32Array.of(0, 0, 1, 0.5, 5, 0, 0, 3, -2, 2.5, NaN, NaN, 0.1, 0);
  const grid = new PointGrid(xy);
  const next = (x: number, y: number, dx: number, dy: number, least = 0.2) =>
    grid.towards([x, y], [dx, dy], least, (row) => row !== 2);

  it("is the nearest in a quarter of the plane, and not too near", () => {
    expect(next(0, 0, 1, 0)).toBe(1);
    expect(next(0, 0, 0, 1)).toBe(3);
    expect(next(0, 3, -1, 0)).toBe(4);
    expect(next(0, 0, 1, 0, 0.01)).toBe(6);
  });

  it("is -1 where there is none; hidden samples do not count", () => {
    expect(next(1, 0.5, 1, 0)).toBe(-1);
    expect(next(0, 0, 0, -1)).toBe(-1);
    expect(next(100, 100, 1, 0)).toBe(-1);
    expect(next(100, 0, -1, 0)).toBe(1);
  });
});

describe("the samples around a place", () => {
  it("are the nearest, nearest first, without hidden samples and those without a position", () => {
    const xy = Float32Array.of(0, 0, 1, 0, 0, 2, 0.5, 0, NaN, NaN, 9, 9);
    const around = (reach: number, most: number) =>
      new PointGrid(xy).around([0, 0], reach, most, (row) => row !== 1);
    expect(around(3, 10)).toEqual([0, 3, 2]);
    expect(around(3, 2)).toEqual([0, 3]);
    expect(around(0.6, 10)).toEqual([0, 3]);
    expect(around(99, 10)).toEqual([0, 3, 2, 5]);
  });

  it("are those that a search of all samples finds", () => {
    const xy = Float32Array.from({ length: 4000 }, (_, i) => ((i * 7919) % 1009) / 1009);
    const far = (row: number) => Math.hypot(xy[2 * row] - 0.3, xy[2 * row + 1] - 0.6);
    const all = [...Array(2000).keys()].sort((a, b) => far(a) - far(b));
    const found = new PointGrid(xy).around([0.3, 0.6], 1, 48, () => true);
    expect(found.map(far)).toEqual(all.slice(0, 48).map(far));
  });
});

describe("a sheet of pictures", () => {
  it("is cut into its pictures", () => {
    // Two rows of two pictures of 1 x 2 pixels; the last place is empty.
    const red = [1, 2, 3, 4, 5, 6, 0, 0];
    const rgba = Uint8ClampedArray.from(red.flatMap((v) => [v, v + 10, v + 20, 255]));
    const size = { n: 3, w: 1, h: 2, across: 2 };
    expect([...cutSheet({ ...size, depth: 1 }, rgba)]).toEqual([1, 3, 2, 4, 5, 0]);
    expect([...cutSheet({ ...size, n: 1, depth: 3 }, rgba)]).toEqual([1, 11, 21, 3, 13, 23]);
  });
});
