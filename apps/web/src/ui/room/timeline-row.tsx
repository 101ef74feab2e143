import { Sprout } from 'lucide-react';
import { dayOf } from '../../model/times.ts';
import type { Row } from '../../model/rows.ts';
import type { Timeline } from '../../model/timeline.ts';
import { useChat } from '../contexts.ts';
import { useObservable } from '../use-observable.ts';
import { MessageRow } from './message-row.tsx';
import { SendingRow } from './sending-row.tsx';
import { UploadRow } from './upload-row.tsx';

/** One line of the room, whatever it is. */
export function TimelineRow({
  row,
  timeline,
  receipts,
}: {
  row: Row;
  timeline: Timeline;
  receipts: ReadonlyMap<string, number>;
}) {
  const me = useObservable(useChat().me).name;
  switch (row.kind) {
    case 'beginning':
      return (
        <div className="beginning">
          <Sprout aria-hidden="true" />
          <p>{row.isEmpty ? 'Nothing has been said here yet.' : 'This is where the room begins.'}</p>
        </div>
      );
    case 'day':
      return (
        <div className="day">
          <span>{dayOf(row.date, new Date())}</span>
        </div>
      );
    case 'unread':
      return (
        <div className="unread-line">
          <span>New</span>
        </div>
      );
    case 'message': {
      const { message, startsGroup } = row;
      const readers = message.sender === me ? readersOf(receipts, message.id, me) : undefined;
      return (
        <MessageRow message={message} room={timeline.room} startsGroup={startsGroup} readers={readers} />
      );
    }
    case 'sending':
      return <SendingRow send={row.send} startsGroup={row.startsGroup} timeline={timeline} />;
    case 'upload':
      return <UploadRow upload={row.upload} uploads={timeline.uploads} />;
  }
}

/** Who has the message, as one text; empty: nobody that is known. */
function readersOf(receipts: ReadonlyMap<string, number>, messageId: number, me: string): string {
  const readers = [...receipts].filter(([name, id]) => id >= messageId && name !== me);
  return readers.map(([name]) => name).join(', ');
}
