// Binary buffers of a message as typed arrays. Hosts pass DataViews into a larger buffer at any
// offset; a buffer that is not aligned is copied.

export type Buffer = DataView | ArrayBuffer;

function bytesOf(buffer: Buffer): Uint8Array {
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer)
    : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function aligned(buffer: Buffer): { buffer: ArrayBufferLike; byteOffset: number; length: number } {
  const bytes = bytesOf(buffer);
  const { buffer: whole, byteOffset } = byteOffsetIsAligned(bytes) ? bytes : bytes.slice();
  return { buffer: whole, byteOffset, length: bytes.byteLength >> 2 };
}

function byteOffsetIsAligned(bytes: Uint8Array): boolean {
  return bytes.byteOffset % 4 === 0;
}

export function asBytes(buffer: Buffer | undefined): Uint8Array {
  return buffer ? bytesOf(buffer) : new Uint8Array(0);
}

export function asFloats(buffer: Buffer | undefined): Float32Array {
  if (!buffer) return new Float32Array(0);
  const part = aligned(buffer);
  return new Float32Array(part.buffer, part.byteOffset, part.length);
}

export function asIntegers(buffer: Buffer | undefined): Uint32Array {
  if (!buffer) return new Uint32Array(0);
  const part = aligned(buffer);
  return new Uint32Array(part.buffer, part.byteOffset, part.length);
}
