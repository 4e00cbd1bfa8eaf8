import { describe, expect, it } from "vitest";

import { combine, count, modeOf, pack, unpack } from "../src/bits";
import { asBytes, asFloats, asIntegers } from "../src/buffers";

describe("bits", () => {
  it("packs the least significant bit first, as numpy does with bitorder little", () => {
    expect([...pack(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 1, 0, 1))]).toEqual([0b10000001, 0b10]);
  });

  it("gives back what was packed, for sizes around a byte", () => {
    for (const n of [0, 1, 7, 8, 9, 1000]) {
      const mask = Uint8Array.from({ length: n }, (_, i) => Number(i % 3 === 0));
      expect(unpack(pack(mask), n)).toEqual(mask);
    }
  });

  it("takes missing bits for samples that are not selected", () => {
    expect([...unpack(Uint8Array.of(255), 10)]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
  });

  it("combines by all four modes", () => {
    const [current, hits] = [Uint8Array.of(0, 0, 1, 1), Uint8Array.of(0, 1, 0, 1)];
    expect([...combine(current, hits, "replace")]).toEqual([0, 1, 0, 1]);
    expect([...combine(current, hits, "add")]).toEqual([0, 1, 1, 1]);
    expect([...combine(current, hits, "subtract")]).toEqual([0, 0, 1, 0]);
    expect([...combine(current, hits, "invert")]).toEqual([0, 1, 1, 0]);
    expect(count(current)).toBe(2);
  });

  it("reads the mode from the keys", () => {
    expect(modeOf({ shiftKey: false, altKey: false })).toBe("replace");
    expect(modeOf({ shiftKey: true, altKey: false })).toBe("add");
    expect(modeOf({ shiftKey: false, altKey: true })).toBe("subtract");
    expect(modeOf({ shiftKey: true, altKey: true })).toBe("invert");
  });
});

describe("buffers", () => {
  const whole = new Uint8Array([9, ...new Uint8Array(Float32Array.of(1.5, -2).buffer)]);

  it("reads numbers at any offset of a larger buffer", () => {
    expect([...asFloats(new DataView(whole.buffer, 1, 8))]).toEqual([1.5, -2]);
    const integers = new Uint8Array([0, 0, ...new Uint8Array(Uint32Array.of(7, 2 ** 31).buffer)]);
    expect([...asIntegers(new DataView(integers.buffer, 2, 8))]).toEqual([7, 2 ** 31]);
  });

  it("does not read beyond the part it was given", () => {
    expect([...asBytes(new DataView(whole.buffer, 0, 1))]).toEqual([9]);
  });

  it("takes a missing buffer for an empty one", () => {
    expect(asFloats(undefined).length + asBytes(undefined).length).toBe(0);
  });
});
