// The connection between a model and its store: sends intents and receives messages, which the
// inbox puts into the store. It is made in `initialize`, so further views need no messages.

import { type Mode, combine, pack } from "./bits";
import type { Buffer } from "./buffers";
import { type HostModel, onConnectionChanged, saveSelected } from "./host";
import { storeMessage } from "./inbox";
import { LatestOnly } from "./latest";
import type {
  CombineGates,
  Command,
  EditGate,
  FromKernel,
  FromPage,
  SetColors,
  WantPicture,
} from "./messages";
import type { Point } from "./geometry";
import { GONE, SILENT } from "./notices";
import { SheetRequests } from "./sheets";
import type { Store } from "./store";
import { atEnd } from "./emitter";

const QUIET_MS = 1500; // without a message for so long, the page polls a kernel that trains
const ANSWER_MS = 8000; // a kernel that does not answer for so long is busy or gone
const RECONNECT_MS = 1500; // to answer, after the connection changed
const SLOW_MS = 100; // above it, a decoded picture does not follow the pointer

export class Connection {
  private request = 0;
  private lastMessage = performance.now();
  private waitingSince = 0;
  private readonly decoding = new LatestOnly((x, y) => {
    const { carried, angle } = this.store;
    const carry = carried >= 0 ? carried : this.turnedStyle;
    this.ask({ t: "decode", req: ++this.request, x, y, carry, another: false, angle });
    return this.request;
  });
  private turnedStyle = -1; // row of the sample whose style code a turned picture keeps
  private readonly sheets: SheetRequests;
  private another: { req: number; angle: number } | null = null; // asked, and not answered
  private askedPath: { req: number; points: number[][]; n: number } | null = null; // likewise
  private hoverTimer = 0;
  private hoverAsked = -1;
  private reconnectTimer = 0;

  constructor(
    private readonly model: HostModel,
    private readonly store: Store,
    signal: AbortSignal,
  ) {
    this.sheets = new SheetRequests(
      // Rows beyond the samples are of earlier samples.
      (row) => store.isDescribed(row) || row >= (store.catalog?.n_samples ?? 0),
      (rows) => this.send({ t: "thumbs", rows }),
      signal,
    );
    this.readTraits(signal);
    const endCarrying = () =>
      !store.catalog?.can_carry && store.carried >= 0 && store.setCarried(-1);
    store.on(["catalog"], endCarrying, signal);
    store.on(["catalog"], () => store.endLearning(), signal);
    const describeHovered = () => store.hover >= 0 && this.wantThumbnails([store.hover]);
    store.on(["colors"], describeHovered, signal); // another feature comes first now
    const receive = (head: FromKernel, buffers: Buffer[]) => this.receive(head, buffers);
    model.on("msg:custom", receive);
    atEnd(signal, () => model.off("msg:custom", receive));
    onConnectionChanged(model, () => this.checkConnection(), signal);
    const timer = setInterval(() => this.watch(), 500);
    atEnd(signal, () => clearInterval(timer));
    this.hello();
  }

  private readTraits(signal: AbortSignal): void {
    const read = {
      status: () => (this.store.status = this.model.get("status")),
      catalog: () => (this.store.catalog = this.model.get("catalog")),
      history: () => (this.store.history = this.model.get("history")),
      parameters: () => (this.store.parameters = this.model.get("parameters")),
    };
    this.store.form = this.model.get("form");
    this.store.height = this.model.get("height");
    this.store.isStatic = this.model.get("is_static");
    for (const topic of Object.keys(read) as (keyof typeof read)[]) {
      const update = () => {
        read[topic]();
        this.markAlive();
        this.store.emit(topic);
      };
      read[topic]();
      this.model.on(`change:${topic}`, update);
      atEnd(signal, () => this.model.off(`change:${topic}`, update));
    }
  }

  // Receiving

