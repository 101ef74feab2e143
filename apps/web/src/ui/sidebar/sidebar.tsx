import { Plus, Search, Settings } from 'lucide-react';
import { useState } from 'react';
import type { RoomEntry } from '../../model/chat.ts';
import { useChat } from '../contexts.ts';
import { Avatar } from '../controls/avatar.tsx';
import { IconButton } from '../controls/icon-button.tsx';
import { useObservable } from '../use-observable.ts';
import { NewRoomDialog } from './new-room-dialog.tsx';
import { RoomLink } from './room-link.tsx';
import { SettingsDialog } from './settings-dialog.tsx';

/** All rooms one can go to, and who one is. */
export function Sidebar() {
  const chat = useChat();
  const { isLoaded, mine, others } = useObservable(chat.lists);
  const me = useObservable(chat.me);
  const [search, setSearch] = useState('');
  const [dialog, setDialog] = useState<'new-room' | 'settings'>();
  const found = (rooms: readonly RoomEntry[]) => rooms.filter(({ name }) => isMatch(name, search));
  const closeDialog = (): void => {
    setDialog(undefined);
  };

  return (
    <nav className="sidebar" aria-label="Rooms">
      <header className="sidebar-header">
        <h1>Parley</h1>
        <IconButton
          label="New room"
          onClick={() => {
            setDialog('new-room');
          }}
        >
          <Plus />
        </IconButton>
      </header>
      <div className="search">
        <Search aria-hidden="true" />
        <input
          type="search"
          className="input"
          placeholder="Find a room"
          aria-label="Find a room"
          value={search}
          onChange={(event) => {
            setSearch(event.target.value);
          }}
        />
      </div>
      <div className="room-lists">
        <RoomList title="Your rooms" rooms={found(mine)}>
          {isLoaded && mine.length === 0 && (
            <p className="hint">None yet. Join a public room, or make one.</p>
          )}
        </RoomList>
        <RoomList title="Public rooms" rooms={found(others)}>
          {isLoaded && others.length === 0 && <p className="hint">You are in all there are.</p>}
        </RoomList>
        {search !== '' && found([...mine, ...others]).length === 0 && (
          <p className="hint" role="status">
            No room is called like “{search}”.
          </p>
        )}
      </div>
      <button
        type="button"
        className="me"
        onClick={() => {
          setDialog('settings');
        }}
      >
        <Avatar name={me.name} />
        <span className="me-name">
          <span className="me-title">{me.name}</span>
          <span className="me-kind">{me.isGuest ? 'Guest' : 'Account'}</span>
        </span>
        <Settings aria-hidden="true" />
        <span className="visually-hidden">: settings</span>
      </button>
      {dialog === 'new-room' && <NewRoomDialog onClose={closeDialog} />}
      {dialog === 'settings' && <SettingsDialog onClose={closeDialog} />}
    </nav>
  );
}

function RoomList({
  title,
  rooms,
  children,
}: {
  title: string;
  rooms: readonly RoomEntry[];
  children: React.ReactNode;
}) {
  return (
    <section className="room-list" aria-label={title}>
      <h2>{title}</h2>
      {children}
      {rooms.length > 0 && (
        <ul>
          {rooms.map((room) => (
            <li key={room.id}>
              <RoomLink room={room} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function isMatch(name: string, search: string): boolean {
  return name.toLocaleLowerCase().includes(search.trim().toLocaleLowerCase());
}
