// Events without payload: a listener reads the state that it needs, so a late listener misses
// nothing.

/** Calls `listener` when `signal` aborts. */
export function atEnd(signal: AbortSignal | undefined, listener: () => void): void {
  signal?.addEventListener("abort", listener, { once: true });
}

export class Emitter<Topic extends string> {
  private readonly listeners = new Map<Topic, Set<() => void>>();

  /** Calls `listener` at every `emit` of one of `topics`, until `signal` aborts. */
  on(topics: readonly Topic[], listener: () => void, signal: AbortSignal): void {
    for (const topic of topics) {
      const all = this.listeners.get(topic) ?? new Set();
      this.listeners.set(topic, all.add(listener));
      atEnd(signal, () => all.delete(listener));
    }
  }

  emit(topic: Topic): void {
    for (const listener of [...(this.listeners.get(topic) ?? [])]) listener();
  }

  /** The number of listeners; tests check that none leaks. */
  get size(): number {
    return [...this.listeners.values()].reduce((total, all) => total + all.size, 0);
  }
}
