import { besideGutter } from './gutter.ts';
import { colourOf } from './paint.ts';
import type { Paint } from './paint.ts';
import { toPlainLine, toPlainText } from './plain-text.ts';
import { formatBytes, formatTime } from './quantities.ts';

/** What is shown of a message. */
export interface ShownMessage {
  sender: string;
  content: string;
  sentAt: Date;
  file?: { name: string; size: number; type?: string | undefined } | undefined;
}

/** How it is shown. */
export interface Look {
  columns: number;
  paint: Paint;
}

/** A message for people: `09:05 anna: hello`, broken to the width. */
export function messageForPeople(message: ShownMessage, { columns, paint }: Look): string {
  const gutter = `${paint('dim', formatTime(message.sentAt))} `;
  const sender = toPlainLine(message.sender);
  const body = message.file
    ? `${paint(colourOf(sender), sender)} ${paint('cyan', describeFile(message.file))}`
    : `${paint(colourOf(sender), sender)}: ${toPlainText(message.content)}`;
  return besideGutter(gutter, body, columns);
}

/** A message for programs that read lines: `2026-11-21T09:05:00.000Z anna: hello`; its further lines begin with a tab. */
export function messageForPrograms(message: ShownMessage): string {
  const sender = toPlainLine(message.sender);
  const body = message.file ? ` ${describeFile(message.file)}` : `: ${toPlainText(message.content)}`;
  return `${message.sentAt.toISOString()} ${sender}${body.replaceAll('\n', '\n\t')}`;
}

function describeFile({ name, size, type }: NonNullable<ShownMessage['file']>): string {
  const kind = type ? `, ${toPlainLine(type)}` : '';
  return `sent a file: ${toPlainLine(name)} (${formatBytes(size)}${kind})`;
}
