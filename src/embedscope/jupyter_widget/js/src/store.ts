// The state of the page for one explorer: written by the connection, read by the panels of every
// view. It lives as long as the model; views are opened and closed.

import { count } from "./bits";
import { Emitter } from "./emitter";
import { PointGrid } from "./grid";
import type { Aim } from "./camera";
import type { Point } from "./geometry";
import { type AtlasPictures, type DecodedPicture, pictureAt } from "./atlas";
import type {
  Catalog,
  Colors,
  DecodedPath,
  EditGate,
  ExplainedMessage,
  FormField,
  Forgotten,
  GateItem,
  HistoryState,
  Located,
  Losses,
  Picture,
  Reconstructed,
  SetColors,
  StatusState,
  Thumbnails,
} from "./messages";

export type Topic =
  | "status"
  | "catalog"
  | "learning" // the choice of what the next map learns from
  | "history"
  | "parameters"
  | "positions"
  | "colors"
  | "losses"
  | "selection"
  | "novel"
  | "gates"
  | "refused" // a request failed: show the unchanged state again
  | "hover"
  | "thumbnails"
  | "picture"
  | "decoded"
  | "path"
  | "reconstructed"
  | "place" // the pinned point
  | "carried"
  | "angle"
  | "explained"
  | "located"
  | "notice"
  | "said"
  | "theme"
  | "look"
  | "tool";

export interface Thumbnail {
  name: string;
  values: Thumbnails["values"][number];
  width: number;
  height: number;
  rgb: Uint8Array;
}

export interface LossHistory {
  names: string[];
  epochs: number[];
  columns: (number | null)[][]; // null where a loss was not measured
}

export interface Notice {
  text: string;
  hint: string;
}

export interface ImagePicture {
  head: Picture;
  levels: Uint8Array;
  rows: Uint32Array;
}

export interface Path {
  head: DecodedPath;
  rgb: Uint8Array;
  xy: Float32Array;
  values: Float32Array;
}

export interface Reconstructions {
  head: Reconstructed;
  rgb: Uint8Array;
  values: Float32Array;
}

export interface Learning {
  kind: "shown" | "columns";
  columns: string[]; // those of "columns"
}

/** How points are drawn; an opacity of null depends on their number. */
export interface Look {
  pointScale: number;
  opacity: number | null;
  marksNovel: boolean; // crosses on the samples that are unlike the training samples
}

export type Tool = "pan" | "lasso" | "rectangle" | "decode" | "path" | "gate";

const MOST_THUMBNAILS = 20_000; // cached; 250 MB at 64 x 64 pixels

export class Store extends Emitter<Topic> {
  // From traits
  status: StatusState | null = null;
  catalog: Catalog | null = null;
  history: HistoryState = { undo: "", redo: "" };
  form: FormField[] = [];
  parameters: Record<string, unknown> = {};
  height = 480;
  isStatic = false;

  // From messages
  readonly revs: Record<string, number> = {}; // of the state that has arrived
  xy: Float32Array = new Float32Array(0);
  epoch = 0;
  snapshot = -1;
  levels: Uint8Array = new Uint8Array(0);
  palette: Uint8Array = new Uint8Array(251 * 4);
  colors: Colors | null = null;
  mask: Uint8Array = new Uint8Array(0);
  nSelected = 0;
  novel: Uint32Array = new Uint32Array(0); // rows of samples unlike the training samples
  run = -1;
  losses: LossHistory = { names: [], epochs: [], columns: [] };
  share = ""; // explained variance of held-out samples, in words
  gates: GateItem[] = [];
  readonly thumbnails = new Map<number, Thumbnail>();
  picture: ImagePicture | null = null; // the last that arrived
  decoded: DecodedPicture | null = null;
  path: Path | null = null;
  reconstructed: Reconstructions | null = null;
  located: Located | null = null;
  atlas: AtlasPictures | null = null;
  explained: { head: ExplainedMessage; saliency: Uint8Array } | null = null;

