// Requests that follow a pointer: a few on the way, so that a long way costs delay but no pictures,
// and the latest place next; places between are not worth an answer.

import type { Point } from "./geometry";

const MOST_ON_THE_WAY = 4;

export class LatestOnly {
  private readonly onTheWay = new Map<number, number>(); // when each was asked
  private next: Point | null = null;
  /** How long the last answer took. */
  ms = 0;

  /** `ask` sends the request and gives its number, larger than those before. */
  constructor(private readonly ask: (x: number, y: number) => number) {}

  want(x: number, y: number): void {
    if (this.onTheWay.size >= MOST_ON_THE_WAY) this.next = [x, y];
    else this.onTheWay.set(this.ask(x, y), performance.now());
  }

  /** Those asked before are answered too: a kernel passes over places when there is a later one. */
  answered(req: number): void {
    const askedAt = this.onTheWay.get(req);
    if (askedAt === undefined) return;
    this.ms = performance.now() - askedAt;
    for (const earlier of this.onTheWay.keys()) if (earlier <= req) this.onTheWay.delete(earlier);
    const { next } = this;
    this.next = null;
    if (next) this.want(next[0], next[1]);
  }

  /** Nothing will come, or nobody wants it any more. */
  giveUp(): void {
    this.onTheWay.clear();
    this.next = null;
  }
}
