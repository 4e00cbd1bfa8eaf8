// A kernel for tests, in the page itself: it has the state, answers every intent and records it. Samples
// are synthetic cells in an image; the map is three bent clouds.

const SIDE = 28;
const IMAGE = 640;
const CLASSES = ["round", "bent", "small"];
const COLORS = ["#0072b2", "#e69f00", "#009e73"];

function random(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function bell(next) {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

const LOSSES = [
  "loss",
  "reconstruction_loss",
  "val_reconstruction_loss",
  "style_reconstruction_loss",
  "val_style_reconstruction_loss",
];

const FORM = [
  ["n_neighbors", "int", "Neighbours", "Map", 15, 2, 500, 1, [], ""],
  ["min_dist", "float", "Minimum distance", "Map", 0.1, 0, 1, 0.05, [], "map units"],
  ["n_training_epochs", "int", "Training length", "Map", 1, 1, 100, 1, [], "times the standard"],
  ["reconstruction", "bool", "Draw samples from the map", "Map", true, null, null, null, [], ""],
  ["random_state", "int", "Seed", "Map", 0, 0, 2147483647, 1, [], ""],
  [
    "metric",
    "choice",
    "Metric",
    "Neighbours",
    "euclidean",
    null,
    null,
    null,
    ["euclidean", "cosine"],
    "",
  ],
  ["target", "text", "Guiding feature", "Neighbours", "", null, null, null, [], ""],
  ["repulsion_strength", "float", "Repulsion", "Layout", 1, 0, 20, 0.1, [], ""],
].map(([name, kind, label, group, value, minimum, maximum, step, choices, unit]) => ({
  name,
  kind,
  label,
  group,
  default: value,
  minimum,
  maximum,
  step,
  choices,
  unit,
  tooltip: `What ${label.toLowerCase()} does.`,
  is_basic: group === "Map",
}));

const IDLE = {
  phase: "idle",
  is_running: false,
  is_paused: false,
  fraction: 0,
  epoch: 0,
  seconds_left: null,
  message: "Not started.",
  error: "",
  hint: "",
  detail: "",
};

export class FakeKernel {
  constructor({ n, isTable, isEmpty }) {
    this.n = n;
    this.isTable = isTable;
    this.asked = [];
    this.isSilent = false;
    this.delayMs = 2; // from an intent to its answer
    this.revs = {};
    this.mask = new Uint8Array(n);
    this.gates = [];
    this.by = { by: "feature", name: "shape", palette: "", limits: null, hidden: [] };
    this.losses = [];
    this.listeners = new Map();
    this.makeSamples();
    this.xy = isEmpty ? new Float32Array(2 * n).fill(NaN) : this.mapAt(1);
    this.traits = this.makeTraits();
    this.model = this.makeModel();
  }

  makeSamples() {
    const next = random(7);
    this.kinds = Uint8Array.from({ length: this.n }, () => Math.floor(next() * 3));
    this.places = Float32Array.from({ length: 2 * this.n }, (_, i) => {
      const kind = this.kinds[i >> 1];
      return (i & 1 ? [0, 3, -2.5][kind] : [-4, 2, 3.5][kind]) + bell(next) * [1.1, 0.9, 0.7][kind];
    });
    this.start = Float32Array.from({ length: 2 * this.n }, () => bell(next) * 1.5);
    this.sizes = Float32Array.from({ length: this.n }, (_, i) => 4 + 5 * next() - this.kinds[i]);
  }

  mapAt(progress) {
    const eased = progress * progress * (3 - 2 * progress);
    return this.places.map((v, i) => this.start[i] + (v - this.start[i]) * eased);
  }

  makeTraits() {
    const image = {
      name: "cells",
      width: IMAGE,
      height: IMAGE,
      n_z: 1,
      n_t: 3,
      channels: ["DNA", "actin"],
      is_transmitted: false,
      has_image: true,
    };
    const choices = [
      ["none", "", "Nothing"],
      ["feature", "shape", "shape"],
      ["feature", "area", "area"],
      ["gate", "", "Gates"],
      ["selection", "", "Selection"],
    ];
    return {
      protocol: 1,
      status: IDLE,
      history: { undo: "", redo: "" },
      form: FORM,
      parameters: Object.fromEntries(FORM.map((field) => [field.name, field.default])),
      height: 460,
      is_static: false,
      selected: { count: 0, revision: 0 },
      catalog: {
        n_samples: this.n,
        is_image: !this.isTable,
        has_thumbnails: !this.isTable,
        can_decode: true,
        can_explain: true,
        depth: "",
        left_out: "",
        left_out_lines: [],
        source_note: "",
        is_source_told: false,
        may_learn: false,
        can_carry: true,
        can_turn: false,
        can_reconstruct: true,
        images: this.isTable ? [] : [image],
        learn_columns: this.isTable ? [] : ["area", "mean"],
        learned_columns: [],
        learned_kind: "shown",
        learns_from: this.isTable ? "whole rows" : "pixels",
        left_out: [],
        color_choices: choices.map(([by, name, label]) => ({ by, name, label })),
        epochs: [0, 4, 9, 14, 19],
      },
    };
  }

  makeModel() {
    const of = (name) => this.listeners.get(name) ?? new Set();
    return {
      get: (name) => this.traits[name],
      set: (name, value) => (this.traits[name] = value),
      save_changes: () => undefined,
      on: (name, listener) => this.listeners.set(name, of(name).add(listener)),
      off: (name, listener) => of(name).delete(listener),
      send: (message, _, buffers) => {
        this.asked.push(message);
        if (!this.isSilent) setTimeout(() => this.answer(message, buffers ?? []), this.delayMs);
      },
    };
  }

  get nListeners() {
    return [...this.listeners.values()].reduce((total, all) => total + all.size, 0);
  }

  count(kind) {
    return this.asked.filter((message) => message.t === kind).length;
  }

  last(kind) {
    return this.asked.findLast((message) => message.t === kind);
  }

  tell(head, ...arrays) {
    const buffers = arrays.map(
      (a) => new DataView(a.buffer.slice(a.byteOffset, a.byteOffset + a.byteLength)),
    );
    for (const listener of this.listeners.get("msg:custom") ?? []) listener(head, buffers);
  }

  setTrait(name, value) {
    this.traits[name] = value;
    for (const listener of this.listeners.get(`change:${name}`) ?? []) listener();
  }

  next(kind, least = 0) {
    this.revs[kind] = Math.max((this.revs[kind] ?? 0) + 1, least);
    return this.revs[kind];
  }

  answer(message, buffers) {
    const name = `on_${message.t.replaceAll("-", "_")}`;
    this[name]?.(message, buffers);
  }

  on_hello() {
    this.sendMap(19, -1);
    this.sendColors();
    this.sendSelection("");
    this.sendGates();
    if (this.losses.length) this.sendLosses(0);
    this.tell({ t: "sync", revs: this.revs });
  }

  sendMap(epoch, snapshot, xy = this.xy) {
    this.tell({ t: "emb", rev: this.next("emb"), epoch, n: this.n, snapshot }, xy);
  }

  sendColors() {
    const { by, name, palette: chosen, limits, hidden } = this.by;
    const palette = new Uint8Array(251 * 4).fill(255);
    palette.fill(0, 0, 4);
    const isNumber = name === "area";
    const levels = new Uint8Array(this.n);
    if (isNumber) {
      for (let i = 1; i < 250; i++) palette.set([i, 60 + 0.7 * i, 160 - 0.5 * i], 4 * i);
      levels.forEach(
        (_, i) => (levels[i] = 1 + Math.min(248, Math.round((this.sizes[i] - 2) * 35))),
      );
    } else {
      COLORS.forEach((c, k) =>
        palette.set(
          [1, 3, 5].map((j) => parseInt(c.slice(j, j + 2), 16)),
          4 * (k + 1),
        ),
      );
      levels.forEach((_, i) => {
        levels[i] =
          by === "none" ? 1 : hidden.includes(CLASSES[this.kinds[i]]) ? 0 : this.kinds[i] + 1;
      });
    }
    const legend = CLASSES.map((label, k) => ({
      label,
      color: COLORS[k],
      count: this.kinds.filter((kind) => kind === k).length,
      visible: !hidden.includes(label),
    }));
    this.tell(
      {
        t: "attr",
        rev: this.next("attr"),
        title: name,
        by,
        name,
        note: "",
        limits: isNumber ? (limits ?? [12.4, 80.25]) : null,
        has_own_limits: limits !== null,
        colormap: isNumber ? chosen || "viridis" : "",
        palette: chosen,
        palettes: isNumber ? ["viridis", "cividis", "RdBu_r"] : [],
        legend: isNumber || by === "none" ? [] : legend,
      },
      levels,
      palette,
    );
  }

  sendSelection(origin, least = 0) {
    const bits = new Uint8Array(Math.ceil(this.n / 8));
    this.mask.forEach((chosen, i) => chosen && (bits[i >> 3] |= 1 << (i & 7)));
    const count = this.mask.reduce((total, v) => total + v, 0);
    this.tell({ t: "sel", rev: this.next("sel", least), origin, count, n: this.n }, bits);
  }

  sendGates(least = 0) {
    this.tell({ t: "gates", rev: this.next("gates", least), gates: this.gates });
  }

  sendNovel(rows) {
    this.tell({ t: "novel", rev: this.next("novel") }, Uint32Array.from(rows));
  }

  on_select({ mode, rev, origin }, [bits]) {
    this.mask = this.mask.map((was, i) => {
      const hit = (bits.getUint8(i >> 3) >> (i & 7)) & 1;
      return { replace: hit, add: was | hit, subtract: was & (1 - hit), invert: was ^ hit }[mode];
    });
    this.setTrait("history", { undo: "select samples", redo: "" });
    this.sendSelection(origin, rev);
  }

  on_color({ by, name, palette, limits, hidden }) {
    this.by = { by, name, palette, limits, hidden };
    this.sendColors();
  }

  on_params({ values }) {
    this.setTrait("parameters", { ...this.traits.parameters, ...values });
  }

  on_gate_add({ polygon }) {
    const k = this.gates.length;
    const count = Math.round(this.n / (4 + k));
    this.gates = [
      ...this.gates,
      {
        name: `Gate ${k + 1}`,
        color: ["#d55e00", "#cc79a7", "#56b4e9"][k % 3],
        polygon,
        operation: null,
        members: [],
        count,
        share: count / this.n,
      },
    ];
    this.sendGates();
  }

  on_gate_combine({ operation, members }) {
    const name = `${members[0]} ${operation} ${members[1]}`;
    this.gates = [
      ...this.gates,
      { name, color: "#999999", polygon: null, operation, members, count: 7, share: 7 / this.n },
    ];
    this.sendGates();
  }

  on_gate_edit({ rev, name, new_name, color, polygon }) {
    this.gates = this.gates.map((gate) =>
      gate.name !== name
        ? gate
        : {
            ...gate,
            name: new_name ?? gate.name,
            color: color ?? gate.color,
            polygon: polygon ?? gate.polygon,
          },
    );
    this.sendGates(rev);
  }

  on_gate_remove({ name }) {
    this.gates = this.gates.filter((gate) => gate.name !== name);
    this.sendGates();
  }

  drawCell(kind, size, into, at) {
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const [dx, dy] = [x - SIDE / 2 + 0.5, y - SIDE / 2 + 0.5];
        const bend = kind === 1 ? 0.06 * dx * dx - 3 : 0;
        const r = Math.hypot(dx / (kind === 1 ? 1.5 : 1), dy - bend) / size;
        const [membrane, inside] = [
          Math.exp(-(((r - 0.85) / 0.18) ** 2)),
          Math.exp(-((r / 0.5) ** 2)),
        ];
        into.set([220 * inside, 210 * membrane, 220 * inside], at + 3 * (y * SIDE + x));
      }
    }
  }

  on_thumbs({ rows }) {
    const sheet = new Uint8Array(rows.length * SIDE * SIDE * 3);
    const [w, h] = this.isTable ? [0, 0] : [SIDE, SIDE];
    if (w)
      rows.forEach((row, i) =>
        this.drawCell(this.kinds[row], this.sizes[row], sheet, i * SIDE * SIDE * 3),
      );
    const names = rows.map((row) => `cells · t 0 · label ${row + 1}`);
    const values = rows.map((row) => this.valuesOf(row));
    this.tell({ t: "thumb", rows, names, values, w, h }, sheet);
  }

  /** Three features, and the one that colours the map. */
  valuesOf(row) {
    const texts = { x: "1", y: "2", frame: "0", shape: CLASSES[this.kinds[row]], area: "40.5" };
    const features = ["x", "y", "frame"];
    if (this.by.by === "feature") features.push(this.by.name);
    return features.map((name) => [name, texts[name]]);
  }

  nearest(x, y, k) {
    const far = Array.from({ length: this.n }, (_, i) => [
      Math.hypot(this.xy[2 * i] - x, this.xy[2 * i + 1] - y),
      i,
    ]);
    return far.sort((a, b) => a[0] - b[0]).slice(0, k);
  }

  /** "Another" is the second neighbour; a carried sample keeps its own class. */
  on_decode({ req, x, y, carry, another }) {
    const near = this.nearest(x, y, 5);
    const rgb = new Uint8Array(SIDE * SIDE * 3);
    const spread = rgb.map((_, i) => i % 200);
    const [w, h] = this.isTable ? [0, 0] : [SIDE, SIDE];
    const whose = another ? near[1][1] : carry;
    const drawn = whose < 0 ? near[0][1] : whose;
    if (w) this.drawCell(this.kinds[drawn], this.sizes[drawn], rgb, 0);
    const isHome = whose >= 0 && this.nearest(x, y, 1)[0][0] < 0.01;
    const style = whose < 0 ? "typical" : another ? "random" : isHome ? "own" : "carried";
    this.tell(
      {
        t: "dec",
        req,
        x,
        y,
        w,
        h,
        support: Math.exp(-4 * near[0][0]),
        decoded: true,
        rows: near.map(([, row]) => row),
        distances: near.map(([d]) => d),
        names: near.map(([, row]) => `cells · t 0 · label ${row + 1}`),
        values: this.isTable
          ? [
              ["area", 41.5],
              ["eccentricity", 0.62],
              ["mean DNA", 1203],
            ]
          : [],
        deviations: this.isTable ? [3.25, 0.125, 210] : [],
        style,
        style_name: whose < 0 ? "" : this.nameOf(whose),
        style_row: whose,
      },
      rgb,
      w ? spread : new Uint8Array(0),
    );
  }

  nameOf(row) {
    return `cells · t 0 · label ${row + 1}`;
  }

  on_reconstruct({ req, n }) {
    const rows = [...this.mask.keys()].filter((row) => this.mask[row]).slice(0, n);
    const [w, h] = this.isTable ? [0, 0] : [SIDE, SIDE];
    const rgb = new Uint8Array(rows.length * 4 * w * h * 3);
    rows.forEach((row, i) => {
      for (let k = 0; k < (w ? 3 : 0); k++)
        this.drawCell(this.kinds[row], this.sizes[row], rgb, (4 * i + k) * SIDE * SIDE * 3);
    });
    const items = rows.map((row, i) => ({
      row,
      name: this.nameOf(row),
      error: 0.26,
      typical_error: 0.64,
      is_held_out: [true, false, null][i % 3],
    }));
    const features = this.isTable ? ["area", "DNA"] : [];
    const values = Float32Array.from({ length: 4 * rows.length }, (_, i) => [40, 9, 41, 3][i % 4]);
    this.tell(
      { t: "recon", req, items, w, h, features },
      rgb,
      this.isTable ? values : new Float32Array(0),
    );
  }

  on_reconstruct_clear() {
    this.tell({ t: "gone", what: ["reconstructed"] });
  }

  /** Support grows from left to right; every picture is one grey level of its column. */
  sendAtlas() {
    const [nx, ny, w] = [8, 6, 4];
    const rgb = new Uint8Array(nx * ny * w * w * 3);
    rgb.forEach((_, i) => (rgb[i] = 30 * (Math.floor(i / (w * w * 3)) % nx)));
    const support = Uint8Array.from({ length: nx * ny }, (_, i) => (255 * (i % nx)) / (nx - 1));
    this.tell(
      { t: "atlas", rev: this.next("atlas"), nx, ny, x0: -6, y0: -4, x1: 6, y1: 4, w, h: w },
      rgb,
      support,
    );
  }

  on_decode_path({ req, points, n, carry }) {
    const rgb = new Uint8Array(n * SIDE * SIDE * 3);
    const xy = new Float32Array(2 * n);
    const support = Array.from({ length: n }, (_, i) => {
      const [a, b] = [points[0], points.at(-1)];
      xy.set(
        [0, 1].map((k) => a[k] + ((b[k] - a[k]) * i) / (n - 1)),
        2 * i,
      );
      const [distance, row] = this.nearest(xy[2 * i], xy[2 * i + 1], 1)[0];
      this.drawCell(this.kinds[row], this.sizes[row], rgb, i * SIDE * SIDE * 3);
      return Math.exp(-4 * distance);
    });
    this.tell(
      {
        t: "path",
        req,
        n,
        w: SIDE,
        h: SIDE,
        support,
        features: [],
        style_name: carry < 0 ? "" : this.nameOf(carry),
      },
      rgb,
      xy,
      new Float32Array(0),
    );
  }

  on_decode_clear() {
    this.tell({ t: "gone", what: ["decoded", "path"] });
  }

  on_gate_why({ req }) {
    this.on_why({ req });
  }

  on_why({ req }) {
    const saliency = new Uint8Array(SIDE * SIDE);
    saliency.forEach((_, i) => {
      const r = Math.hypot((i % SIDE) - 14, Math.floor(i / SIDE) - 14);
      saliency[i] = 255 * Math.exp(-(((r - 6) / 2.5) ** 2));
    });
    const ranking = [
      ["actin", 0.9, 0.72],
      ["DNA", 0.5, 0.28],
    ];
    this.tell(
      {
        t: "explain",
        req,
        title: "12 samples",
        w: this.isTable ? 0 : SIDE,
        h: this.isTable ? 0 : SIDE,
        ranking: ranking.map(([feature, effect, share]) => ({ feature, effect, share })),
      },
      saliency,
    );
  }

  on_replay({ index }) {
    const epoch = index < 0 ? 19 : this.traits.catalog.epochs[index];
    this.sendMap(epoch, index, index < 0 ? this.xy : this.mapAt(epoch / 19));
  }

  /** The cells are on a grid in the image. */
  on_view({ req, source, t_index, z_index, x0, y0, x1, y1, w, h }) {
    const across = Math.ceil(Math.sqrt(Math.min(this.n, 600)));
    const pitch = IMAGE / across;
    const levels = new Uint8Array(2 * w * h);
    const rows = new Uint32Array(w * h);
    for (let j = 0; j < h; j++) {
      for (let i = 0; i < w; i++) {
        const x = x0 + ((i + 0.5) / w) * (x1 - x0);
        const y = y0 + ((j + 0.5) / h) * (y1 - y0);
        const row = Math.floor(y / pitch) * across + Math.floor(x / pitch);
        const r =
          Math.hypot((x % pitch) - pitch / 2, (y % pitch) - pitch / 2) /
          (pitch * 0.055 * this.sizes[row] || 1);
        if (row >= this.n || row >= across * across) continue;
        levels[j * w + i] = 10 + 200 * Math.exp(-((r / 0.5) ** 2));
        levels[w * h + j * w + i] = 5 + 190 * Math.exp(-(((r - 0.85) / 0.2) ** 2));
        if (r < 1) rows[j * w + i] = row + 1;
      }
    }
    this.tell(
      {
        t: "img",
        req,
        source,
        t_index,
        z_index,
        x0,
        y0,
        x1,
        y1,
        w,
        h,
        low: [98, 101],
        high: [4012, 9120],
        note: "",
      },
      levels,
      rows,
    );
  }

  on_where({ req, row }) {
    const across = Math.ceil(Math.sqrt(Math.min(this.n, 600)));
    if (row >= across * across) return; // not in the image
    const [x, y] = [row % across, Math.floor(row / across)].map(
      (v) => ((v + 0.5) * IMAGE) / across,
    );
    this.tell({ t: "at", req, row, source: "cells", t_index: row % 3, z_index: 0, x, y });
  }

  sendLosses(start) {
    const rows = this.losses.slice(start);
    const values = new Float32Array(rows.flat());
    this.tell(
      {
        t: "loss",
        rev: this.next("loss"),
        run: 1,
        start,
        names: LOSSES,
        explained: "explains 36 % of unseen samples; 74 % with their own code",
      },
      values,
    );
  }

  step(i, nSteps) {
    const fraction = i / nSteps;
    const drawn = 0.6 * Math.exp(-2 * fraction) + 0.4;
    const own = 0.9 * Math.exp(-3 * fraction) + 0.1;
    this.losses.push([i, 2 * Math.exp(-3 * fraction) + 0.4, drawn, drawn + 0.1, own, own + 0.08]);
    this.sendLosses(this.losses.length - 1);
    this.xy = this.mapAt(fraction);
    this.sendMap(i, -1);
    this.setTrait("status", {
      ...IDLE,
      phase: "fitting",
      is_running: true,
      fraction,
      epoch: i,
      seconds_left: (nSteps - i) * 0.1,
      message: "Learning the map.",
    });
  }

  finish() {
    this.setTrait("status", {
      ...IDLE,
      phase: "done",
      fraction: 1,
      epoch: 19,
      message: "Done in 3.1 s.",
    });
  }

  on_cmd({ name }) {
    if (name === "train") this.train();
    if (name === "stop") {
      clearInterval(this.timer);
      this.finish();
    }
    if (name === "undo") {
      this.mask = new Uint8Array(this.n);
      this.setTrait("history", { undo: "", redo: "select samples" });
      this.sendSelection("undo");
    }
  }

  train(nSteps = 30) {
    let i = 0;
    this.losses = [];
    this.timer = setInterval(() => {
      this.step(i, nSteps);
      if (i++ < nSteps) return;
      clearInterval(this.timer);
      this.finish();
    }, 100);
  }
}
