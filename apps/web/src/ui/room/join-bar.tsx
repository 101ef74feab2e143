import { useChat } from '../contexts.ts';
import { Failure } from '../controls/failure.tsx';
import { useTask } from '../use-task.ts';

/** In the composer's place while one is only looking. */
export function JoinBar({ roomId, name }: { roomId: string; name: string }) {
  const chat = useChat();
  const joining = useTask(() => chat.join(roomId));
  return (
    <div className="join-bar">
      <div>
        <p>
          You are looking at <strong>{name}</strong>. Join to write, and to see what is new as it comes.
        </p>
        <Failure text={joining.failure} />
      </div>
      <button
        type="button"
        className="button button-primary"
        disabled={joining.isRunning}
        onClick={() => void joining.run()}
      >
        Join room
      </button>
    </div>
  );
}