  private markAlive(): void {
    this.lastMessage = performance.now();
    this.waitingSince = 0;
    this.store.setLost(false);
    if (this.store.notice === SILENT || this.store.notice === GONE) this.store.setNotice(null);
  }

  /** Whether the connection was lost or restored is not known: a kernel that answers is there. */
  private checkConnection(): void {
    const asked = performance.now();
    this.giveUpAll();
    this.hello();
    clearTimeout(this.reconnectTimer);
    this.reconnectTimer = window.setTimeout(() => {
      if (this.lastMessage >= asked) return;
      this.store.setLost(true);
      this.store.setNotice(GONE);
    }, RECONNECT_MS);
  }

  private receive(head: FromKernel, buffers: Buffer[]): void {
    this.markAlive();
    storeMessage(this.store, head, buffers);
    if (head.t === "emb") this.acknowledge(head.rev);
    if (head.t === "sel") this.saveSelected(head.count, head.rev);
    if (head.t === "dec" || head.t === "path" || head.t === "err") this.answered(head.req);
    if (head.t === "thumb") this.sheets.arrived(head.rows);
  }

  private answered(req: number): void {
    this.decoding.answered(req);
    if (req === this.askedPath?.req) this.askedPath = null;
    if (req !== this.another?.req) return;
    const { angle } = this.another;
    this.another = null;
    if (angle !== this.store.angle) this.turn(this.store.angle); // it was turned meanwhile
  }

  private saveSelected(count: number, revision: number): void {
    if (this.store.isStatic) return;
    try {
      saveSelected(this.model, count, revision);
    } catch {
      this.store.setLost(true);
    }
  }

  /** After drawing; a hidden page does not draw, so it acknowledges at once. */
  private acknowledge(rev: number): void {
    const arrived = performance.now();
    const answer = () => this.send({ t: "ack", rev, ms: performance.now() - arrived });
    if (document.hidden) answer();
    else requestAnimationFrame(answer);
  }

  // Sending

  private send(message: FromPage, ...arrays: Uint8Array[]): void {
    const buffers = arrays.map(
      (a) => new DataView(a.buffer as ArrayBuffer, a.byteOffset, a.byteLength),
    );
    try {
      this.model.send(message, undefined, buffers);
    } catch {
      this.store.setLost(true); // the comm is closed: kernel shut down or restarted
      this.store.setNotice(GONE);
    }
  }

  private ask(message: FromPage, ...arrays: Uint8Array[]): void {
    if (!this.store.isStatic) this.waitingSince ||= performance.now();
    this.send(message, ...arrays);
  }

  /** The next revision, of a change that is shown before the kernel answers. */
  private nextRevision(kind: "sel" | "gates"): number {
    const { ahead, revs } = this.store;
    return (ahead[kind] = Math.max(ahead[kind], revs[kind] ?? 0) + 1);
  }

  hello(): void {
    this.send({ t: "hello", have: { ...this.store.revs }, webgl: true });
  }

  command(name: Command["name"]): void {
    this.ask({ t: "cmd", req: ++this.request, name });
  }

  /** Train with the choice of what to learn from, if there is one; the answer ends the choice. */
  train(): void {
    const { learning } = this.store;
    if (!learning) this.command("train");
    else this.ask({ t: "train-from", req: ++this.request, columns: learning.columns });
  }

  /** Columns, or "shown" or "given"; kept by the page until Train. */
  learnFrom(what: string[] | string): void {
    const { catalog } = this.store;
    const isOfColumns = Array.isArray(what);
    const columns = isOfColumns ? what : [];
    const isNow = isOfColumns
      ? catalog?.learned_kind === "columns" && columns.join("\n") === catalog.learned_columns.join("\n")
      : what === "given" || catalog?.learned_kind === "shown";
    this.store.setLearning(isNow ? null : { kind: isOfColumns ? "columns" : "shown", columns });
  }

  setParameters(values: Record<string, unknown>): void {
    this.ask({ t: "params", req: ++this.request, values });
  }

