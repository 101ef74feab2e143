import type { Room } from '@parley/client';
import { LogOut, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useChat } from '../contexts.ts';
import { Dialog } from '../controls/dialog.tsx';
import { Failure } from '../controls/failure.tsx';
import { useTask } from '../use-task.ts';

/** The ways out: members leave a room, its owner deletes it. */
export function LeaveSection({ room, isMine }: { room: Room; isMine: boolean }) {
  const chat = useChat();
  const [isAsking, setIsAsking] = useState(false);
  const leaving = useTask(() => chat.leave(room.id));
  const deleting = useTask(() => room.delete());
  const cancel = (): void => {
    setIsAsking(false);
  };

  if (!isMine) {
    return (
      <section className="details-section">
        <button
          type="button"
          className="button"
          disabled={leaving.isRunning}
          onClick={() => void leaving.run()}
        >
          <LogOut aria-hidden="true" /> Leave room
        </button>
        <Failure text={leaving.failure} />
      </section>
    );
  }
  return (
    <section className="details-section">
      <button
        type="button"
        className="button button-danger"
        onClick={() => {
          setIsAsking(true);
        }}
      >
        <Trash2 aria-hidden="true" /> Delete room
      </button>
      {isAsking && (
        <Dialog title={`Delete ${room.name}?`} onClose={cancel}>
          <div className="stack">
            <p>All its messages and files go with it, for everybody. This can’t be undone.</p>
            <Failure text={deleting.failure} />
            <div className="dialog-actions">
              <button type="button" className="button" onClick={cancel}>
                Keep it
              </button>
              <button
                type="button"
                className="button button-danger"
                disabled={deleting.isRunning}
                onClick={() => void deleting.run()}
              >
                Delete for everybody
              </button>
            </div>
          </div>
        </Dialog>
      )}
    </section>
  );
}
