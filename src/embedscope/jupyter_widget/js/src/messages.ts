// Generated from the Python classes by embedscope.jupyter_widget._typescript: edit those.

export const PROTOCOL = 1;

export interface LegendItem {
  label: string;
  color: string;
  count: number;
  visible: boolean;
}

export interface GateItem {
  name: string;
  color: string;
  polygon: Array<Array<number>> | null;
  operation: string | null;
  members: Array<string>;
  count: number;
  share: number;
}

export interface ImageItem {
  name: string;
  width: number;
  height: number;
  n_z: number;
  n_t: number;
  channels: Array<string>;
  is_transmitted: boolean;
  has_image: boolean;
}

export interface RankItem {
  feature: string;
  effect: number;
  share: number;
}

export interface ReconstructionItem {
  row: number;
  name: string;
  error: number | null;
  typical_error: number | null;
  is_held_out: boolean | null;
}

export interface StatusState {
  phase: string;
  is_running: boolean;
  is_paused: boolean;
  fraction: number;
  epoch: number;
  seconds_left: number | null;
  message: string;
  error: string;
  hint: string;
  detail: string;
}

export interface FormField {
  name: string;
  kind: string;
  label: string;
  tooltip: string;
  group: string;
  default: unknown;
  minimum: number | null;
  maximum: number | null;
  step: number | null;
  choices: Array<string>;
  unit: string;
  is_basic: boolean;
}

export interface ColorChoice {
  by: string;
  name: string;
  label: string;
}

export interface HistoryState {
  undo: string;
  redo: string;
}

export interface Catalog {
  n_samples: number;
  is_image: boolean;
  has_thumbnails: boolean;
  depth: string;
  left_out: string;
  left_out_lines: Array<string>;
  source_note: string;
  is_source_told: boolean;
  may_learn: boolean;
  can_decode: boolean;
  can_explain: boolean;
  can_carry: boolean;
  can_turn: boolean;
  can_reconstruct: boolean;
  images: Array<ImageItem>;
  learn_columns: Array<string>;
  learned_columns: Array<string>;
  learned_kind: string;
  learns_from: string;
  color_choices: Array<ColorChoice>;
  epochs: Array<number>;
}

export interface Traits {
  protocol: number;
  status: StatusState;
  catalog: Catalog;
  history: HistoryState;
  form: Array<FormField>;
  parameters: Record<string, unknown>;
  height: number;
  is_static: boolean;
  selected: Record<string, number>;
}

export interface Positions {
  t: "emb";
  rev: number;
  epoch: number;
  n: number;
  snapshot: number;
  // buffer: float32 xy, (n, 2)
}

export interface Colors {
  t: "attr";
  rev: number;
  req: number;
  title: string;
  by: string;
  name: string;
  limits: Array<number> | null;
  has_own_limits: boolean;
  colormap: string;
  palette: string;
  palettes: Array<string>;
  note: string;
  legend: Array<LegendItem>;
  // buffer: uint8 levels, (n,)
  // buffer: uint8 palette, (251, 4)
}

export interface Losses {
  t: "loss";
  rev: number;
  run: number;
  start: number;
  names: Array<string>;
  explained: string;
  // buffer: float32 rows, (k, 1 + len(names)): epoch and losses
}

export interface Selected {
  t: "sel";
  rev: number;
  origin: string;
  count: number;
  n: number;
  // buffer: uint8 bits, (ceil(n / 8),)
}

export interface Novel {
  t: "novel";
  rev: number;
  // buffer: uint32 rows, (k,)
}

export interface HoveredMessage {
  t: "hovered";
  row: number;
}

export interface Gates {
  t: "gates";
  rev: number;
  gates: Array<GateItem>;
}

export interface Picture {
  t: "img";
  req: number;
  source: string;
  t_index: number;
  z_index: number;
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  w: number;
  h: number;
  low: Array<number>;
  high: Array<number>;
  note: string;
  // buffer: uint8 levels, (channels, h, w)
  // buffer: uint32 row + 1 of the object at each pixel, 0 for none, (h, w)
}

export interface Thumbnails {
  t: "thumb";
  rows: Array<number>;
  names: Array<string>;
  values: Array<Array<[string, string]>>;
  w: number;
  h: number;
  // buffer: uint8 rgb, (len(rows), h, w, 3)
}

export interface Decoded {
  t: "dec";
  req: number;
  x: number;
  y: number;
  w: number;
  h: number;
  support: number;
  decoded: boolean;
  rows: Array<number>;
  names: Array<string>;
  distances: Array<number>;
  values: Array<[string, number]>;
  deviations: Array<number>;
  style: "typical" | "own" | "carried" | "random";
  style_name: string;
  style_row: number;
  // buffer: uint8 rgb, (h, w, 3)
  // buffer: uint8 rgb of the spread, (h, w, 3), brighter where less certain; empty if not measured
}

export interface DecodedPath {
  t: "path";
  req: number;
  n: number;
  w: number;
  h: number;
  support: Array<number>;
  features: Array<string>;
  style_name: string;
  // buffer: uint8 rgb, (n, h, w, 3)
  // buffer: float32 xy, (n, 2)
  // buffer: float32 values of tables, (n, len(features))
}