  setColors(change: Pick<SetColors, "by" | "name"> & Partial<Omit<SetColors, "t" | "req">>): void {
    const plain = { palette: "", limits: null, hidden: [] };
    const requested = { ...plain, ...change, req: ++this.request };
    this.store.requestedColors = requested;
    this.ask({ t: "color", ...requested });
  }

  addGate(polygon: number[][]): void {
    this.ask({ t: "gate-add", req: ++this.request, polygon });
  }

  /** Shown at once as in `select`, except a new name: it may be taken, so the answer shows it. */
  editGate(name: string, change: Partial<Pick<EditGate, "new_name" | "color" | "polygon">>): void {
    const same = { new_name: null, color: null, polygon: null };
    const rev = this.nextRevision("gates");
    if (change.new_name) this.store.renameEdited(name, change.new_name, rev);
    this.store.changeGate(name, change);
    this.ask({ t: "gate-edit", req: ++this.request, rev, name, ...same, ...change });
  }

  combineGates(operation: CombineGates["operation"], members: string[]): void {
    this.ask({ t: "gate-combine", req: ++this.request, operation, members });
  }

  removeGate(name: string): void {
    this.ask({ t: "gate-remove", req: ++this.request, name });
  }

  selectGate(name: string, mode: Mode): void {
    this.ask({ t: "gate-select", req: ++this.request, name, mode });
  }

  /** Shown at once, then sent; the answer has the same or a later revision. */
  select(hits: Uint8Array, mode: Mode, origin: "map" | "image"): void {
    const rev = this.nextRevision("sel");
    this.store.setMask(combine(this.store.mask, hits, mode));
    this.ask({ t: "select", rev, origin, mode, emb: this.store.revs.emb ?? 0 }, pack(hits));
  }

  hover(row: number, from: "map" | "image" | ""): void {
    // What the kernel answers to an earlier hover may be shown while a later one waits.
    if (row === this.store.hover && row === this.hoverAsked) return;
    this.hoverAsked = row;
    this.store.setHover(row, from);
    if (row >= 0) this.wantThumbnails([row]);
    clearTimeout(this.hoverTimer);
    this.hoverTimer = window.setTimeout(() => this.send({ t: "hover", row }), 100);
  }

  decode(x: number, y: number): void {
    this.turnedStyle = -1;
    this.another = null;
    this.decoding.want(x, y);
  }

  /** Decode what is shown again, turned; also the angle of what is decoded from now on. */
  turn(degrees: number): void {
    const { store } = this;
    store.setAngle(degrees);
    this.turnPath();
    if (this.another) return; // turned when it is there: the kernel chooses its style code
    const { awaited } = this.decoding;
    const { decoded } = store;
    if (awaited) {
      this.decoding.want(awaited[0], awaited[1]); // what is shown is of an earlier point
    } else if (decoded) {
      this.turnedStyle = decoded.head.style_row;
      this.decoding.want(decoded.head.x, decoded.head.y);
    }
  }

  private turnPath(): void {
    const { path } = this.store;
    if (this.askedPath) {
      this.decodePath(this.askedPath.points, this.askedPath.n);
    } else if (path) {
      const stops = Array.from({ length: path.head.n }, (_, i) => [...path.xy.slice(2 * i, 2 * i + 2)]);
      this.decodePath(stops, path.head.n);
    }
  }

  /** Pins the decoded picture to this point; if the kernel is slow, the atlas is shown first. */
  decodeAt(place: Point): void {
    const { store } = this;
    store.setPlace(place);
    if (this.isSlowToDecode) store.showFromAtlas(place[0], place[1]);
    if (store.catalog?.can_decode) this.decode(place[0], place[1]);
  }

  /** When the pointer leaves the map: what follows it is replaced by the pinned point again. */
  returnToPlace(): void {
    const { place, decoded } = this.store;
    const last = this.decoding.awaited ?? (decoded && [decoded.head.x, decoded.head.y]);
    if (place && last && (last[0] !== place[0] || last[1] !== place[1])) this.decodeAt(place);
  }

