// Requests pictures of samples in sheets: first those that are needed, then in advance those near
// the pointer. Each of the two has one unanswered sheet at a time, so a slow connection is not
// filled with pictures that are no longer needed.

import { atEnd } from "./emitter";

const MOST_NEEDED = 256; // the kernel refuses more (MOST_THUMBNAILS)
const MOST_AHEAD = 16;
const TIMEOUT_MS = 1000; // then the sheet is given up: the samples changed, or the kernel is busy

export class SheetRequests {
  private needed = new Set<number>();
  private ahead: number[] = [];
  private readonly neededSheet = new Sheet();
  private readonly aheadSheet = new Sheet();
  private timer = 0;
  private isDue = false;

  /** `has` is true for pictures that are cached, `ask` requests some. */
  constructor(
    private readonly has: (row: number) => boolean,
    private readonly ask: (rows: number[]) => void,
    signal: AbortSignal,
  ) {
    atEnd(signal, () => clearTimeout(this.timer));
  }

  /** Requests of several panels at the same time are sent as one sheet. */
  want(rows: Iterable<number>): void {
    for (const row of rows) this.needed.add(row);
    this.sendSoon();
  }

  /** Requested once, the nearest first; a later call replaces the rest. */
  lookAhead(rows: number[]): void {
    this.ahead = rows;
    this.sendSoon();
  }

  arrived(rows: number[]): void {
    for (const sheet of [this.neededSheet, this.aheadSheet]) {
      if (rows.some((row) => sheet.rows.has(row))) sheet.clear();
    }
    this.sendSoon();
  }

  private sendSoon(): void {
    if (this.isDue) return;
    this.isDue = true;
    queueMicrotask(() => {
      this.isDue = false;
      this.send();
    });
  }

  private send(): void {
    const now = performance.now();
    if (!this.neededSheet.isPending(now)) {
      const rows = this.missing(this.needed).slice(-MOST_NEEDED); // the latest
      this.needed.clear();
      this.sendFor(rows, this.neededSheet, now);
    }
    if (!this.neededSheet.isPending(now) && !this.aheadSheet.isPending(now)) {
      const rows = this.missing(this.ahead);
      this.ahead = rows.splice(MOST_AHEAD);
      this.sendFor(rows, this.aheadSheet, now);
    }
    clearTimeout(this.timer);
    const waits = this.needed.size > 0 || this.ahead.length > 0;
    if (waits) this.timer = window.setTimeout(() => this.send(), TIMEOUT_MS);
  }

  private missing(rows: Iterable<number>): number[] {
    const isComing = (row: number) => this.neededSheet.rows.has(row) || this.aheadSheet.rows.has(row);
    return [...rows].filter((row) => !this.has(row) && !isComing(row));
  }

  private sendFor(rows: number[], sheet: Sheet, now: number): void {
    sheet.clear();
    if (rows.length === 0) return;
    sheet.rows = new Set(rows);
    sheet.askedAt = now;
    this.ask(rows);
  }
}

class Sheet {
  rows = new Set<number>();
  askedAt = 0;

  isPending(now: number): boolean {
    return this.rows.size > 0 && now - this.askedAt < TIMEOUT_MS;
  }

  clear(): void {
    this.rows = new Set();
  }
}
