import type { Message } from '@parley/client';
import type { OutgoingMessage, TimelineState, Upload } from './timeline.ts';

/** What stands in one line of the room, from the oldest down. */
export type Row =
  | { kind: 'beginning'; key: string; isEmpty: boolean }
  | { kind: 'day'; key: string; date: Date }
  | { kind: 'unread'; key: string }
  | { kind: 'message'; key: string; message: Message; startsGroup: boolean }
  | { kind: 'sending'; key: string; send: OutgoingMessage; startsGroup: boolean }
  | { kind: 'upload'; key: string; upload: Upload };

/** Messages of one sender stand together unless there is more than this between them, in ms. */
const groupGapMs = 5 * 60_000;

/** The rows of a room. @param me Whose name is above what is being sent. */
export function rowsOf(state: TimelineState, me: string): Row[] {
  const rows: Row[] = [];
  const isReady = state.status === 'ready';
  if (isReady && !state.hasOlder) {
    const isEmpty = state.messages.length + state.sends.length === 0;
    rows.push({ kind: 'beginning', key: 'beginning', isEmpty });
  }
  let previous: { sender: string; at: Date } | undefined;
  let isUnreadShown = state.readUpTo === undefined;

  // Before that there may be holes among them.
  for (const message of isReady ? state.messages : []) {
    const { id, sender, sentAt } = message;
    if (!previous || !isSameDay(previous.at, sentAt)) {
      rows.push({ kind: 'day', key: `day-${id}`, date: sentAt });
      previous = undefined;
    }
    if (!isUnreadShown && id > (state.readUpTo ?? 0) && sender !== me) {
      rows.push({ kind: 'unread', key: 'unread' });
      isUnreadShown = true;
      previous = undefined;
    }
    rows.push({
      kind: 'message',
      key: `m${id}`,
      message,
      startsGroup: startsGroup(previous, sender, sentAt),
    });
    previous = { sender, at: sentAt };
  }
  for (const send of state.sends) {
    if (!previous || !isSameDay(previous.at, send.at)) {
      rows.push({ kind: 'day', key: `day-${send.key}`, date: send.at });
      previous = undefined;
    }
    rows.push({ kind: 'sending', key: send.key, send, startsGroup: startsGroup(previous, me, send.at) });
    previous = { sender: me, at: send.at };
  }
  for (const upload of state.uploads) rows.push({ kind: 'upload', key: upload.key, upload });
  return rows;
}

function startsGroup(previous: { sender: string; at: Date } | undefined, sender: string, at: Date): boolean {
  return previous?.sender !== sender || at.getTime() - previous.at.getTime() > groupGapMs;
}

/** By the clock of whoever reads. */
function isSameDay(one: Date, other: Date): boolean {
  return (
    one.getDate() === other.getDate() &&
    one.getMonth() === other.getMonth() &&
    one.getFullYear() === other.getFullYear()
  );
}