  /** With the style code of a random sample near the pinned point. */
  decodeAnother(): void {
    const { place, decoded } = this.store;
    const [x, y] = place ?? [decoded?.head.x, decoded?.head.y];
    if (x === undefined || y === undefined) return;
    this.decoding.giveUp(); // a point of the drag before it would replace this picture
    const { angle } = this.store;
    this.another = { req: ++this.request, angle };
    this.ask({ t: "decode", req: this.request, x, y, carry: -1, another: true, angle });
  }

  /** Decode with the style code of this sample from now on, first at its own position. */
  carry(row: number): void {
    const { store } = this;
    store.setCarried(row);
    store.setTool("decode");
    this.wantThumbnails([row]); // for its name
    this.decodeAt(store.placeOf(row));
  }

  /** Decode typical samples again, first at the pinned point. */
  stopCarrying(): void {
    this.store.setCarried(-1);
    if (this.store.place) this.decodeAt(this.store.place);
  }

  reconstruct(n: number): void {
    this.ask({ t: "reconstruct", req: ++this.request, n });
  }

  clearReconstructed(): void {
    this.ask({ t: "reconstruct-clear", req: ++this.request });
  }

  /** The atlas is better than a slow kernel, or none. */
  get isSlowToDecode(): boolean {
    return this.store.isStatic || !this.store.catalog?.can_decode || this.decoding.ms > SLOW_MS;
  }

  /** A page without a kernel removes the picture itself. */
  clearDecoded(): void {
    this.giveUp();
    if (this.store.isStatic || this.store.decoded?.isAtlas) this.store.forget(["decoded", "path"]);
    if (!this.store.isStatic) this.ask({ t: "decode-clear", req: ++this.request });
  }

  decodePath(points: number[][], n: number): void {
    const { carried, angle } = this.store;
    this.askedPath = { req: ++this.request, points, n };
    this.ask({ t: "decode-path", req: this.request, points, n, carry: carried, angle });
  }

  /** No answer about what is decoded will arrive, or none is needed. */
  private giveUp(): void {
    this.decoding.giveUp();
    this.another = this.askedPath = null;
  }

  /** Answers to all that was asked may be lost. */
  private giveUpAll(): void {
    this.giveUp();
    this.store.requestedSnapshot = null;
  }

  wantThumbnails(rows: Iterable<number>): void {
    this.sheets.want(rows);
  }

  /** Get the pictures near the pointer in advance, the nearest first. */
  expectHover(rows: number[]): void {
    const { catalog, isStatic, isLost } = this.store;
    if (catalog?.has_thumbnails && !isStatic && !isLost) this.sheets.lookAhead(rows);
  }

  /** Returns the number of the request, which the answer has too. */
  wantPicture(view: Omit<WantPicture, "t" | "req">): number {
    this.ask({ t: "view", req: ++this.request, ...view });
    return this.request;
  }

  wantPlace(row: number): void {
    this.send({ t: "where", req: ++this.request, row });
  }

  wantReplay(index: number): void {
    this.store.requestedSnapshot = { req: ++this.request, index };
    this.ask({ t: "replay", req: this.request, index });
  }

  wantExplanation(): void {
    this.ask({ t: "why", req: ++this.request });
  }

  wantGateExplanation(name: string): void {
    this.ask({ t: "gate-why", req: ++this.request, name });
  }

  /** Poll a quiet kernel, and show a notice when it does not answer. */
  private watch(): void {
    if (this.store.isLost) return;
    const now = performance.now();
    const isQuiet = now - this.lastMessage > QUIET_MS;
    if (isQuiet && (this.store.status?.is_running || this.waitingSince)) {
      this.send({ t: "poll", have: { ...this.store.revs } });
    }
    if (this.waitingSince && now - this.waitingSince > ANSWER_MS) {
      this.giveUpAll();
      this.store.setNotice(SILENT);
    }
  }
}