export interface Atlas {
  t: "atlas";
  rev: number;
  nx: number;
  ny: number;
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  w: number;
  h: number;
  // buffer: uint8 rgb, (ny * nx, h, w, 3)
  // buffer: uint8 support 0..255, (ny * nx,)
}

export interface Reconstructed {
  t: "recon";
  req: number;
  items: Array<ReconstructionItem>;
  w: number;
  h: number;
  features: Array<string>;
  // buffer: uint8 rgb, (len(items), 4, h, w, 3)
  // buffer: float32 values of tables, original and reconstructed, (len(items), 2, len(features))
}

export interface Forgotten {
  t: "gone";
  what: Array<"decoded" | "path" | "reconstructed" | "explained" | "thumbnails">;
}

export interface ExplainedMessage {
  t: "explain";
  req: number;
  title: string;
  ranking: Array<RankItem>;
  w: number;
  h: number;
  // buffer: uint8 saliency, (h, w)
}

export interface Located {
  t: "at";
  req: number;
  row: number;
  source: string;
  t_index: number;
  z_index: number;
  x: number;
  y: number;
}

export interface Said {
  t: "say";
  text: string;
}

export interface Failed {
  t: "err";
  req: number;
  message: string;
  hint: string;
}

export interface Synchronised {
  t: "sync";
  revs: Record<string, number>;
}

export interface Hello {
  t: "hello";
  have: Record<string, number>;
  webgl: boolean;
}

export interface Poll {
  t: "poll";
  have: Record<string, number>;
}

export interface Acknowledged {
  t: "ack";
  rev: number;
  ms: number;
}

export interface Command {
  t: "cmd";
  req: number;
  name: "train" | "pause" | "resume" | "stop" | "undo" | "redo" | "clear" | "invert";
}

export interface TrainFrom {
  t: "train-from";
  req: number;
  columns: Array<string>;
}

export interface SetParameters {
  t: "params";
  req: number;
  values: Record<string, unknown>;
}

export interface Select {
  t: "select";
  rev: number;
  origin: string;
  mode: "replace" | "add" | "subtract" | "invert";
  emb: number;
  // buffer: uint8 bits, (ceil(n / 8),)
}

export interface SetColors {
  t: "color";
  req: number;
  by: string;
  name: string;
  palette: string;
  limits: Array<number> | null;
  hidden: Array<string>;
}

export interface SelectGate {
  t: "gate-select";
  req: number;
  name: string;
  mode: "replace" | "add" | "subtract" | "invert";
}

export interface AddGate {
  t: "gate-add";
  req: number;
  polygon: Array<Array<number>>;
}

export interface CombineGates {
  t: "gate-combine";
  req: number;
  operation: "union" | "intersection" | "difference";
  members: Array<string>;
}

export interface EditGate {
  t: "gate-edit";
  req: number;
  rev: number;
  name: string;
  new_name: string | null;
  color: string | null;
  polygon: Array<Array<number>> | null;
}

export interface RemoveGate {
  t: "gate-remove";
  req: number;
  name: string;
}

export interface Hover {
  t: "hover";
  row: number;
}

export interface Decode {
  t: "decode";
  req: number;
  x: number;
  y: number;
  carry: number;
  another: boolean;
  angle: number;
}

export interface ClearDecoded {
  t: "decode-clear";
  req: number;
}

export interface DecodePath {
  t: "decode-path";
  req: number;
  points: Array<Array<number>>;
  n: number;
  carry: number;
  angle: number;
}

export interface WantReconstructions {
  t: "reconstruct";
  req: number;
  n: number;
}

export interface ClearReconstructions {
  t: "reconstruct-clear";
  req: number;
}

export interface WantThumbnails {
  t: "thumbs";
  rows: Array<number>;
}

export interface WantPicture {
  t: "view";
  req: number;
  source: string;
  t_index: number;
  z_index: number;
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  w: number;
  h: number;
}

export interface WantPlace {
  t: "where";
  req: number;
  row: number;
}

export interface WantReplay {
  t: "replay";
  req: number;
  index: number;
}

export interface WantExplanation {
  t: "why";
  req: number;
}

export interface WantGateExplanation {
  t: "gate-why";
  req: number;
  name: string;
}

export type FromKernel =
  | Positions
  | Colors
  | Losses
  | Selected
  | Novel
  | HoveredMessage
  | Gates
  | Picture
  | Thumbnails
  | Decoded
  | DecodedPath
  | Atlas
  | Reconstructed
  | Forgotten
  | ExplainedMessage
  | Located
  | Said
  | Failed
  | Synchronised;

export type FromPage =
  | Hello
  | Poll
  | Acknowledged
  | Command
  | TrainFrom
  | SetParameters
  | Select
  | SetColors
  | SelectGate
  | AddGate
  | CombineGates
  | EditGate
  | RemoveGate
  | Hover
  | Decode
  | ClearDecoded
  | DecodePath
  | WantReconstructions
  | ClearReconstructions
  | WantThumbnails
  | WantPicture
  | WantPlace
  | WantReplay
  | WantExplanation
  | WantGateExplanation;
