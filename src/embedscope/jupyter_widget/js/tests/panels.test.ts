// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";

import { channelColors, composeChannels, composeObjects, edgesOf } from "../src/image/compose";
import type { FormField, StatusState } from "../src/messages";
import { inputFor, readInput, writeInput } from "../src/panels/form";
import { describe as describeStatus } from "../src/panels/header";
import { shortly, stepOf } from "../src/panels/legend";
import { someOf } from "../src/panels/selected";
import { pointOpacity, pointSize } from "../src/points/scene";

const NEIGHBORS: FormField = {
  name: "n_neighbors",
  kind: "int",
  label: "Neighbours",
  tooltip: "",
  group: "Map",
  default: 15,
  minimum: 2,
  maximum: 500,
  step: 1,
  choices: [],
  unit: "",
  is_basic: true,
};

describe("the form", () => {
  it("reads whole numbers within their bounds, and nothing else", () => {
    const input = inputFor(NEIGHBORS);
    const read = (text: string) => {
      input.value = text;
      return readInput(NEIGHBORS, input);
    };
    expect(read("30")).toBe(30);
    for (const wrong of ["1", "501", "2.5", ""]) expect(read(wrong)).toBeNull();
  });

  it("reads and writes truth values and choices in their own kind", () => {
    const field = { ...NEIGHBORS, kind: "bool", minimum: null, maximum: null };
    const box = inputFor(field);
    writeInput(field, box, true);
    expect(readInput(field, box)).toBe(true);
    const choice = { ...NEIGHBORS, kind: "choice", choices: ["a", "b"], default: "b" };
    expect(readInput(choice, inputFor(choice))).toBe("b");
  });
});

describe("the status line", () => {
  const running: StatusState = {
    phase: "fitting",
    is_running: true,
    is_paused: false,
    fraction: 0.25,
    epoch: 3,
    seconds_left: 8.4,
    message: "Learning the map.",
    error: "",
    hint: "",
    detail: "",
  };

  it("gives phase, share and time while a run is at work", () => {
    expect(describeStatus(running, 9)).toBe("Learning the map · 25 % · about 8 s left");
    expect(describeStatus({ ...running, seconds_left: null }, 9)).toBe("Learning the map · 25 %");
  });

  it("gives the number of samples otherwise", () => {
    const idle = { ...running, is_running: false, message: "Done." };
    expect(describeStatus(idle, 12345)).toBe("12,345 samples · Done.");
  });
});

describe("the image", () => {
  it("adds channels in their colours, stretched between low and high", () => {
    const [magenta, green] = channelColors(2, false);
    const channels = [
      { color: magenta, isLight: false, low: 0, high: 255, isVisible: true },
      { color: green, isLight: false, low: 100, high: 200, isVisible: true },
    ];
    const into = new Uint8ClampedArray(8);
    composeChannels(Uint8Array.of(50, 0, 150, 250), 2, channels, into);
    expect([...into]).toEqual([50, 128, 50, 255, 0, 255, 0, 255]);
    channels[1].isVisible = false;
    composeChannels(Uint8Array.of(50, 0, 150, 250), 2, channels, into);
    expect([...into.subarray(0, 4)]).toEqual([50, 0, 50, 255]);
  });

  it("shows transmitted light in grey, covered where another channel glows", () => {
    const [white, magenta] = channelColors(2, true);
    const [light, glow] = [
      { color: white, isLight: true, low: 0, high: 255, isVisible: true },
      { color: magenta, isLight: false, low: 0, high: 255, isVisible: true },
    ];
    const into = new Uint8ClampedArray(8);
    composeChannels(Uint8Array.of(100, 100, 0, 255), 2, [light, glow], into);
    expect([...into]).toEqual([100, 100, 100, 255, 255, 40, 255, 255]);
  });

  it("fills selected objects, outlines others, and leaves hidden ones out", () => {
    const rows = new Uint32Array(25).fill(1); // a 5 x 5 object, row 0
    const palette = Uint8Array.of(0, 0, 0, 0, 200, 0, 0, 255);
    const look = {
      levels: Uint8Array.of(1),
      palette,
      mask: Uint8Array.of(0),
      hasSelection: false,
      hover: -1,
      outlines: true,
    };
    const red = (change: Partial<typeof look>, pixel: number) => {
      const into = new Uint8ClampedArray(100);
      composeObjects(rows, edgesOf(rows, 5), { ...look, ...change }, into);
      return into[4 * pixel];
    };
    expect(red({}, 0)).toBe(160);
    expect(red({}, 12)).toBe(0);
    expect(red({ mask: Uint8Array.of(1), hasSelection: true }, 12)).toBe(90);
    expect(red({ mask: Uint8Array.of(1), hasSelection: true }, 0)).toBe(255);
    expect(red({ levels: Uint8Array.of(0) }, 0)).toBe(0);
    expect(red({ outlines: false }, 0)).toBe(0);
  });
});

describe("points", () => {
  it("shrink and turn transparent as they grow many", () => {
    expect(pointSize(100, 1, 1)).toBeGreaterThan(pointSize(100_000, 1, 1));
    expect(pointSize(1e7, 1, 1)).toBeGreaterThanOrEqual(1);
    expect(pointOpacity(100)).toBeGreaterThan(pointOpacity(1_000_000));
  });
});

describe("limits of colours", () => {
  it("are written with four digits and stepped through in some fifty round steps", () => {
    expect([12.34567, 0.00001234, 123456, 0].map(shortly)).toEqual([
      "12.35",
      "0.00001234",
      "123500",
      "0",
    ]);
    expect(stepOf([0, 1])).toBeCloseTo(0.01);
    expect(stepOf([-2000, 3000])).toBe(100);
    expect(stepOf([4, 4])).toBe(1);
  });
});

describe("pictures of the selected", () => {
  it("are evenly over them, and all where they are few", () => {
    const mask = Uint8Array.from({ length: 1000 }, (_, i) => Number(i % 10 === 3));
    expect(someOf(mask, 100, 4)).toEqual([3, 253, 503, 753]);
    expect(someOf(mask.subarray(0, 30), 3, 24)).toEqual([3, 13, 23]);
    expect(someOf(new Uint8Array(5), 0, 24)).toEqual([]);
  });
});
