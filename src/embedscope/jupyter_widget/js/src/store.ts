// Everything that the page knows of one explorer: filled by the connection, read by the panels of
// every view. Views come and go; this stays as long as the model.

import { count } from "./bits";
import { Emitter } from "./emitter";
import { PointGrid } from "./grid";
import type { Aim } from "./camera";
import type { Point } from "./geometry";
import { type AtlasPictures, type DecodedPicture, pictureAt } from "./atlas";
import type {
  Catalog,
  Colors,
  Explained,
  DecodedPath,
  EditGate,
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
  | "history"
  | "parameters"
  | "positions"
  | "colors"
  | "losses"
  | "selection"
  | "novel"
  | "gates"
  | "refused" // what was asked for was not done: what stands is to be shown again
  | "hover"
  | "thumbnails"
  | "picture"
  | "decoded"
  | "path"
  | "reconstructed"
  | "place" // where the decoder draws
  | "carried"
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

/** Of the points; the opacity is null while it suits their number. */
export interface Look {
  pointScale: number;
  opacity: number | null;
  marksNovel: boolean; // crosses on the samples that are unlike those trained on
}

export type Tool = "pan" | "lasso" | "rectangle" | "decode" | "path" | "gate";

const MOST_THUMBNAILS = 20_000;

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
  readonly revs: Record<string, number> = {}; // that have arrived
  xy: Float32Array = new Float32Array(0);
  epoch = 0;
  snapshot = -1;
  levels: Uint8Array = new Uint8Array(0);
  palette: Uint8Array = new Uint8Array(251 * 4);
  colors: Colors | null = null;
  mask: Uint8Array = new Uint8Array(0);
  nSelected = 0;
  novel: Uint32Array = new Uint32Array(0); // rows of samples unlike those trained on
  run = -1;
  losses: LossHistory = { names: [], epochs: [], columns: [] };
  share = ""; // of unseen samples that is drawn by now, in words
  gates: GateItem[] = [];
  readonly thumbnails = new Map<number, Thumbnail>();
  picture: ImagePicture | null = null; // the last that arrived
  decoded: DecodedPicture | null = null;
  path: Path | null = null;
  reconstructed: Reconstructions | null = null;
  located: Located | null = null;
  atlas: AtlasPictures | null = null;
  explained: { head: Explained; saliency: Uint8Array } | null = null;

  // The page's own
  readonly ahead = { sel: 0, gates: 0 }; // revisions that are shown before the kernel has them
  place: Point | null = null; // that was clicked or dragged to last
  carried = -1; // row of the sample whose style code draws at every place
  hover = -1;
  hoverFrom: "map" | "image" | "" = "";
  said = "";
  tool: Tool = "lasso";
  editedGate: string | null = null; // its corners can be moved
  look: Look = { pointScale: 1, opacity: null, marksNovel: true };
  mapAim: Aim | null = null; // of the view that was closed last: the next begins there
  wishedColors: Omit<SetColors, "t" | "req"> | null = null; // until it is answered
  refusedRequest = 0; // the last of those that could not be done
  isLost = false; // nobody is at the other end
  notice: Notice | null = null;
  private index: PointGrid | null = null;
  private waitingMask: Uint8Array | null = null; // of a map that has not arrived yet
  private renaming: { from: string; to: string; rev: number } | null = null; // the edited gate

  get n(): number {
    return this.xy.length / 2;
  }

  /** False before there is a map: samples then have no place yet. */
  get hasMap(): boolean {
    return this.xy.length > 0 && this.xy.some((value) => !Number.isNaN(value));
  }

  /** Built when first asked for: while a map moves, nobody asks. */
  get grid(): PointGrid {
    this.index ??= new PointGrid(this.xy);
    return this.index;
  }

  /** NaN for a sample without a place. */
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
    if (this.waitingMask?.length === n) this.takeMask(this.waitingMask, n);
    else if (this.mask.length !== n) this.setMask(new Uint8Array(n));
    if (this.levels.length !== n) this.levels = new Uint8Array(n).fill(1);
  }

  setColors(colors: Colors, levels: Uint8Array, palette: Uint8Array): void {
    this.colors = colors;
    this.levels = levels;
    this.palette = palette;
    this.emit("colors");
  }

  /** From the kernel; one that overtakes the map of its samples is shown with that map. */
  takeMask(mask: Uint8Array, n = this.n): void {
    const isEarly = n > 0 && mask.length !== n;
    this.waitingMask = isEarly ? mask : null;
    if (!isEarly) this.setMask(mask);
  }

  setMask(mask: Uint8Array): void {
    this.mask = mask;
    this.nSelected = count(mask);
    this.emit("selection");
  }

  /** The nearest picture of the atlas; false where there is none: it holds only typical samples. */
  showFromAtlas(x: number, y: number): boolean {
    if (!this.atlas || this.carried >= 0) return false;
    this.decoded = pictureAt(this.atlas, x, y);
    this.emit("decoded");
    return true;
  }

  /** Answers about other samples or another map. */
  forget(what: Forgotten["what"]): void {
    for (const each of what) {
      if (each === "thumbnails") this.forgetRows();
      else this[each] = null;
      if (each === "decoded") this.setPlace(null);
      this.emit(each);
    }
  }

  /** Another sample is in each row now. */
  private forgetRows(): void {
    this.thumbnails.clear();
    this.setCarried(-1);
  }

  setPlace(place: Point | null): void {
    this.place = place;
    this.emit("place");
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

  /** Shown at once; what the kernel answers replaces it. */
  changeGate(name: string, change: Partial<Pick<EditGate, "color" | "polygon">>): void {
    this.gates = this.gates.map((gate) =>
      gate.name === name
        ? { ...gate, color: change.color ?? gate.color, polygon: change.polygon ?? gate.polygon }
        : gate,
    );
    this.emit("gates");
  }

  /** The gates that stand; a new name that was refused is not among them. */
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

  /** Its corners stay in hand, under the new name as soon as the kernel has it. */
  renameEdited(from: string, to: string, rev: number): void {
    if (this.editedGate === from) this.renaming = { from, to, rev };
  }

  toggleEdited(gate: string | null): void {
    this.editedGate = this.editedGate === gate ? null : gate;
    this.emit("gates");
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
    const feature = this.colors?.name ?? "";
    return thumbnail !== undefined && (!feature || thumbnail.values.some(([n]) => n === feature));
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
