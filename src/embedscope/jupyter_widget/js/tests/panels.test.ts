// @vitest-environment happy-dom
import { afterEach, describe, expect, it } from "vitest";

import { channelColors, composeChannels, composeObjects, edgesOf } from "../src/image/compose";
import type { Connection } from "../src/connection";
import type { Catalog, Decoded, FormField, StatusState } from "../src/messages";
import { carryControls } from "../src/panels/carry";
import { decodedPanel, describeStyle } from "../src/panels/decoded";
import { inputFor, readInput, writeInput } from "../src/panels/form";
import { describe as describeStatus } from "../src/panels/header";
import { describeLearning, learningChoice, whyNoTraining } from "../src/panels/learning";
import { shortly, stepOf } from "../src/panels/legend";
import { groupLosses } from "../src/panels/losses";
import { linesOf } from "../src/map/tooltip";
import { reconstructedPanel } from "../src/panels/reconstructed";
import { someOf } from "../src/panels/selected";
import { leftOutNote } from "../src/panels/left_out";
import { sourceNote } from "../src/panels/source";
import { turnSlider } from "../src/panels/turn";
import { pointOpacity, pointSize } from "../src/points/scene";
import { Store } from "../src/store";

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

describe("the hover text", () => {
  const values: [string, string][] = ["a", "b", "c", "d"].map((name) => [name, "1"]);

  it("has three values, and the feature that colours the map is the first", () => {
    expect(linesOf(values, "")).toEqual(["a: 1", "b: 1", "c: 1"]);
    expect(linesOf(values, "b")).toEqual(["b: 1", "a: 1", "c: 1"]);
    expect(linesOf(values, "d")).toEqual(["d: 1", "a: 1", "b: 1"]);
    expect(linesOf([], "a")).toEqual([]);
  });
});

