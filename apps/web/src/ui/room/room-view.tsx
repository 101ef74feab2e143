import { useState } from 'react';
import { useChat } from '../contexts.ts';
import { useObservable } from '../use-observable.ts';
import { Composer } from './composer.tsx';
import { DropZone } from './drop-zone.tsx';
import { JoinBar } from './join-bar.tsx';
import { RoomHeader } from './room-header.tsx';
import { TimelineView } from './timeline-view.tsx';

/** The open room. */
export function RoomView({
  roomId,
  areDetailsOpen,
  onToggleDetails,
}: {
  roomId: string;
  areDetailsOpen: boolean;
  onToggleDetails: () => void;
}) {
  const chat = useChat();
  useObservable(chat.lists);
  const entry = chat.entry(roomId);
  const [timeline] = useState(() => chat.timeline(roomId));
  const name = entry?.name ?? '';
  const isIn = entry?.isIn ?? false;

  return (
    <main className="room" aria-label={name}>
      <RoomHeader entry={entry} areDetailsOpen={areDetailsOpen} onToggleDetails={onToggleDetails} />
      <DropZone isOpen={isIn} onDrop={(files) => void timeline.uploads.add(files)}>
        <TimelineView timeline={timeline} roomName={name} />
        {isIn ? (
          <Composer timeline={timeline} roomName={name} />
        ) : (
          entry && <JoinBar roomId={roomId} name={name} />
        )}
      </DropZone>
    </main>
  );
}
