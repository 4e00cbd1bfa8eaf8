// A page without a kernel: traits and messages were kept when the page was written, and what can be
// answered from them is.

import type { Colors, FromKernel, FromPage, SetColors, Traits, WantPicture } from "./messages";
import { type Packed, unpackBuffer } from "./unpacking";
import widget from "./index";

interface Kept {
  head: FromKernel;
  buffers: Packed[];
}

export interface Recording {
  traits: Traits;
  messages: Kept[];
}

interface Told {
  head: FromKernel;
  buffers: Uint8Array[];
}

type Listener = (head: FromKernel, buffers: DataView[]) => void;

const NO_VALUE_LEVEL = 250;
const N_COLORS = 249;
const NO_VALUE = ["no value", "in no gate"];

/** Shows a recording; the result takes it away again. */
export function openRecording(element: HTMLElement, recording: Recording): () => void {
  const model = new RecordedModel(recording);
  const life = new AbortController();
  const { initialize, render } = widget();
  initialize({ model: model.asModel(), signal: life.signal });
  render({ model: model.asModel(), el: element, signal: life.signal });
  return () => life.abort();
}

class RecordedModel {
  private readonly listeners = new Set<Listener>();
  private telling: Promise<void> = Promise.resolve(); // one answer after the other

  constructor(private readonly recording: Recording) {}

  asModel(): Parameters<ReturnType<typeof widget>["initialize"]>[0]["model"] {
    const { traits } = this.recording;
    const model = {
      get: (name: keyof Traits) => (name === "is_static" ? true : traits[name]),
      set: () => undefined,
      save_changes: () => undefined,
      on: (name: string, listener: Listener) =>
        name === "msg:custom" && this.listeners.add(listener),
      off: (_: string, listener: Listener) => this.listeners.delete(listener),
      send: (message: FromPage) => this.answer(message),
    };
    return model as never;
  }

  private answer(message: FromPage): void {
    const { messages } = this.recording;
    const first = (accepts: (head: FromKernel) => boolean) =>
      messages.filter(({ head }) => accepts(head)).slice(0, 1);
    if (message.t === "hello") this.tell(this.opening());
    if (message.t === "color") {
      const { by, name } = message;
      const isOf = (h: FromKernel) => h.t === "attr" && h.by === by && h.name === name;
      const isWhole = (h: FromKernel) => isOf(h) && (h as Colors).legend.every((i) => i.visible);
      const kept = [...first(isWhole), ...first(isOf)].slice(0, 1);
      this.tell(kept, (told) => hideClasses(told, message));
    }
    if (message.t === "replay") {
      this.tell(first((h) => h.t === "emb" && h.snapshot === message.index));
    }
    if (message.t === "view") this.tell(this.planeFor(message));
  }

  /** The plane that was asked for, or another one of the image, under the number of the request. */
  private planeFor({ source, t_index, z_index, req }: WantPicture): Kept[] {
    const planes = this.recording.messages.flatMap(({ head, buffers }) =>
      head.t === "img" && head.source === source ? [{ head: { ...head, req }, buffers }] : [],
    );
    const isAsked = ({ head }: (typeof planes)[0]) =>
      head.t_index === t_index && head.z_index === z_index;
    return [...planes.filter(isAsked), ...planes].slice(0, 1);
  }

  /** Of each kind the first, but every sheet of pictures. */
  private opening(): Kept[] {
    const seen = new Set<string>();
    return this.recording.messages.filter(({ head }) => {
      const isFirst = !seen.has(head.t);
      seen.add(head.t);
      return head.t === "thumb" || (isFirst && head.t !== "img");
    });
  }

  private tell(messages: Kept[], change: (told: Told) => Told = (told) => told): void {
    for (const { head, buffers } of messages) {
      this.telling = this.telling.then(async () => {
        const told = change({ head, buffers: await Promise.all(buffers.map(unpackBuffer)) });
        const views = told.buffers.map((b) => new DataView(b.buffer, b.byteOffset, b.byteLength));
        for (const listener of this.listeners) listener(told.head, views);
      });
    }
  }
}

/** What the kernel does with hidden classes: their samples get the level that nobody sees. */
function hideClasses(told: Told, { hidden }: SetColors): Told {
  const colors = told.head as Colors;
  const isHidden = (label: string) => hidden.includes(label);
  const levels = told.buffers[0].slice();
  colors.legend.forEach(({ label }, i) => {
    if (!isHidden(label)) return;
    const level = NO_VALUE.includes(label) ? NO_VALUE_LEVEL : (i % N_COLORS) + 1;
    levels.forEach((own, row) => own === level && (levels[row] = 0));
  });
  const legend = colors.legend.map((item) => ({ ...item, visible: !isHidden(item.label) }));
  return { head: { ...colors, legend }, buffers: [levels, told.buffers[1]] };
}
