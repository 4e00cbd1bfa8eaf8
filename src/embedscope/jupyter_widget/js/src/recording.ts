// A page without a kernel: it answers intents from the traits and messages that were recorded when
// the page was written.

import type { Colors, FromKernel, FromPage, SetColors, Traits, WantPicture } from "./messages";
import { type Packed, unpackBuffer } from "./unpacking";
import widget from "./index";

interface PackedMessage {
  head: FromKernel;
  buffers: Packed[];
}

export interface Recording {
  traits: Traits;
  messages: PackedMessage[];
}

interface UnpackedMessage {
  head: FromKernel;
  buffers: Uint8Array[];
}

type Listener = (head: FromKernel, buffers: DataView[]) => void;

const NO_VALUE_LEVEL = 250; // levels as in `Colors` of protocol/_messages.py
const N_COLORS = 249;
const NO_VALUE = ["no value", "in no gate"];

/** Shows a recording; call the result to remove it. */
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
  private sending: Promise<void> = Promise.resolve(); // answers stay in order

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
    if (message.t === "hello") this.reply(this.opening());
    if (message.t === "color") {
      const { by, name } = message;
      const isOf = (h: FromKernel) => h.t === "attr" && h.by === by && h.name === name;
      const isWhole = (h: FromKernel) => isOf(h) && (h as Colors).legend.every((i) => i.visible);
      const found = [...first(isWhole), ...first(isOf)].slice(0, 1);
      this.reply(found, (sent) => hideClasses(sent, message));
    }
    if (message.t === "replay") {
      this.reply(first((h) => h.t === "emb" && h.snapshot === message.index));
    }
    if (message.t === "view") this.reply(this.planeFor(message));
  }

  /** The requested plane, or another one of the image, with the number of the request. */
  private planeFor({ source, t_index, z_index, req }: WantPicture): PackedMessage[] {
    const planes = this.recording.messages.flatMap(({ head, buffers }) =>
      head.t === "img" && head.source === source ? [{ head: { ...head, req }, buffers }] : [],
    );
    const isAsked = ({ head }: (typeof planes)[0]) =>
      head.t_index === t_index && head.z_index === z_index;
    return [...planes.filter(isAsked), ...planes].slice(0, 1);
  }

  /** The first message of each kind, and all sheets of pictures. */
  private opening(): PackedMessage[] {
    const seen = new Set<string>();
    return this.recording.messages.filter(({ head }) => {
      const isFirst = !seen.has(head.t);
      seen.add(head.t);
      return head.t === "thumb" || (isFirst && head.t !== "img");
    });
  }

  private reply(
    messages: PackedMessage[],
    change: (message: UnpackedMessage) => UnpackedMessage = (message) => message,
  ): void {
    for (const { head, buffers } of messages) {
      this.sending = this.sending.then(async () => {
        const sent = change({ head, buffers: await Promise.all(buffers.map(unpackBuffer)) });
        const views = sent.buffers.map((b) => new DataView(b.buffer, b.byteOffset, b.byteLength));
        for (const listener of this.listeners) listener(sent.head, views);
      });
    }
  }
}

/** As the kernel does: samples of hidden classes get level 0, which is transparent. */
function hideClasses(message: UnpackedMessage, { hidden, req }: SetColors): UnpackedMessage {
  const colors = message.head as Colors;
  const isHidden = (label: string) => hidden.includes(label);
  const levels = message.buffers[0].slice();
  colors.legend.forEach(({ label }, i) => {
    if (!isHidden(label)) return;
    const level = NO_VALUE.includes(label) ? NO_VALUE_LEVEL : (i % N_COLORS) + 1;
    levels.forEach((own, row) => own === level && (levels[row] = 0));
  });
  const legend = colors.legend.map((item) => ({ ...item, visible: !isHidden(item.label) }));
  return { head: { ...colors, legend, req }, buffers: [levels, message.buffers[1]] };
}
