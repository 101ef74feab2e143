import { useState } from 'react';
import { ConnectionLine } from './connection-line.tsx';
import { useChat } from './contexts.ts';
import { DetailsPanel } from './details/details-panel.tsx';
import { LiveRegion } from './live-region.tsx';
import { Notices } from './notices.tsx';
import { NoRoom } from './room/no-room.tsx';
import { RoomView } from './room/room-view.tsx';
import { Sidebar } from './sidebar/sidebar.tsx';
import { useDocumentTitle } from './use-document-title.ts';
import { useObservable } from './use-observable.ts';

/** The rooms, and the one that is open; on a narrow screen one or the other. */
export function ChatScreen() {
  const chat = useChat();
  const roomId = useObservable(chat.openRoomId);
  const { mine } = useObservable(chat.lists);
  const [areDetailsOpen, setAreDetailsOpen] = useState(false);
  const isIn = mine.some(({ id }) => id === roomId);
  useDocumentTitle();

  return (
    <div className="chat" data-showing={roomId === undefined ? 'rooms' : 'room'}>
      <div className="chat-status">
        <ConnectionLine note="What you send meanwhile is kept." />
      </div>
      <Sidebar />
      {roomId === undefined ? (
        <NoRoom />
      ) : (
        <RoomView
          key={roomId}
          roomId={roomId}
          areDetailsOpen={areDetailsOpen}
          onToggleDetails={() => {
            setAreDetailsOpen(!areDetailsOpen);
          }}
        />
      )}
      {roomId !== undefined && isIn && areDetailsOpen && (
        <DetailsPanel
          key={`details-${roomId}`}
          roomId={roomId}
          onClose={() => {
            setAreDetailsOpen(false);
          }}
        />
      )}
      <Notices />
      <LiveRegion />
    </div>
  );
}
