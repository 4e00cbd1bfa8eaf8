// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Connection } from "../src/connection";
import type { FromPage, Traits } from "../src/messages";
import { GONE, SILENT } from "../src/notices";
import { replaySlider } from "../src/panels/footer";
import { Store } from "../src/store";

const N = 10;

class FakeModel {
  readonly sent: FromPage[] = [];
  readonly listeners = new Map<string, Set<(...a: never[]) => void>>();
  traits = {
    status: { is_running: false },
    catalog: { n_samples: N, has_thumbnails: true },
    history: { undo: "", redo: "" },
    form: [],
    parameters: {},
    height: 400,
    is_static: false,
    selected: { count: 0, revision: 0 },
  } as unknown as Traits;

  readonly saved: unknown[] = [];

  get = (name: keyof Traits) => this.traits[name];
  set(name: "selected", value: Traits["selected"]) {
    this.traits[name] = value;
  }
  save_changes() {
    this.saved.push(this.traits.selected);
  }
  on(name: string, listener: (...a: never[]) => void) {
    this.listeners.set(name, (this.listeners.get(name) ?? new Set()).add(listener));
  }
  off(name: string, listener: (...a: never[]) => void) {
    this.listeners.get(name)?.delete(listener);
  }
  send(message: FromPage) {
    this.sent.push(message);
  }
  tell(head: object, ...arrays: (Float32Array | Uint8Array)[]) {
    const buffers = arrays.map((a) => new DataView(a.buffer, a.byteOffset, a.byteLength));
    for (const listener of this.listeners.get("msg:custom") ?? []) {
      (listener as (...a: unknown[]) => void)(head, buffers);
    }
  }
  of<K extends FromPage["t"]>(kind: K) {
    return this.sent.filter((message) => message.t === kind) as Extract<FromPage, { t: K }>[];
  }
}

const asked = () => vi.advanceTimersByTimeAsync(0); // requests of the same moment go together
const sheets = () => model.of("thumbs").map(({ rows }) => rows);

function answerSheet(number: number): Promise<unknown> {
  const { rows } = model.of("thumbs")[number];
  const names = rows.map((row) => `sample ${row}`);
  const values = rows.map(() => []);
  model.tell({ t: "thumb", rows, names, values, w: 1, h: 1 }, new Uint8Array(3 * rows.length));
  return asked();
}

let model: FakeModel;
let store: Store;
let connection: Connection;
let life: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  [model, store, life] = [new FakeModel(), new Store(), new AbortController()];
  connection = new Connection(model as never, store, life.signal);
  model.tell({ t: "emb", rev: 1, epoch: 0, n: N, snapshot: -1 }, new Float32Array(2 * N));
});

afterEach(() => {
  life.abort();
  vi.useRealTimers();
});

