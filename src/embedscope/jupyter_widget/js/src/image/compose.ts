// From an image plane and its objects to pixels: channels are added in their colours, objects
// outlined in the colours of the map, selected objects filled.

import type { ImageItem } from "../messages";

export type Color = readonly [number, number, number];

export interface Channel {
  color: Color;
  isLight: boolean; // transmitted
  low: number; // levels 0..255
  high: number;
  isVisible: boolean;
}

export interface Lookup {
  levels: Uint8Array;
  palette: Uint8Array;
  mask: Uint8Array;
  hasSelection: boolean;
  hover: number;
  outlines: boolean;
}

const WHITE: Color = [1, 1, 1];
const PAIR: Color[] = [
  [1, 0, 1],
  [0, 1, 0],
];
const CYCLE: Color[] = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [0, 1, 1],
  [1, 0, 1],
  [1, 1, 0],
];
const N_SHOWN = 3; // as in the pictures of samples
const COVERED = 0.6; // of transmitted light, under fluorescence of full brightness
const OPAQUE_BLACK = 0xff000000; // as one little-endian number
const FILL = 0.45; // opacity of selected objects
const HOVERED = [255, 214, 0];
const SELECTED = [255, 255, 255];

/**
 * As in the pictures of samples: grey for one channel, magenta and green for two, red, green and blue
 * for three, then a cycle. Transmitted light is grey, and the other channels are added to it.
 */
export function channelColors(n: number, isTransmitted: boolean): Color[] {
  if (isTransmitted) return [WHITE, ...fluorescenceColors(n - 1)];
  return n === 1 ? [WHITE] : fluorescenceColors(n);
}

/** The first three are visible, as in the pictures of samples. */
export function channelsOf({ channels, is_transmitted }: ImageItem): Channel[] {
  return channelColors(channels.length, is_transmitted).map((color, i) => ({
    color,
    isLight: is_transmitted && i === 0,
    low: 0,
    high: 255,
    isVisible: i < N_SHOWN,
  }));
}

function fluorescenceColors(n: number): Color[] {
  return n <= 2 ? PAIR.slice(0, n) : Array.from({ length: n }, (_, i) => CYCLE[i % CYCLE.length]);
}

export function composeChannels(
  levels: Uint8Array,
  nPixels: number,
  channels: readonly Channel[],
  into: Uint8ClampedArray,
): void {
  new Uint32Array(into.buffer).fill(OPAQUE_BLACK);
  const partOf = (c: number) => levels.subarray(c * nPixels, (c + 1) * nPixels);
  channels.forEach((channel, c) => {
    if (channel.isVisible && !channel.isLight) addFluorescence(partOf(c), channel, into);
  });
  channels.forEach((channel, c) => {
    if (channel.isVisible && channel.isLight) addTransmitted(partOf(c), channel, into);
  });
}

function addFluorescence(levels: Uint8Array, channel: Channel, into: Uint8ClampedArray): void {
  const scaled = contrastTable(channel);
  channel.color.forEach((share, k) => {
    if (share === 0) return;
    for (let i = 0; i < levels.length; i++) into[4 * i + k] += share * scaled[levels[i]];
  });
}

/** Transmitted light; fluorescence covers it in part. */
function addTransmitted(levels: Uint8Array, channel: Channel, into: Uint8ClampedArray): void {
  const scaled = contrastTable(channel);
  for (let i = 0; i < levels.length; i++) {
    const glow = Math.max(into[4 * i], into[4 * i + 1], into[4 * i + 2]) / 255;
    const value = scaled[levels[i]] * (1 - COVERED * glow);
    for (let k = 0; k < 3; k++) into[4 * i + k] += value;
  }
}

function contrastTable({ low, high }: Channel): Float32Array {
  const range = Math.max(1, high - low);
  return Float32Array.from({ length: 256 }, (_, v) =>
    Math.min(255, Math.max(0, ((v - low) / range) * 255)),
  );
}

/** 1 on the border of an object. `rows` holds row + 1 of the object at each pixel, 0 for none. */
export function edgesOf(rows: Uint32Array, width: number): Uint8Array {
  const edges = new Uint8Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const own = rows[i];
    if (own === 0) continue;
    const isInner =
      rows[i + 1] === own &&
      rows[i - 1] === own &&
      rows[i + width] === own &&
      rows[i - width] === own;
    if (!isInner) edges[i] = 1;
  }
  return edges;
}

/** Objects in the colours of the map: outlined, filled where selected, ringed under the pointer. */
export function composeObjects(
  rows: Uint32Array,
  edges: Uint8Array,
  look: Lookup,
  into: Uint8ClampedArray,
): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] - 1;
    if (row < 0) continue;
    const at = 4 * (look.levels[row] ?? 0);
    if (look.palette[at + 3] === 0) continue;
    const isMarked = edges[i] === 1 && (row === look.hover || look.mask[row] === 1);
    const strength = isMarked ? 1 : strengthOf(row, edges[i] === 1, look);
    if (strength === 0) continue;
    const mark = row === look.hover ? HOVERED : SELECTED;
    for (let k = 0; k < 3; k++) {
      const color = isMarked ? mark[k] : look.palette[at + k];
      into[4 * i + k] += (color - into[4 * i + k]) * strength;
    }
  }
}

function strengthOf(row: number, isEdge: boolean, look: Lookup): number {
  if (look.mask[row] === 1) return FILL;
  if (!isEdge || !look.outlines) return 0;
  return look.hasSelection ? 0.25 : 0.8;
}
