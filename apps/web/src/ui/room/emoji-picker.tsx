import dataUrl from 'emoji-picker-element-data/en/emojibase/data.json?url';
import type { EmojiClickEvent } from 'emoji-picker-element/shared';
import { useEffect, useRef } from 'react';
import { hasKeyboard } from '../has-keyboard.ts';

/** All emoji, by group and by search. Loaded when it is first opened; Escape and a click elsewhere close it. */
export function EmojiPicker({ onPick, onClose }: { onPick: (emoji: string) => void; onClose: () => void }) {
  const host = useRef<HTMLDivElement>(null);
  const handlers = useRef({ onPick, onClose });
  useEffect(() => {
    handlers.current = { onPick, onClose };
  });

  useEffect(() => {
    const closing = new AbortController();
    const { signal } = closing;
    const place = host.current!;
    void import('emoji-picker-element').then(({ Picker }) => {
      if (signal.aborted) return;
      const picker = new Picker({ dataSource: dataUrl });
      picker.addEventListener(
        'emoji-click',
        ({ detail }: EmojiClickEvent) => {
          if (detail.unicode !== undefined) handlers.current.onPick(detail.unicode);
        },
        { signal },
      );
      place.replaceChildren(picker);
      if (hasKeyboard()) focusSearch(picker, signal);
    });
    document.addEventListener(
      'keydown',
      (event) => {
        if (event.key === 'Escape') handlers.current.onClose();
      },
      { signal },
    );
    document.addEventListener(
      'mousedown',
      (event) => {
        if (!place.parentElement?.contains(event.target as Node)) handlers.current.onClose();
      },
      { signal },
    );
    return () => {
      closing.abort();
      place.replaceChildren();
    };
  }, []);

  return <div ref={host} className="emoji-picker" role="dialog" aria-label="Emoji" />;
}

/** The picker renders itself a little later. */
function focusSearch(picker: HTMLElement, signal: AbortSignal): void {
  const search = picker.shadowRoot?.querySelector('input');
  if (search) search.focus();
  else if (!signal.aborted)
    requestAnimationFrame(() => {
      if (hasKeyboard()) focusSearch(picker, signal);
    });
}