describe("the connection", () => {
  it("says hello once, with what the page has", () => {
    expect(model.of("hello")).toEqual([{ t: "hello", have: {}, webgl: true }]);
  });

  it("acknowledges a map after it was drawn", () => {
    vi.advanceTimersByTime(50);
    expect(model.of("ack").map((ack) => ack.rev)).toEqual([1]);
  });

  it("shows a selection at once and takes over the kernel's answer", () => {
    connection.select(
      Uint8Array.from({ length: N }, (_, i) => Number(i < 3)),
      "replace",
      "map",
    );
    expect(store.nSelected).toBe(3);
    const { rev } = model.of("select")[0];
    model.tell({ t: "sel", rev, origin: "page", count: 1, n: N }, Uint8Array.of(1, 0));
    expect([...store.mask]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("ignores a selection that is older than its own", () => {
    connection.select(new Uint8Array(N).fill(1), "replace", "map");
    model.tell({ t: "sel", rev: 0, origin: "", count: 0, n: N }, new Uint8Array(2));
    expect(store.nSelected).toBe(N);
  });

  it("keeps a selection that overtakes the map of its samples", () => {
    model.tell({ t: "sel", rev: 50, origin: "", count: 2, n: 20 }, Uint8Array.of(1, 0, 8));
    expect(store.mask.length).toBe(N); // as the map that is shown
    model.tell({ t: "emb", rev: 9, epoch: 0, n: 20, snapshot: -1 }, new Float32Array(40));
    expect([...store.mask].flatMap((bit, i) => (bit ? [i] : []))).toEqual([0, 19]);
    expect(store.nSelected).toBe(2);
    model.tell({ t: "emb", rev: 10, epoch: 0, n: 30, snapshot: -1 }, new Float32Array(60));
    expect(store.nSelected).toBe(0);
  });

  it("saves how many are selected, once for each selection and never for none at the start", () => {
    const tell = (rev: number, count: number) =>
      model.tell({ t: "sel", rev, origin: "", count, n: N }, Uint8Array.of(2 ** count - 1, 0));
    tell(1, 0);
    expect(model.saved).toEqual([]);
    tell(50, 3);
    tell(50, 3);
    tell(51, 0);
    tell(52, 0);
    expect(model.saved).toEqual([
      { count: 3, revision: 50 },
      { count: 0, revision: 51 },
    ]);
  });

  it("sends the revision of the map with a selection", () => {
    connection.select(new Uint8Array(N).fill(1), "replace", "map");
    expect(model.of("select")[0].emb).toBe(1);
  });

  it("keeps editing a renamed gate, but not one whose new name was taken", () => {
    const polygon = [[0, 0], [1, 0], [0, 1]];
    const named = (...names: string[]) => names.map((name) => ({ name, polygon, members: [] }));
    model.tell({ t: "gates", rev: 5, gates: named("A", "B") });
    store.toggleEdited("A");
    connection.editGate("A", { new_name: "B" });
    expect(store.editedGate).toBe("A");
    model.tell({ t: "gates", rev: model.of("gate-edit")[0].rev, gates: named("A", "B") }); // refused
    expect(store.editedGate).toBe("A");
    connection.editGate("A", { new_name: "C" });
    model.tell({ t: "gates", rev: model.of("gate-edit")[1].rev, gates: named("C", "B") });
    expect(store.editedGate).toBe("C");
  });

  it("shows an edited gate at once, and no answer to an edit before it", () => {
    const gate = { name: "A", color: "#111111", polygon: [[0, 0], [1, 0], [0, 1]], members: [] };
    const shown = () => store.gates.map(({ polygon }) => polygon?.[0][0]);
    const moved = (x: number) => [[x, 0], ...gate.polygon.slice(1)];
    model.tell({ t: "gates", rev: 5, gates: [gate] });
    connection.editGate("A", { polygon: moved(1) });
    connection.editGate("A", { polygon: moved(2) });
    expect(shown()).toEqual([2]);
    const [first, second] = model.of("gate-edit").map(({ rev }) => rev);
    connection.hello();
    expect(model.of("hello").at(-1)?.have.gates).toBe(5); // what it shows it does not have yet
    model.tell({ t: "gates", rev: first, gates: [{ ...gate, polygon: moved(1) }] });
    expect(shown()).toEqual([2]);
    model.tell({ t: "gates", rev: second, gates: [gate] }); // refused: unchanged
    expect(shown()).toEqual([0]);
  });

  const answerDecode = (req: number) =>
    model.tell({ t: "dec", req, rows: [], w: 0, h: 0 }, new Uint8Array(0));

  it("has a few pending decodes and then sends the latest point", () => {
    for (const x of [1, 2, 3, 4, 5, 6]) connection.decode(x, 0);
    expect(model.of("decode").map(({ x }) => x)).toEqual([1, 2, 3, 4]);
    answerDecode(model.of("decode")[0].req);
    expect(model.of("decode").map(({ x }) => x)).toEqual([1, 2, 3, 4, 6]);
  });

  it("waits for no decode that the kernel skipped", () => {
    for (const x of [1, 2, 3, 4]) connection.decode(x, 0);
    answerDecode(model.of("decode")[3].req);
    for (const x of [5, 6, 7, 8, 9]) connection.decode(x, 0);
    expect(model.of("decode").map(({ x }) => x)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("keeps the requested colours until they are answered", () => {
    connection.setColors({ by: "feature", name: "area", limits: [1, 2] });
    expect(store.requestedColors).toMatchObject({ name: "area", limits: [1, 2], palette: "" });
    model.tell({ t: "err", req: 1, message: "No.", hint: "" });
    expect(store.requestedColors).toBeNull();
    const tell = (req: number) =>
      model.tell({ t: "attr", rev: 1, req, legend: [] }, new Uint8Array(N), new Uint8Array(1004));
    connection.setColors({ by: "none", name: "" });
    connection.setColors({ by: "none", name: "", hidden: ["a"] });
    tell(2); // of the request before
    model.tell({ t: "err", req: 77, message: "No such picture.", hint: "" });
    expect(store.requestedColors).toMatchObject({ hidden: ["a"] });
    tell(3);
    expect(store.requestedColors).toBeNull();
  });

  it("goes on decoding after a failure", () => {
    for (const x of [1, 2, 3, 4, 5]) connection.decode(x, 0);
    model.tell({ t: "err", req: model.of("decode")[0].req, message: "No.", hint: "" });
    expect(model.of("decode").map(({ x }) => x)).toEqual([1, 2, 3, 4, 5]);
    expect(store.notice?.text).toBe("No.");
  });

  it("returns to the pinned point also while points under the pointer are unanswered", () => {
    store.catalog = { ...model.traits.catalog, can_decode: true };
    connection.decodeAt([1, 0]);
    answerDecode(model.of("decode")[0].req);
    store.decoded = { head: { x: 1, y: 0 } } as never;
    connection.returnToPlace();
    expect(model.of("decode")).toHaveLength(1);
    connection.decode(5, 0); // what is shown is still the pinned point
    connection.returnToPlace();
    expect(model.of("decode").map(({ x }) => x)).toEqual([1, 5, 1]);
  });

  it("decodes again after the connection changed, whatever was lost", () => {
    for (const x of [1, 2, 3, 4, 5]) connection.decode(x, 0);
    for (const listener of model.listeners.get("comm_live_update") ?? []) listener();
    connection.decode(6, 0);
    expect(model.of("decode").at(-1)).toMatchObject({ x: 6 });
  });

  it("sends the sample under the pointer, whatever the kernel says of earlier ones", () => {
    for (const row of [5, 7]) connection.hover(row, "map");
    model.tell({ t: "hovered", row: 5 }); // the answer to the hover before
    connection.hover(5, "map");
    vi.advanceTimersByTime(150);
    expect(model.of("hover").map(({ row }) => row)).toEqual([5]);
  });

  it("moves the slider of snapshots back by no answer to an earlier move", () => {
    store.catalog = { ...model.traits.catalog, epochs: [1, 2, 3, 4] };
    const slider = replaySlider(store, connection, life.signal);
    const input = slider.querySelector("input") as HTMLInputElement;
    const tell = (snapshot: number) =>
      model.tell({ t: "emb", rev: 2, epoch: 1, n: N, snapshot }, new Float32Array(2 * N));
    for (const index of ["2", "3"]) {
      input.value = index;
      input.dispatchEvent(new Event("input"));
    }
    tell(2);
    expect(input.value).toBe("3");
    tell(3);
    tell(0); // chosen in another window
    expect(input.value).toBe("0");
    input.value = "1";
    input.dispatchEvent(new Event("input"));
    model.tell({ t: "err", req: model.of("replay")[2].req, message: "No.", hint: "" });
    expect(input.value).toBe("0");
  });

  it("asks for pictures in one sheet, and for none twice", async () => {
    connection.wantThumbnails([1, 2]);
    connection.wantThumbnails([2, 3]);
    await asked();
    expect(sheets()).toEqual([[1, 2, 3]]);
    connection.wantThumbnails([3]);
    await answerSheet(0);
    connection.wantThumbnails([1]);
    await asked();
    expect(sheets()).toHaveLength(1);
  });

  it("asks for no pictures of samples that are not there", async () => {
    connection.wantThumbnails([N, N + 1]);
    await asked();
    expect(sheets()).toEqual([]);
  });

  it("has one pending sheet, and then asks for all that was needed meanwhile", async () => {
    for (const row of [1, 2, 3]) {
      connection.wantThumbnails([row]);
      await asked();
    }
    expect(sheets()).toEqual([[1]]);
    await answerSheet(0);
    expect(sheets()).toEqual([[1], [2, 3]]);
  });

  it("requests pictures near the pointer once none is needed", async () => {
    connection.wantThumbnails([1]);
    connection.expectHover([1, 2, 3]);
    await asked();
    connection.expectHover([1, 4, 5]);
    await answerSheet(0);
    expect(sheets()).toEqual([[1], [4, 5]]);
  });

  it("sends needed pictures before those in advance", async () => {
    connection.expectHover([1, 2]);
    await asked();
    connection.wantThumbnails([2, 3]);
    await asked();
    expect(sheets()).toEqual([[1, 2], [3]]);
  });

  it("requests pictures in advance once, sheet by sheet, answered or not", async () => {
    const rows = Array.from({ length: 20 }, (_, i) => i);
    model.traits.catalog = { n_samples: 20, has_thumbnails: true } as never;
    for (const listener of model.listeners.get("change:catalog") ?? []) listener();
    connection.expectHover(rows);
    await vi.advanceTimersByTimeAsync(900);
    expect(sheets()).toEqual([rows.slice(0, 16)]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sheets()).toEqual([rows.slice(0, 16), rows.slice(16)]);
  });

  it("requests nothing in advance where no kernel answers", async () => {
    store.setLost(true);
    connection.expectHover([1, 2]);
    await asked();
    store.setLost(false);
    store.isStatic = true;
    connection.expectHover([1, 2]);
    await asked();
    expect(sheets()).toEqual([]);
  });

  it("requests a sheet again that is not answered", async () => {
    connection.wantThumbnails([1]);
    await asked();
    connection.wantThumbnails([2]);
    await asked();
    await vi.advanceTimersByTimeAsync(1100);
    expect(sheets()).toEqual([[1], [2]]);
    connection.wantThumbnails([1]);
    await vi.advanceTimersByTimeAsync(1100);
    expect(sheets()).toEqual([[1], [2], [1]]);
  });

  it("polls a quiet kernel that trains, and shows a notice if it does not answer", () => {
    model.traits.status = { is_running: true } as never;
    for (const listener of model.listeners.get("change:status") ?? []) listener();
    vi.advanceTimersByTime(2100);
    expect(model.of("poll").length).toBeGreaterThan(0);
    connection.command("stop");
    vi.advanceTimersByTime(9000);
    expect(store.notice).toEqual(SILENT);
    model.tell({ t: "say", text: "Stopped" });
    expect(store.notice).toBeNull();
  });

  it("ignores messages that it does not know", () => {
    model.tell({ t: "of-tomorrow", rev: 3 });
    expect(store.n).toBe(N);
  });

  it("appends losses and begins again with a new run", () => {
    const rows = Float32Array.of(0, 5, 1, 4);
    model.tell({ t: "loss", rev: 1, run: 1, start: 0, names: ["umap"] }, rows);
    model.tell({ t: "loss", rev: 2, run: 1, start: 2, names: ["umap"] }, Float32Array.of(2, 3));
    expect(store.losses).toEqual({ names: ["umap"], epochs: [0, 1, 2], columns: [[5, 4, 3]] });
    model.tell({ t: "loss", rev: 3, run: 2, start: 0, names: ["umap"] }, Float32Array.of(0, 9));
    expect(store.losses.columns).toEqual([[9]]);
  });

  it("forgets selection and levels when the number of samples changes", () => {
    connection.select(new Uint8Array(N).fill(1), "replace", "map");
    model.tell({ t: "emb", rev: 2, epoch: 0, n: 3, snapshot: -1 }, new Float32Array(6));
    expect([store.mask.length, store.levels.length, store.nSelected]).toEqual([3, 3, 0]);
  });

  it("leaves no listener behind", () => {
    life.abort();
    const left = [...model.listeners.values()].reduce((total, all) => total + all.size, 0);
    expect(left + store.size).toBe(0);
  });

  it("asks the kernel when the connection changed, and says if it does not answer", () => {
    const tellNews = () => {
      for (const listener of model.listeners.get("comm_live_update") ?? []) listener();
    };
    vi.advanceTimersByTime(100);
    tellNews();
    expect(model.of("hello")).toHaveLength(2);
    model.tell({ t: "sync", revs: {} });
    vi.advanceTimersByTime(2000);
    expect([store.notice, store.isLost]).toEqual([null, false]);
    tellNews();
    vi.advanceTimersByTime(2000);
    expect([store.notice, store.isLost]).toEqual([GONE, true]);
    model.tell({ t: "sync", revs: {} });
    expect([store.notice, store.isLost]).toEqual([null, false]);
  });

  it("says so where the connection is closed", () => {
    model.send = () => {
      throw new Error("comm is closed");
    };
    connection.command("train");
    expect([store.notice, store.isLost]).toEqual([GONE, true]);
  });
});

const decoded = (style: string, style_row: number, req = 1) => ({
  t: "dec", req, x: 2, y: 3, w: 1, h: 1, support: 1, decoded: true,
  rows: [], names: [], distances: [], values: [], deviations: [],
  style, style_name: "", style_row,
});

describe("a sample that is carried", () => {
  const ATLAS = { t: "atlas", rev: 1, nx: 1, ny: 1, x0: 0, y0: 0, x1: 1, y1: 1, w: 1, h: 1 };

  beforeEach(() => {
    store.catalog = { ...model.traits.catalog, can_decode: true, can_carry: true };
    model.tell(ATLAS, new Uint8Array(3), new Uint8Array(1));
  });

  it("is decoded by the kernel, never taken from the atlas of typical samples", () => {
    expect(store.showFromAtlas(0.5, 0.5)).toBe(true);
    connection.carry(4);
    expect(store.tool).toBe("decode");
    expect(store.showFromAtlas(0.5, 0.5)).toBe(false);
    connection.decodeAt([2, 3]);
    connection.decodePath([[0, 0]], 5);
    const intents = [...model.of("decode"), ...model.of("decode-path")];
    expect(intents.map(({ carry }) => carry)).toEqual([4, 4, 4]);
    expect(model.of("decode").map(({ x, y }) => [x, y])).toEqual([[0, 0], [2, 3]]);
  });

  it("is replaced by the typical sample at the same point when it ends", () => {
    connection.carry(4);
    connection.decodeAt([2, 3]);
    connection.stopCarrying();
    expect(model.of("decode").at(-1)).toMatchObject({ x: 2, y: 3, carry: -1, another: false });
    expect(store.carried).toBe(-1);
  });

  it("ends when the samples change, or the map has no style codes any more", () => {
    connection.carry(4);
    model.tell({ t: "gone", what: ["thumbnails"] });
    expect(store.carried).toBe(-1);
    connection.carry(4);
    store.catalog = { ...model.traits.catalog, can_carry: false };
    store.emit("catalog");
    expect(store.carried).toBe(-1);
  });

  it("is another one of the kernel at the pinned point", () => {
    connection.decodeAt([2, 3]);
    store.showFromAtlas(0.5, 0.5); // while the pointer passes
    connection.decodeAnother();
    expect(model.of("decode").at(-1)).toMatchObject({ x: 2, y: 3, another: true });
  });

  it("stays when points of an earlier drag still wait", () => {
    for (let x = 0; x < 9; x++) connection.decodeAt([x, 3]);
    const dragged = [...model.of("decode")];
    connection.decodeAnother();
    for (const { req } of dragged) {
      model.tell(decoded("carried", 4, req), new Uint8Array(3), new Uint8Array(1));
    }
    expect(model.of("decode").at(-1)).toMatchObject({ x: 8, y: 3, another: true });
  });
});

describe("a decoded picture that is turned", () => {
  const ATLAS = { t: "atlas", rev: 1, nx: 1, ny: 1, x0: 0, y0: 0, x1: 1, y1: 1, w: 1, h: 1 };

  beforeEach(() => {
    store.catalog = { ...model.traits.catalog, can_decode: true, can_turn: true };
    model.tell(ATLAS, new Uint8Array(3), new Uint8Array(1));
  });

  it("keeps its place and its style code, also a random one", () => {
    model.tell(decoded("random", 7), new Uint8Array(3), new Uint8Array(0));
    connection.turn(90);
    expect(model.of("decode").at(-1)).toMatchObject({ x: 2, y: 3, carry: 7, angle: 90 });
  });

  it("keeps its angle elsewhere, and is not taken from the atlas, whose pictures are upright", () => {
    expect(store.showFromAtlas(0.5, 0.5)).toBe(true);
    model.tell(decoded("random", 7), new Uint8Array(3), new Uint8Array(0));
    connection.turn(90);
    expect(store.showFromAtlas(0.5, 0.5)).toBe(false);
    connection.decodeAt([5, 6]);
    expect(model.of("decode").at(-1)).toMatchObject({ x: 5, y: 6, carry: -1, angle: 90 });
    connection.decodePath([[0, 0], [1, 1]], 5);
    expect(model.of("decode-path").at(-1)).toMatchObject({ angle: 90 });
  });

  it("is that of the last point, also while an earlier one is shown", () => {
    model.tell(decoded("random", 7), new Uint8Array(3), new Uint8Array(0));
    for (let x = 4; x < 10; x++) connection.decodeAt([x, 6]);
    connection.turn(90);
    for (const { req } of model.of("decode").slice(0, 4)) {
      model.tell(decoded("typical", -1, req), new Uint8Array(3), new Uint8Array(0));
    }
    expect(model.of("decode").at(-1)).toMatchObject({ x: 9, y: 6, carry: -1, angle: 90 });
  });

  it("keeps a random style code that is not there yet", () => {
    connection.decodeAt([2, 3]);
    connection.decodeAnother();
    const { req } = model.of("decode")[1];
    for (const angle of [10, 20]) connection.turn(angle);
    expect(model.of("decode")).toHaveLength(2);
    model.tell(decoded("random", 7, req), new Uint8Array(3), new Uint8Array(0));
    expect(model.of("decode").at(-1)).toMatchObject({ carry: 7, another: false, angle: 20 });
  });

  it("is a path that was drawn, also while an earlier one is shown", () => {
    const path = { head: { n: 2 }, xy: Float32Array.of(0, 0, 1, 1) };
    store.path = path as never;
    connection.decodePath([[5, 5], [6, 6]], 12);
    connection.turn(90);
    expect(model.of("decode-path").at(-1)).toMatchObject({ points: [[5, 5], [6, 6]], n: 12, angle: 90 });
  });

  it("is upright again on a map that cannot be turned", () => {
    connection.turn(90);
    store.catalog = { ...model.traits.catalog, can_decode: true, can_turn: false };
    connection.decodeAt([5, 6]);
    expect(model.of("decode").at(-1)).toMatchObject({ angle: 0 });
  });
});
