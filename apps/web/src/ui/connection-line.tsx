import { LoaderCircle, WifiOff } from 'lucide-react';
import { useSession } from './contexts.ts';
import { useNow } from './use-now.ts';
import { useObservable } from './use-observable.ts';

/** What is the matter with the connection and what is being done about it; nothing while all is well. @param note What it means for the user. */
export function ConnectionLine({ note = '' }: { note?: string }) {
  const session = useSession();
  const connection = useObservable(session.connection);
  const now = useNow(connection.status === 'waiting');

  if (connection.status === 'connecting' && connection.attempt > 1) {
    return (
      <p className="connection-line" role="status">
        <LoaderCircle className="spinning" aria-hidden="true" />
        <span>Connecting again, attempt {connection.attempt} …</span>
      </p>
    );
  }
  if (connection.status !== 'waiting') return null;
  const seconds = Math.max(0, Math.ceil((connection.retryAt - now) / 1_000));
  return (
    <p className="connection-line" role="status">
      <WifiOff aria-hidden="true" />
      <span>
        No connection: {connection.reason} {/* Not told each second to those who listen. */}
        <span aria-hidden="true">Next attempt in {seconds} s. </span>
        {note}
      </span>
      <button
        type="button"
        className="button button-small"
        onClick={() => {
          session.reconnect();
        }}
      >
        Try now
      </button>
    </p>
  );
}
