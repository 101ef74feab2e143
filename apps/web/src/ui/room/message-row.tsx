import type { Message, Room } from '@parley/client';
import { CheckCheck, Check } from 'lucide-react';
import { memo } from 'react';
import { hueOf } from '../../model/names.ts';
import { momentOf, timeOf } from '../../model/times.ts';
import { Avatar } from '../controls/avatar.tsx';
import { FileCard } from './file-card.tsx';
import { MessageText } from './message-text.tsx';

/**
 * One message.
 * @param readers Of an own message: who has it, perhaps nobody yet. Undefined for those of others.
 */
export const MessageRow = memo(function MessageRow({
  message,
  room,
  startsGroup,
  readers,
}: {
  message: Message;
  room: Room;
  startsGroup: boolean;
  readers: string | undefined;
}) {
  const { sender, content, sentAt, file } = message;
  const time = (
    <time dateTime={sentAt.toISOString()} title={momentOf(sentAt)}>
      {timeOf(sentAt)}
    </time>
  );
  return (
    <article className="message" data-starts-group={startsGroup} aria-label={`${sender}, ${timeOf(sentAt)}`}>
      <div className="message-margin">{startsGroup ? <Avatar name={sender} /> : time}</div>
      <div className="message-main">
        {startsGroup && (
          <header className="message-head">
            <span className={`message-sender hue-text hue-${hueOf(sender)}`}>{sender}</span>
            {time}
          </header>
        )}
        {file ? <FileCard file={file} room={room} /> : <MessageText content={content} />}
      </div>
      {readers !== undefined && <Mark readers={readers} />}
    </article>
  );
});

/** How far an own message has come. */
function Mark({ readers }: { readers: string }) {
  if (readers === '') {
    return (
      <span className="mark" title="Sent" role="img" aria-label="Sent">
        <Check aria-hidden="true" />
      </span>
    );
  }
  return (
    <span
      className="mark mark-delivered"
      title={`Delivered to ${readers}`}
      role="img"
      aria-label={`Delivered to ${readers}`}
    >
      <CheckCheck aria-hidden="true" />
    </span>
  );
}
