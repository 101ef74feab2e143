import { X } from 'lucide-react';
import { useState } from 'react';
import { useChat } from '../contexts.ts';
import { IconButton } from '../controls/icon-button.tsx';
import { useObservable } from '../use-observable.ts';
import { FilesSection } from './files-section.tsx';
import { LeaveSection } from './leave-section.tsx';
import { NameSection } from './name-section.tsx';
import { PeopleSection } from './people-section.tsx';

/** What the room is, who and what is in it, and what may be done with it. */
export function DetailsPanel({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const chat = useChat();
  useObservable(chat.lists);
  const [room] = useState(() => chat.client.room(roomId));
  return (
    <aside className="details" aria-label="Room details">
      <header className="details-header">
        <h2>Room details</h2>
        <IconButton label="Close room details" onClick={onClose}>
          <X />
        </IconButton>
      </header>
      <div className="details-body">
        <NameSection room={room} />
        <PeopleSection room={room} />
        <FilesSection room={room} />
        <LeaveSection room={room} isMine={room.isMine} />
      </div>
    </aside>
  );
}
