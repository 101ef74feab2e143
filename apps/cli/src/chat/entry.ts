import type { Message } from '@parley/client';
import { messageJson } from '../text/message-json.ts';
import { besideGutter } from '../text/gutter.ts';
import { messageForPeople, messageForPrograms } from '../text/message-text.ts';
import type { Look } from '../text/message-text.ts';
import { formatDay } from '../text/quantities.ts';
import { toJsonLine, toPlainLine, toPlainText } from '../text/plain-text.ts';

/** What a chat shows. */
export type ChatEntry =
  /** @property isCurrent Whether the person looks at its room. */
  | { type: 'message'; message: Message; isCurrent: boolean }
  /** The person looks at this room from now on. */
  | { type: 'room'; id: string; name: string; facts: string }
  | { type: 'day'; at: Date }
  /** What follows came while the person was elsewhere. */
  | { type: 'new' }
  | { type: 'notice'; text: string }
  | { type: 'error'; code: string; text: string }
  /** A command that was typed. */
  | { type: 'typed'; text: string };

/** An entry as it is written; undefined where it is not shown in this form. */
export type Render = (entry: ChatEntry) => string | undefined;

const noticeGutter = '    * ';

/** For a terminal, in colours. */
export function renderForPeople(look: () => Look): Render {
  return (entry) => {
    const { columns, paint } = look();
    switch (entry.type) {
      case 'message':
        return entry.isCurrent ? messageForPeople(entry.message, look()) : undefined;
      case 'room':
        return `\n${paint('bold', `── ${toPlainLine(entry.name)} ──`)} ${paint('dim', toPlainLine(entry.facts))}`;
      case 'day':
        return paint('dim', `      ${formatDay(entry.at)}`);
      case 'new':
        return paint('red', '      ── new ──');
      case 'notice':
        return paint('dim', besideGutter(noticeGutter, toPlainText(entry.text), columns));
      case 'error':
        return paint('red', besideGutter('    ! ', toPlainText(entry.text), columns));
      case 'typed':
        return paint('dim', toPlainText(entry.text));
    }
  };
}

/** Lines: those of messages begin with a time, others with `*`, errors with `!`. */
export const renderForPrograms: Render = (entry) => {
  switch (entry.type) {
    case 'message':
      return entry.isCurrent ? messageForPrograms(entry.message) : undefined;
    case 'room':
      return `* ${toPlainLine(entry.name)} (${entry.id}): ${toPlainLine(entry.facts)}`;
    case 'notice':
      return `* ${toPlainText(entry.text).replaceAll('\n', '\n* ')}`;
    case 'error':
      return `! ${toPlainLine(entry.text)}`;
    case 'day':
    case 'new':
    case 'typed':
      return undefined;
  }
};

/** JSON objects with a `type`; messages of all rooms. */
export const renderAsJson: Render = (entry) => {
  switch (entry.type) {
    case 'message':
      return toJsonLine({ type: 'message', ...messageJson(entry.message) });
    case 'room':
      return toJsonLine({ type: 'room', id: entry.id, name: entry.name });
    case 'notice':
    case 'error':
      return toJsonLine(entry);
    case 'day':
    case 'new':
    case 'typed':
      return undefined;
  }
};