  // Of the page only
  readonly ahead = { sel: 0, gates: 0 }; // revisions that are shown before the kernel answers
  place: Point | null = null; // the pinned point: the last click or drag with a decoded picture
  carried = -1; // row of the sample whose style code is used everywhere, -1 for none
  chosenAngle = 0; // degrees by which decoded pictures are turned, if they can be
  learning: Learning | null = null; // what the next map learns from, if another than the present one
  private learnedBefore = ""; // what it was when `learning` was chosen
  hover = -1;
  hoverFrom: "map" | "image" | "" = "";
  said = "";
  tool: Tool = "lasso";
  editedGate: string | null = null; // the gate whose corners can be moved
  look: Look = { pointScale: 1, opacity: null, marksNovel: true };
  mapAim: Aim | null = null; // of the last closed view: the next view starts there
  requestedColors: Omit<SetColors, "t"> | null = null; // until it is answered
  requestedSnapshot: { req: number; index: number } | null = null; // likewise
  refusedRequest = 0; // number of the last request that failed
  isLost = false; // no connection to the kernel
  notice: Notice | null = null;
  private index: PointGrid | null = null;
  private waitingMask: Uint8Array | null = null; // for a map that has not arrived yet
  private renaming: { from: string; to: string; rev: number } | null = null; // the edited gate

  get n(): number {
    return this.xy.length / 2;
  }

  /** False before there is a map: samples have no positions yet. */
  get hasMap(): boolean {
    return this.xy.length > 0 && this.xy.some((value) => !Number.isNaN(value));
  }

  /** Built at first use, not for every map during training. */
  get grid(): PointGrid {
    this.index ??= new PointGrid(this.xy);
    return this.index;
  }

  /** NaN for a sample without a position. */
  placeOf(row: number): Point {
    return [this.xy[2 * row], this.xy[2 * row + 1]];
  }

  isVisible(row: number): boolean {
    return this.palette[4 * (this.levels[row] ?? 0) + 3] > 0;
  }

  setPositions(xy: Float32Array, epoch: number, snapshot: number): void {
    if (xy.length !== this.xy.length) this.fitToSize(xy.length / 2);
    this.xy = xy;
    this.epoch = epoch;
    this.snapshot = snapshot;
    this.index = null;
    this.emit("positions");
  }

  private fitToSize(n: number): void {
    this.mapAim = null;
    if (this.waitingMask?.length === n) this.receiveMask(this.waitingMask, n);
    else if (this.mask.length !== n) this.setMask(new Uint8Array(n));
    if (this.levels.length !== n) this.levels = new Uint8Array(n).fill(1);
  }

  setColors(colors: Colors, levels: Uint8Array, palette: Uint8Array): void {
    this.colors = colors;
    this.levels = levels;
    this.palette = palette;
    this.emit("colors");
  }

  /** From the kernel; if it arrives before the map of its samples, it is shown with that map. */
  receiveMask(mask: Uint8Array, n = this.n): void {
    const isEarly = n > 0 && mask.length !== n;
    this.waitingMask = isEarly ? mask : null;
    if (!isEarly) this.setMask(mask);
  }

  setMask(mask: Uint8Array): void {
    this.mask = mask;
    this.nSelected = count(mask);
    this.emit("selection");
  }

  /** Shows the nearest picture of the atlas; false if there is none for this style code. */
  showFromAtlas(x: number, y: number): boolean {
    if (!this.atlas || this.carried >= 0 || this.angle) return false; // its pictures are upright
    this.decoded = pictureAt(this.atlas, x, y);
    this.emit("decoded");
    return true;
  }

  /** Removes answers about earlier samples or an earlier map. */
  forget(what: Forgotten["what"]): void {
    for (const each of what) {
      if (each === "thumbnails") this.forgetRows();
      else this[each] = null;
      if (each === "decoded") this.setPlace(null);
      this.emit(each);
    }
  }

  /** Rows are of other samples now. */
  private forgetRows(): void {
    this.thumbnails.clear();
    this.setCarried(-1);
  }

  setPlace(place: Point | null): void {
    this.place = place;
    this.emit("place");
  }

  setLearning(learning: Learning | null): void {
    this.learning = learning;
    this.learnedBefore = learnedIn(this.catalog);
    this.emit("learning");
  }

  /** The choice has been followed, or samples learn from something else by now. */
  endLearning(): void {
    if (this.learning && learnedIn(this.catalog) !== this.learnedBefore) this.setLearning(null);
  }

