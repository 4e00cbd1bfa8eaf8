// Requests that follow a pointer: one in flight, the latest place next; places between are not worth
// an answer.

import type { Point } from "./geometry";

export class LatestOnly {
  private inFlight = 0;
  private askedAt = 0;
  private next: Point | null = null;
  /** How long the last answer took. */
  ms = 0;

  /** `ask` sends the request and gives its number. */
  constructor(private readonly ask: (x: number, y: number) => number) {}

  want(x: number, y: number): void {
    if (this.inFlight) {
      this.next = [x, y];
      return;
    }
    this.askedAt = performance.now();
    this.inFlight = this.ask(x, y);
  }

  answered(req: number): void {
    if (req !== this.inFlight) return;
    this.ms = performance.now() - this.askedAt;
    this.inFlight = 0;
    const { next } = this;
    this.next = null;
    if (next) this.want(next[0], next[1]);
  }

  /** Nothing will come, or nobody wants it any more. */
  giveUp(): void {
    this.inFlight = 0;
    this.next = null;
  }
}
