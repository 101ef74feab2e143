import { Hash, Lock, Users } from 'lucide-react';
import type { RoomEntry } from '../../model/chat.ts';
import { useChat } from '../contexts.ts';
import { useObservable } from '../use-observable.ts';

/** The most that a badge counts. */
const maxBadge = 99;

/** One room of the list: leads there, and says what is going on in it. */
export function RoomLink({ room: { id, name, visibility, users, unread } }: { room: RoomEntry }) {
  const chat = useChat();
  const isOpen = useObservable(chat.openRoomId) === id;
  return (
    <button
      type="button"
      className="room-link"
      data-unread={unread > 0}
      aria-current={isOpen ? 'page' : undefined}
      onClick={() => {
        chat.open(id);
      }}
    >
      {visibility === 'private' ? <Lock aria-hidden="true" /> : <Hash aria-hidden="true" />}
      <span className="room-link-name">{name}</span>
      {visibility === 'private' && <span className="visually-hidden">, private</span>}
      {unread > 0 && (
        <span className="badge">
          {unread > maxBadge ? `${maxBadge}+` : unread}
          <span className="visually-hidden"> unread</span>
        </span>
      )}
      {users !== undefined && (
        <span className="room-link-users" title={usersHere(users)}>
          <Users aria-hidden="true" />
          {users}
          <span className="visually-hidden"> here now</span>
        </span>
      )}
    </button>
  );
}

export function usersHere(users: number): string {
  return users === 1 ? '1 person here now' : `${users} people here now`;
}
