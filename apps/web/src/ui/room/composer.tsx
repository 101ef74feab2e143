import { Paperclip, SendHorizontal, Smile } from 'lucide-react';
import { useEffect, useLayoutEffect, useRef, useState, type ClipboardEvent, type KeyboardEvent } from 'react';
import type { Timeline } from '../../model/timeline.ts';
import { IconButton } from '../controls/icon-button.tsx';
import { hasKeyboard } from '../has-keyboard.ts';
import { isTyping } from '../is-typing.ts';
import { EmojiPicker } from './emoji-picker.tsx';

/** Longest message, in code points. */
const maxCharacters = 8_192;
/** From here on one is told how much is left. */
const tellLeftBelow = 500;

/** Where one writes. Enter sends, Shift and Enter begin a new line. */
export function Composer({ timeline, roomName }: { timeline: Timeline; roomName: string }) {
  const [text, setText] = useState('');
  const [isPicking, setIsPicking] = useState(false);
  const input = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const left = maxCharacters - Array.from(text).length;

  useEffect(() => {
    if (hasKeyboard() && !isTyping()) input.current?.focus();
  }, []);
  useLayoutEffect(() => {
    const area = input.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${area.scrollHeight}px`;
  }, [text]);

  function send(): void {
    if (text.trim() === '' || left < 0) return;
    void timeline.send(text);
    setText('');
    input.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    // While a word is being composed, Enter is the word's.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  }

  function onPaste(event: ClipboardEvent): void {
    const pasted = [...event.clipboardData.files];
    if (pasted.length === 0) return;
    event.preventDefault();
    void timeline.uploads.add(pasted, { arePasted: true });
  }

  function insert(emoji: string): void {
    const area = input.current;
    if (!area) return;
    area.setRangeText(emoji, area.selectionStart, area.selectionEnd, 'end');
    setText(area.value);
    area.focus();
  }

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <input
        ref={files}
        type="file"
        multiple
        hidden
        onChange={(event) => {
          void timeline.uploads.add([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
      <div className="composer-box">
        <IconButton label="Share files" onClick={() => files.current?.click()}>
          <Paperclip />
        </IconButton>
        <textarea
          ref={input}
          rows={1}
          value={text}
          dir="auto"
          placeholder={`Message ${roomName}`}
          aria-label={`Message ${roomName}`}
          aria-describedby="composer-note"
          onChange={(event) => {
            setText(event.target.value);
          }}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        <IconButton
          label="Emoji"
          aria-expanded={isPicking}
          onClick={() => {
            setIsPicking(!isPicking);
          }}
        >
          <Smile />
        </IconButton>
        <button
          type="submit"
          className="icon-button send"
          aria-label="Send"
          title="Send"
          disabled={text.trim() === '' || left < 0}
        >
          <SendHorizontal />
        </button>
        {isPicking && (
          <EmojiPicker
            onPick={insert}
            onClose={() => {
              setIsPicking(false);
              input.current?.focus();
            }}
          />
        )}
      </div>
      <p id="composer-note" className="composer-note" data-over={left < 0}>
        {left < tellLeftBelow ? leftText(left) : 'Enter sends, Shift + Enter begins a new line'}
      </p>
    </form>
  );
}

function leftText(left: number): string {
  return left >= 0 ? `${left} characters left` : `${-left} characters too many: split it in two messages`;
}
