import { X } from 'lucide-react';
import { useChat } from './contexts.ts';
import { IconButton } from './controls/icon-button.tsx';
import { useObservable } from './use-observable.ts';

/** What happened to the user without its doing. */
export function Notices() {
  const chat = useChat();
  const notices = useObservable(chat.notices);
  return (
    <div className="notices" role="status">
      {notices.map(({ id, text }) => (
        <div key={id} className="notice">
          <p>{text}</p>
          <IconButton
            label="Dismiss"
            onClick={() => {
              chat.dismiss(id);
            }}
          >
            <X />
          </IconButton>
        </div>
      ))}
    </div>
  );
}
