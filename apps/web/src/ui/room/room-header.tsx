import { ArrowLeft, Hash, Info, Lock } from 'lucide-react';
import type { RoomEntry } from '../../model/chat.ts';
import { useChat } from '../contexts.ts';
import { IconButton } from '../controls/icon-button.tsx';
import { usersHere } from '../sidebar/room-link.tsx';

/** Which room it is, and the way to its details. */
export function RoomHeader({
  entry,
  areDetailsOpen,
  onToggleDetails,
}: {
  entry: RoomEntry | undefined;
  areDetailsOpen: boolean;
  onToggleDetails: () => void;
}) {
  const chat = useChat();
  return (
    <header className="room-header">
      <IconButton
        label="Back to the rooms"
        className="only-narrow"
        onClick={() => {
          chat.open(undefined);
        }}
      >
        <ArrowLeft />
      </IconButton>
      {entry && (
        <div className="room-title">
          <h1>
            {entry.visibility === 'private' ? <Lock aria-hidden="true" /> : <Hash aria-hidden="true" />}
            <span>{entry.name}</span>
          </h1>
          <p>{entry.visibility === 'private' ? 'Private room' : usersHere(entry.users ?? 0)}</p>
        </div>
      )}
      {entry?.isIn && (
        <IconButton label="Room details" aria-expanded={areDetailsOpen} onClick={onToggleDetails}>
          <Info />
        </IconButton>
      )}
    </header>
  );
}