  setCarried(row: number): void {
    this.carried = row;
    this.emit("carried");
  }

  setHover(row: number, from: "map" | "image" | ""): void {
    if (row === this.hover) return;
    this.hover = row;
    this.hoverFrom = from;
    this.emit("hover");
  }

  say(text: string): void {
    this.said = text;
    this.emit("said");
  }

  setLook(change: Partial<Look>): void {
    this.look = { ...this.look, ...change };
    this.emit("look");
  }

  setTool(tool: Tool): void {
    this.tool = tool;
    this.emit("tool");
  }

  setLost(isLost: boolean): void {
    if (isLost === this.isLost) return;
    this.isLost = isLost;
    this.emit("status");
  }

  /** Shown at once; the answer replaces it. */
  changeGate(name: string, change: Partial<Pick<EditGate, "color" | "polygon">>): void {
    this.gates = this.gates.map((gate) =>
      gate.name === name
        ? { ...gate, color: change.color ?? gate.color, polygon: change.polygon ?? gate.polygon }
        : gate,
    );
    this.emit("gates");
  }

  /** The gates of the kernel, without a refused new name. */
  setGates(gates: GateItem[], rev: number): void {
    this.gates = gates;
    const { renaming } = this;
    if (renaming && rev >= renaming.rev) {
      this.renaming = null;
      const isThere = (name: string) => gates.some((gate) => gate.name === name);
      const isDone = isThere(renaming.to) && !isThere(renaming.from);
      if (isDone && this.editedGate === renaming.from) this.editedGate = renaming.to;
    }
    this.emit("gates");
  }

  /** The gate stays in editing, under the new name as soon as the kernel has it. */
  renameEdited(from: string, to: string, rev: number): void {
    if (this.editedGate === from) this.renaming = { from, to, rev };
  }

  toggleEdited(gate: string | null): void {
    this.editedGate = this.editedGate === gate ? null : gate;
    this.emit("gates");
  }

  /** Degrees by which decoded pictures are turned; 0 if they cannot be. */
  get angle(): number {
    return this.catalog?.can_turn ? this.chosenAngle : 0;
  }

  setAngle(degrees: number): void {
    this.chosenAngle = degrees;
    this.emit("angle");
  }

  setNotice(notice: Notice | null): void {
    if (notice?.text === this.notice?.text) return;
    this.notice = notice;
    this.emit("notice");
  }

  addLosses({ run, start, names, explained }: Losses, rows: Float32Array): void {
    this.share = explained;
    if (run !== this.run || start === 0) {
      this.run = run;
      this.losses = { names, epochs: [], columns: names.map(() => []) };
    }
    const width = names.length + 1;
    for (let r = 0; r < rows.length / width; r++) {
      this.losses.epochs[start + r] = rows[r * width];
      names.forEach((_, c) => {
        const value = rows[r * width + c + 1];
        this.losses.columns[c][start + r] = Number.isFinite(value) ? value : null;
      });
    }
    this.emit("losses");
  }

  /** Whether the hover text of a row is there, with the value that colours it. */
  isDescribed(row: number): boolean {
    const thumbnail = this.thumbnails.get(row);
    const { colorFeature } = this;
    const isThere = ([name]: [string, string]) => name === colorFeature;
    return thumbnail !== undefined && (!colorFeature || thumbnail.values.some(isThere));
  }

  /** The feature that colours the map, "" for anything else. */
  get colorFeature(): string {
    return this.colors?.by === "feature" ? this.colors.name : "";
  }

  addThumbnails({ rows, names, values, w, h }: Thumbnails, sheet: Uint8Array): void {
    if (this.thumbnails.size > MOST_THUMBNAILS) this.thumbnails.clear();
    const size = w * h * 3;
    rows.forEach((row, i) => {
      const rgb = sheet.subarray(i * size, (i + 1) * size);
      this.thumbnails.set(row, { name: names[i], values: values[i], width: w, height: h, rgb });
    });
    this.emit("thumbnails");
  }
}

function learnedIn(catalog: Catalog | null): string {
  return JSON.stringify([catalog?.learned_kind, catalog?.learns_from, catalog?.learn_columns]);
}
