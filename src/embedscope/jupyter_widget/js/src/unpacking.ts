// Unpacks the buffers of a page without a kernel, the inverse of `_packing`: deflated bytes, and
// image files of sheets of pictures.

export type Packed = { deflated: string } | Sheet;

interface Sheet {
  sheet: string;
  n: number;
  w: number;
  h: number;
  depth: 1 | 3;
  across: number;
}

export function unpackBuffer(packed: Packed): Promise<Uint8Array> {
  return "sheet" in packed ? readSheet(packed) : inflate(packed.deflated);
}

async function inflate(text: string): Promise<Uint8Array> {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function readSheet(sheet: Sheet): Promise<Uint8Array> {
  const exact = { colorSpaceConversion: "none", premultiplyAlpha: "none" } as const;
  const bitmap = await createImageBitmap(new Blob([bytesOf(sheet.sheet)]), exact);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("The browser gives no canvas.");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return cutSheet(sheet, context.getImageData(0, 0, canvas.width, canvas.height).data);
}

/** The pictures of a sheet one after the other; `rgba` has the pixels of the sheet. */
export function cutSheet(
  { n, w, h, depth, across }: Omit<Sheet, "sheet">,
  rgba: Uint8ClampedArray,
): Uint8Array {
  const cells = new Uint8Array(n * h * w * depth);
  let to = 0;
  for (let cell = 0; cell < n; cell++) {
    const [left, top] = [(cell % across) * w, Math.floor(cell / across) * h];
    for (let y = 0; y < h; y++) {
      let from = 4 * ((top + y) * across * w + left);
      for (let x = 0; x < w; x++, from += 4) {
        for (let k = 0; k < depth; k++) cells[to++] = rgba[from + k];
      }
    }
  }
  return cells;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
