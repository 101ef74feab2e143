/** Where a chat is shown and typed. */
export interface Screen extends Disposable {
  /** Shows finished text above whatever is being typed. */
  show(text: string): void;
  /**
   * Changes what stands around the line that is being typed.
   * @param status Lines above it.
   * @param prompt What it begins with.
   */
  surround(status: readonly string[], prompt: string): void;
  /** The lines as they are typed, until the person leaves. */
  lines(): AsyncIterable<string>;
}
