/** Whether there is most likely a real keyboard. Elsewhere one that gets the focus unasked covers half of the screen. */
export function hasKeyboard(): boolean {
  return matchMedia('(hover: hover) and (pointer: fine)').matches;
}
