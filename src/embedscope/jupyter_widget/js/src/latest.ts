// Requests that follow a pointer: a few unanswered at a time, so that a slow connection delays the
// pictures but does not reduce them, then the latest point. Points in between are skipped.

import type { Point } from "./geometry";

const MOST_PENDING = 4;

export class LatestOnly {
  private readonly pending = new Map<number, number>(); // when each was sent
  private next: Point | null = null;
  private latest: Point | null = null;
  /** Time of the last answer. */
  ms = 0;

  /** `ask` sends a request and returns its number; numbers grow. */
  constructor(private readonly ask: (x: number, y: number) => number) {}

  /** The point that was wanted last; null once it is answered. */
  get awaited(): Point | null {
    return this.pending.size > 0 ? this.latest : null;
  }

  want(x: number, y: number): void {
    this.latest = [x, y];
    if (this.pending.size >= MOST_PENDING) this.next = [x, y];
    else this.pending.set(this.ask(x, y), performance.now());
  }

  /** Earlier requests count as answered: the kernel skips points when there is a later one. */
  answered(req: number): void {
    const askedAt = this.pending.get(req);
    if (askedAt === undefined) return;
    this.ms = performance.now() - askedAt;
    for (const earlier of this.pending.keys()) if (earlier <= req) this.pending.delete(earlier);
    const { next } = this;
    this.next = null;
    if (next) this.want(next[0], next[1]);
  }

  /** No answer will arrive, or none is needed. */
  giveUp(): void {
    this.pending.clear();
    this.next = null;
  }
}
