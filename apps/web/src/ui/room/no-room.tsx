import { MessagesSquare } from 'lucide-react';

/** In the room's place while none is open. */
export function NoRoom() {
  return (
    <main className="room room-none">
      <div className="empty">
        <MessagesSquare aria-hidden="true" />
        <h2>Pick a room</h2>
        <p>
          Public rooms can be read before you join them. Or make one of your own with the plus above the list.
        </p>
      </div>
    </main>
  );
}
