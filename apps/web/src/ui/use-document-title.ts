import { useEffect } from 'react';
import { useChat } from './contexts.ts';
import { useObservable } from './use-observable.ts';

/** Shows in the browser's tab how much is unread. */
export function useDocumentTitle(): void {
  const { mine } = useObservable(useChat().lists);
  const unread = mine.reduce((sum, room) => sum + room.unread, 0);
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Parley` : 'Parley';
    return () => {
      document.title = 'Parley';
    };
  }, [unread]);
}
