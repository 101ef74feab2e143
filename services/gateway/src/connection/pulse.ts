/** Whether the other end of a connection is still there: what it was pinged for, and what it answered. */
export class Pulse {
  /** Pings sent since the last pong. */
  missed = 0;
  #waiting: (() => void)[] = [];

  /** Resolves to true at the next pong, to false where none comes in time. */
  next(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const answered = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((other) => other !== answered);
        resolve(false);
      }, timeoutMs);
      this.#waiting.push(answered);
    });
  }

  /** Takes a pong. False where nobody asked for one. */
  take(): boolean {
    const isExpected = this.missed > 0 || this.#waiting.length > 0;
    this.missed = 0;
    for (const answered of this.#waiting.splice(0)) answered();
    return isExpected;
  }
}
