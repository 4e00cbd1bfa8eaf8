// Pictures of samples, asked for in sheets: those that are needed, and while none is, those near the
// pointer, so that they are there before it is. Each of the two has one sheet on the way at a time,
// which paces the asking to the line: a slow one is never filled with what nobody looks at any more.

const MOST_NEEDED = 256;
const MOST_AHEAD = 16;
const PATIENCE_MS = 1000; // then a sheet is not coming: the samples changed, or the kernel is busy

export class SheetRequests {
  private needed = new Set<number>();
  private ahead: number[] = [];
  private readonly neededSheet = new Sheet();
  private readonly aheadSheet = new Sheet();
  private timer = 0;
  private isDue = false;

  /** `has` tells of pictures that are there, `ask` sends for some. */
  constructor(
    private readonly has: (row: number) => boolean,
    private readonly ask: (rows: number[]) => void,
    signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => clearTimeout(this.timer), { once: true });
  }

  /** What several panels want at the same time travels in one sheet. */
  want(rows: Iterable<number>): void {
    for (const row of rows) this.needed.add(row);
    this.sendSoon();
  }

  /** Asked for once, while the pointer is there; the nearest first. */
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
    if (!this.neededSheet.isOnTheWay(now)) {
      const rows = this.missing(this.needed).slice(-MOST_NEEDED); // the latest
      this.needed.clear();
      this.sendFor(rows, this.neededSheet, now);
    }
    if (!this.neededSheet.isOnTheWay(now) && !this.aheadSheet.isOnTheWay(now)) {
      const rows = this.missing(this.ahead);
      this.ahead = rows.splice(MOST_AHEAD);
      this.sendFor(rows, this.aheadSheet, now);
    }
    clearTimeout(this.timer);
    const waits = this.needed.size > 0 || this.ahead.length > 0;
    if (waits) this.timer = window.setTimeout(() => this.send(), PATIENCE_MS);
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

  isOnTheWay(now: number): boolean {
    return this.rows.size > 0 && now - this.askedAt < PATIENCE_MS;
  }

  clear(): void {
    this.rows = new Set();
  }
}
