/** Whether somebody is writing somewhere: the focus is not taken from there unasked. */
export function isTyping(): boolean {
  return document.activeElement?.matches('input, textarea') ?? false;
}
