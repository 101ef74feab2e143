import { useChat } from './contexts.ts';
import { useObservable } from './use-observable.ts';

/** Tells those who listen what is said in the open room. The list itself can't: it is also filled by scrolling. */
export function LiveRegion() {
  const message = useObservable(useChat().heard);
  return (
    <div className="visually-hidden" role="log" aria-label="New messages" aria-live="polite">
      {message && <p key={`${message.roomId}-${message.id}`}>{`${message.sender}: ${message.content}`}</p>}
    </div>
  );
}
