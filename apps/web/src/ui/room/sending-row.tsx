import { CircleAlert, Clock3 } from 'lucide-react';
import type { OutgoingMessage, Timeline } from '../../model/timeline.ts';
import { hueOf } from '../../model/names.ts';
import { timeOf } from '../../model/times.ts';
import { useChat } from '../contexts.ts';
import { Avatar } from '../controls/avatar.tsx';
import { useObservable } from '../use-observable.ts';
import { MessageText } from './message-text.tsx';

/** An own message that is on its way, or did not get through. */
export function SendingRow({
  send,
  startsGroup,
  timeline,
}: {
  send: OutgoingMessage;
  startsGroup: boolean;
  timeline: Timeline;
}) {
  const me = useObservable(useChat().me).name;
  return (
    <article
      className="message message-sending"
      data-starts-group={startsGroup}
      data-failed={send.failure !== undefined}
    >
      <div className="message-margin">{startsGroup && <Avatar name={me} />}</div>
      <div className="message-main">
        {startsGroup && (
          <header className="message-head">
            <span className={`message-sender hue-text hue-${hueOf(me)}`}>{me}</span>
            <time>{timeOf(send.at)}</time>
          </header>
        )}
        <MessageText content={send.content} />
        {send.failure !== undefined && (
          <p className="failure" role="alert">
            <CircleAlert aria-hidden="true" /> Not sent. {send.failure}
            <button type="button" className="link-button" onClick={() => void timeline.retry(send)}>
              Send again
            </button>
            <button
              type="button"
              className="link-button"
              onClick={() => {
                timeline.discard(send.key);
              }}
            >
              Discard
            </button>
          </p>
        )}
      </div>
      {send.failure === undefined && (
        <span className="mark" title="Sending" role="img" aria-label="Sending">
          <Clock3 aria-hidden="true" />
        </span>
      )}
    </article>
  );
}
