/** Tells listeners of events by name. What a listener throws reaches the runtime as uncaught, and nobody else. */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>();

  /** @returns What ends the listening; the signal does, too. */
  on<E extends keyof Events>(
    event: E,
    listener: (value: Events[E]) => void,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): () => void {
    if (signal?.aborted) return () => {};
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    // The same function may listen twice, and then ends twice.
    const own = (value: Events[E]) => {
      listener(value);
    };
    const end = () => {
      listeners.delete(own);
      signal?.removeEventListener('abort', end);
    };
    listeners.add(own);
    signal?.addEventListener('abort', end);
    return end;
  }

  emit<E extends keyof Events>(event: E, value: Events[E]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        (listener as (value: Events[E]) => void)(value);
      } catch (thrown) {
        queueMicrotask(() => {
          throw thrown;
        });
      }
    }
  }
}
