import { LogOut, Monitor, Moon, Sun } from 'lucide-react';
import { useState, type SubmitEvent } from 'react';
import { theme } from '../../model/theme.ts';
import { useChat, useSession } from '../contexts.ts';
import { Dialog } from '../controls/dialog.tsx';
import { Field } from '../controls/field.tsx';
import { Segments } from '../controls/segments.tsx';
import { useObservable } from '../use-observable.ts';
import { useTask } from '../use-task.ts';

const themes = [
  {
    value: 'system',
    label: (
      <>
        <Monitor aria-hidden="true" /> System
      </>
    ),
  },
  {
    value: 'light',
    label: (
      <>
        <Sun aria-hidden="true" /> Light
      </>
    ),
  },
  {
    value: 'dark',
    label: (
      <>
        <Moon aria-hidden="true" /> Dark
      </>
    ),
  },
] as const;

/** What one can settle for oneself. */
export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const chosen = useObservable(theme.chosen);
  return (
    <Dialog title="You and this page" onClose={onClose}>
      <div className="stack">
        <NameForm />
        <Segments label="Appearance" options={themes} value={chosen} onChange={theme.choose} />
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => void session.signOut()}>
            <LogOut aria-hidden="true" /> Sign out
          </button>
        </div>
      </div>
    </Dialog>
  );
}

/** Guests may change their name, accounts are told why they can't. */
function NameForm() {
  const chat = useChat();
  const me = useObservable(chat.me);
  const [name, setName] = useState(me.name);
  const renaming = useTask(() => chat.client.rename(name));

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    void renaming.run();
  }

  if (!me.isGuest) {
    return (
      <div className="field">
        <span className="label">Your name</span>
        <p className="fixed-value">{me.name}</p>
        <p className="hint">The name of an account stays: it is what others invite you by.</p>
      </div>
    );
  }
  return (
    <form className="inline-form" onSubmit={submit}>
      <Field
        label="Your name"
        value={name}
        required
        maxLength={128}
        autoComplete="off"
        hint="As a guest you keep it until you sign out."
        failure={renaming.failure}
        onChange={(event) => {
          setName(event.target.value);
        }}
      />
      <button type="submit" className="button" disabled={renaming.isRunning || name === me.name}>
        Rename
      </button>
    </form>
  );
}