describe("what the map learns from", () => {
  const none = { learn_columns: ["area", "mean", "rank", "std"], learned_columns: [] };
  const catalog = { n_samples: 9, is_image: true, learned_kind: "shown", learns_from: "pixels", ...none };

  function shown(of: object) {
    const store = new Store();
    store.catalog = { ...catalog, ...of } as unknown as Catalog;
    const sent: unknown[] = [];
    const element = learningChoice(
      store,
      { learnFrom: (what: unknown) => sent.push(what) } as unknown as Connection,
      new AbortController().signal,
    );
    const select = element.querySelector("select") as HTMLSelectElement;
    const boxes = [...element.querySelectorAll<HTMLInputElement>("input")];
    return { store, sent, element, select, boxes, list: element.querySelector(".es-columns") };
  }

  it("is chosen among pixels and columns, which all are ticked at first", () => {
    const { store, sent, select, boxes, list } = shown({});
    expect([...select.options].map((each) => each.text)).toEqual(["pixels", "columns of the table"]);
    expect((list as HTMLElement).hidden).toBe(true);
    select.value = "columns";
    select.dispatchEvent(new Event("change"));
    expect(sent).toEqual([["area", "mean", "rank", "std"]]);
    store.setLearning({ kind: "columns", columns: ["mean"] });
    expect((list as HTMLElement).hidden).toBe(false);
    expect(boxes.map((box) => box.checked)).toEqual([false, true, false, false]);
    expect(describeLearning(store)).toBe("The next map learns from mean: press Train.");
    store.catalog = { ...catalog, learned_kind: "columns", learned_columns: ["mean"] } as unknown as Catalog;
    store.endLearning();
    expect(store.learning).toBeNull();
    expect(describeLearning(store)).toBe("The map learns from mean.");
  });

  it("needs a column, and pixels to be alike", () => {
    const { store, element } = shown({});
    store.setLearning({ kind: "columns", columns: [] });
    expect(whyNoTraining(store)).toBe("Choose at least one column.");
    expect(element.querySelector(".es-warning")).not.toBeNull();
    store.parameters = { alike: "learned" };
    store.setLearning({ kind: "columns", columns: ["area"] });
    expect(whyNoTraining(store)).toContain("Set What is alike to pixels");
    store.setLearning({ kind: "shown", columns: [] });
    expect(whyNoTraining(store)).toBe("");
  });

  it("may be what a function computes", () => {
    const of = { learned_kind: "function", learns_from: "what net computes" };
    const { select, element } = shown({ ...of, learn_columns: [] });
    expect(select.selectedOptions[0].text).toBe("what net computes");
    expect(element.textContent).toContain("The map learns from what net computes.");
    expect((shown({ learn_columns: [] }).element.firstElementChild as HTMLElement).hidden).toBe(true);
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

  it("shows transmitted light in grey, covered by fluorescence", () => {
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
  it("are smaller and more transparent the more there are", () => {
    expect(pointSize(100, 1, 1)).toBeGreaterThan(pointSize(100_000, 1, 1));
    expect(pointSize(1e7, 1, 1)).toBeGreaterThanOrEqual(1);
    expect(pointOpacity(100)).toBeGreaterThan(pointOpacity(1_000_000));
  });
});

describe("limits of colours", () => {
  it("are written with four digits, and have round steps", () => {
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
  it("are evenly chosen, and all of a few", () => {
    const mask = Uint8Array.from({ length: 1000 }, (_, i) => Number(i % 10 === 3));
    expect(someOf(mask, 100, 4)).toEqual([3, 253, 503, 753]);
    expect(someOf(mask.subarray(0, 30), 3, 24)).toEqual([3, 13, 23]);
    expect(someOf(new Uint8Array(5), 0, 24)).toEqual([]);
  });
});

const HEAD: Decoded = {
  t: "dec",
  req: 1,
  x: 0,
  y: 0,
  w: 0,
  h: 0,
  support: 0.6,
  decoded: true,
  rows: [4],
  names: ["cells 5"],
  distances: [0],
  values: [["area", 41.5]],
  deviations: [3.25],
  style: "typical",
  style_name: "",
  style_row: -1,
};
const NONE = new Uint8Array(0);
const life = new AbortController();

/** A store of three samples, the last without a place, and what its panels ask for. */
function panels() {
  const store = new Store();
  const asked: unknown[][] = [];
  const connection = new Proxy({}, {
    get: (_, name) => (...given: unknown[]) => asked.push([name, ...given]),
  }) as Connection;
  store.catalog = { can_carry: true, can_reconstruct: true } as Catalog;
  store.setPositions(Float32Array.of(0, 0, 1, 1, NaN, NaN), 0, -1);
  return { store, connection, asked };
}

function press(element: HTMLElement, label: string): HTMLButtonElement {
  const found = [...element.querySelectorAll("button")].find((b) => b.textContent === label);
  if (!found) throw new Error(`There is no ${label}`);
  found.click();
  return found;
}

afterEach(() => document.body.replaceChildren());

describe("the decoded sample", () => {
  it("says which style code was used", () => {
    const name = { style_name: "cells 5" };
    expect(describeStyle(HEAD)).toBe("Typical sample here");
    expect(describeStyle({ ...HEAD, ...name, style: "own" })).toBe(
      "This sample, from its own code (cells 5)",
    );
    expect(describeStyle({ ...HEAD, ...name, style: "carried" })).toBe("Carried here from cells 5");
    expect(describeStyle({ ...HEAD, ...name, style: "random" })).toBe("Another: code of cells 5");
    expect(describeStyle({ ...HEAD, decoded: false })).toContain("nearest real sample");
  });

  it("shows its uncertainty where that was measured, and calls real samples real", () => {
    const { store, connection } = panels();
    const element = decodedPanel(store, connection, life.signal);
    const spread = element.querySelector(".es-spread")?.parentElement as HTMLElement;
    const show = (change: Partial<Decoded>, pictures: Uint8Array) => {
      const head = { ...HEAD, ...change };
      store.decoded = { head, rgb: new Uint8Array(12), spread: pictures, isAtlas: false };
      store.emit("decoded");
    };
    show({ w: 2, h: 2 }, new Uint8Array(12));
    expect(spread.hidden).toBe(false);
    expect(spread.textContent).toContain("brighter = less certain");
    show({ w: 2, h: 2 }, NONE);
    expect(spread.hidden).toBe(true);
    expect(element.textContent).toContain("Nearest real samples");
    expect(element.querySelector(".es-nearest figure")?.getAttribute("title")).toBe(
      "Real sample: cells 5",
    );
  });

  it("gives values of tables with their spread", () => {
    const { store, connection } = panels();
    const element = decodedPanel(store, connection, life.signal);
    store.decoded = { head: HEAD, rgb: NONE, spread: NONE, isAtlas: false };
    store.emit("decoded");
    expect(element.querySelector("td")?.textContent).toBe("41.50 ± 3.3");
  });
});

describe("carrying a sample", () => {
  it("needs exactly one selected sample with a position, and style codes, and says so", () => {
    const { store, connection } = panels();
    const element = carryControls(store, connection, life.signal);
    const carry = element.querySelector("button") as HTMLButtonElement;
    const select = (...rows: number[]) => {
      store.setMask(Uint8Array.from([0, 1, 2], (row) => Number(rows.includes(row))));
      return [carry.disabled, carry.title];
    };
    expect(select()).toEqual([true, expect.stringContaining("exactly one")]);
    expect(select(0, 1)).toEqual([true, expect.stringContaining("exactly one")]);
    expect(select(2)).toEqual([true, expect.stringContaining("no position")]);
    expect(select(1)[0]).toBe(false);
    store.catalog = { ...store.catalog, can_carry: false } as Catalog;
    expect(select(1)).toEqual([true, expect.stringContaining("trained map")]);
    store.status = { is_running: true } as StatusState;
    expect(select(1)).toEqual([true, expect.stringContaining("end of the training")]);
  });

  it("is begun, named and ended", () => {
    const { store, connection, asked } = panels();
    const element = carryControls(store, connection, life.signal);
    store.setMask(Uint8Array.of(0, 1, 0));
    press(element, "Carry");
    expect(asked).toEqual([["carry", 1]]);
    store.setCarried(1);
    store.addThumbnails({ t: "thumb", rows: [1], names: ["cells 2"], values: [[]], w: 0, h: 0 }, NONE);
    expect(element.querySelector(".es-carried")?.textContent).toContain("Carrying cells 2");
    store.setMask(Uint8Array.of(1, 1, 0)); // another selection does not matter by now
    expect(press(element, "Carry").getAttribute("aria-pressed")).toBe("true");
    press(element, "Release");
    expect(asked.slice(1)).toEqual([["stopCarrying"], ["stopCarrying"]]);
  });
});

describe("samples from their own codes", () => {
  const items = [true, false, null].map((is_held_out, row) => ({
    row,
    name: `cells ${row}`,
    error: row === 2 ? null : 0.26,
    typical_error: 0.64,
    is_held_out,
  }));

  it("are shown beside the originals, with their errors and whether they were held out", () => {
    const { store, connection, asked } = panels();
    const element = reconstructedPanel(store, connection, life.signal);
    expect((press(element, "Reconstruct")).disabled).toBe(true);
    store.setMask(Uint8Array.of(1, 1, 1));
    press(element, "Reconstruct");
    expect(asked).toEqual([["reconstruct", 8]]);
    const head = { t: "recon", req: 1, items, w: 2, h: 2, features: [] } as const;
    store.reconstructed = {
      head: { ...head, items, features: [] },
      rgb: new Uint8Array(3 * 4 * 12),
      values: new Float32Array(0),
    };
    store.emit("reconstructed");
    expect(element.querySelectorAll("canvas").length).toBe(12);
    const rows = [...element.querySelectorAll(".es-what-of")].map((each) => each.textContent);
    expect(rows).toEqual([
      "cells 0error 26 %, typical 64 %held out of training",
      "cells 1error 26 %, typical 64 %trained on",
      "cells 2error infinite, typical 64 %added after training",
    ]);
    press(element, "Clear");
    expect(asked.pop()).toEqual(["clearReconstructed"]);
    store.forget(["reconstructed"]);
    expect(element.querySelector("table")).toBeNull();
  });

  it("of a table are the features with the largest error", () => {
    const { store, connection } = panels();
    const element = reconstructedPanel(store, connection, life.signal);
    const features = ["a", "b", "c", "d", "e"];
    const values = Float32Array.of(1, 1, 1, 1, 10, 1, 0.9, 0.5, 0.8, 5);
    const head = { t: "recon" as const, req: 1, items: items.slice(0, 1), w: 0, h: 0, features };
    store.reconstructed = { head, rgb: NONE, values };
    store.emit("reconstructed");
    const rows = [...element.querySelectorAll("tbody th")].map((each) => each.textContent);
    expect(rows).toEqual(["c", "e", "d", "b"]);
  });
});

describe("loss curves", () => {
  it("of one loss share a plot, held-out beside training samples", () => {
    const names = [
      "loss",
      "reconstruction_loss",
      "val_reconstruction_loss",
      "style_reconstruction_loss",
      "val_style_reconstruction_loss",
      "something_else",
    ];
    const groups = groupLosses(names).map(({ name, curves }) => [
      name,
      ...curves.map(({ column, isHeldOut }) => (isHeldOut ? -column : column)),
    ]);
    expect(groups).toEqual([
      ["map", 0],
      ["reconstruction by position", 1, -2],
      ["reconstruction with style code", 3, -4],
      ["something else", 5],
    ]);
  });
});

describe("the note on what was left out", () => {
  it("is there while something is not among the samples", () => {
    const { store } = panels();
    const note = leftOutNote(store, life.signal);
    expect(note.hidden).toBe(true);
    const left_out_lines = ["29 rows: missing values", "city: not numeric"];
    store.catalog = { ...store.catalog, left_out: "29 rows", left_out_lines } as Catalog;
    store.emit("catalog");
    expect(note.hidden).toBe(false);
    expect([note.textContent, note.title]).toEqual(["29 rows", left_out_lines.join("\n")]);
  });
});

describe("the note on the source", () => {
  const TOLD = { source_note: "80 % of the neighbours", is_source_told: true, may_learn: true };

  it("is there for several sources, and offers to learn what is alike", () => {
    const { store, connection, asked } = panels();
    const note = sourceNote(store, connection, life.signal);
    expect(note.hidden).toBe(true);
    store.catalog = { ...store.catalog, ...TOLD } as Catalog;
    store.emit("catalog");
    expect(note.hidden).toBe(false);
    expect(note.textContent).toContain("80 % of the neighbours");
    expect(note.querySelector(".es-warning")).not.toBeNull();
    press(note, "Use learned");
    expect(asked).toEqual([["setParameters", { alike: "learned" }]]);
    store.parameters = { alike: "learned" };
    store.emit("parameters");
    expect(note.querySelector("button")?.disabled).toBe(true);
  });
});

describe("the slider that turns the decoded picture", () => {
  it("is there only if there is a picture that can be turned", () => {
    const { store, connection, asked } = panels();
    const slider = turnSlider(store, connection, life.signal);
    expect(slider.hidden).toBe(true);
    store.decoded = { head: HEAD, rgb: NONE, spread: NONE, isAtlas: false };
    store.emit("decoded");
    expect(slider.hidden).toBe(true);
    store.catalog = { ...store.catalog, can_turn: true } as Catalog;
    store.emit("catalog");
    expect(slider.hidden).toBe(false);
    const input = slider.querySelector("input") as HTMLInputElement;
    input.value = "45";
    input.dispatchEvent(new Event("input"));
    expect(asked).toEqual([["turn", 45]]);
    store.setAngle(45);
    expect(slider.textContent).toContain("45°");
  });
});
