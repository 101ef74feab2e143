import { tokenize } from 'linkifyjs';

/** A part of a message: plain text, or a link and where it leads. */
export type TextPart = { text: string; href?: string };

/** Schemes that a click may open. */
const safeHref = /^(?:https?|mailto):/i;

/** The message in parts, in order; together they are the message. */
export function textParts(content: string): TextPart[] {
  const parts: TextPart[] = [];
  for (const token of tokenize(content)) {
    const text = token.toString();
    const href = token.isLink ? token.toHref('https') : undefined;
    const last = parts.at(-1);
    if (href !== undefined && safeHref.test(href)) parts.push({ text, href });
    else if (last && last.href === undefined) last.text += text;
    else parts.push({ text });
  }
  return parts;
}

/** Whether it is nothing but one to three emoji, which are shown large. */
export function isEmojiOnly(content: string): boolean {
  return /^\s*(?:\p{RGI_Emoji}\s*){1,3}$/v.test(content);
}
