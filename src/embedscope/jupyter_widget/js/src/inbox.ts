// Puts each message of the kernel into the store. Unknown kinds are ignored, so an older page works
// with a newer kernel.

import { unpack } from "./bits";
import { type Buffer, asBytes, asFloats, asIntegers } from "./buffers";
import type { FromKernel, Selected } from "./messages";
import type { Store } from "./store";

export function storeMessage(store: Store, head: FromKernel, buffers: Buffer[]): void {
  switch (head.t) {
    case "emb":
      store.revs.emb = head.rev;
      if (head.snapshot === store.requestedSnapshot?.index) store.requestedSnapshot = null;
      store.setPositions(asFloats(buffers[0]), head.epoch, head.snapshot);
      break;
    case "attr":
      store.revs.attr = head.rev;
      if (head.req >= (store.requestedColors?.req ?? 0)) store.requestedColors = null;
      store.setColors(head, asBytes(buffers[0]), asBytes(buffers[1]));
      break;
    case "loss":
      store.revs.loss = head.rev;
      store.addLosses(head, asFloats(buffers[0]));
      break;
    case "sel":
      storeSelection(store, head, asBytes(buffers[0]));
      break;
    case "novel":
      store.revs.novel = head.rev;
      store.novel = asIntegers(buffers[0]);
      store.emit("novel");
      break;
    case "gates":
      if (!isLatest(store, "gates", head.rev)) break;
      store.setGates(head.gates, head.rev);
      break;
    case "hovered":
      store.setHover(head.row, "");
      break;
    case "say":
      store.say(head.text);
      break;
    case "err":
      store.setNotice({ text: head.message, hint: head.hint });
      store.refusedRequest = head.req;
      if (head.req === store.requestedColors?.req) store.requestedColors = null;
      if (head.req === store.requestedSnapshot?.req) store.requestedSnapshot = null;
      store.emit("refused");
      break;
    default:
      storePictures(store, head, buffers);
  }
}

function storePictures(store: Store, head: FromKernel, buffers: Buffer[]): void {
  const [first, second, third] = buffers;
  switch (head.t) {
    case "thumb":
      store.addThumbnails(head, asBytes(first));
      break;
    case "img":
      store.picture = { head, levels: asBytes(first), rows: asIntegers(second) };
      store.emit("picture");
      break;
    case "dec":
      store.decoded = { head, rgb: asBytes(first), spread: asBytes(second), isAtlas: false };
      store.emit("decoded");
      break;
    case "path":
      store.path = { head, rgb: asBytes(first), xy: asFloats(second), values: asFloats(third) };
      store.emit("path");
      break;
    case "recon":
      store.reconstructed = { head, rgb: asBytes(first), values: asFloats(second) };
      store.emit("reconstructed");
      break;
    case "atlas":
      store.revs.atlas = head.rev;
      store.atlas = head.nx ? { head, rgb: asBytes(first), support: asBytes(second) } : null;
      break;
    case "gone":
      store.forget(head.what);
      break;
    case "explain":
      store.explained = { head, saliency: asBytes(first) };
      store.emit("explained");
      break;
    case "at":
      store.located = head;
      store.emit("located");
  }
}

/** False for the answer to an earlier gesture: it must not undo what a later one shows. */
function isLatest(store: Store, kind: "sel" | "gates", rev: number): boolean {
  if (rev < Math.max(store.ahead[kind], store.revs[kind] ?? 0)) return false;
  store.revs[kind] = rev;
  return true;
}

function storeSelection(store: Store, head: Selected, bits: Uint8Array): void {
  if (!isLatest(store, "sel", head.rev)) return;
  store.receiveMask(unpack(bits, head.n));
}
