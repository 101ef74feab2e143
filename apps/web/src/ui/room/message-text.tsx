import { isEmojiOnly, textParts } from '../../model/links.ts';

/** What was said, as it was typed; links can be followed. */
export function MessageText({ content }: { content: string }) {
  return (
    <p className="message-text" data-emoji={isEmojiOnly(content)} dir="auto">
      {textParts(content).map(({ text, href }, index) =>
        href === undefined ? (
          text
        ) : (
          <a key={index} href={href} target="_blank" rel="noopener noreferrer">
            {text}
          </a>
        ),
      )}
    </p>
  );
}
