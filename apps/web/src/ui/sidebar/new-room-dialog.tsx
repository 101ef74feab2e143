import { Hash, Lock } from 'lucide-react';
import { useState, type SubmitEvent } from 'react';
import type { Visibility } from '@parley/client';
import { useChat } from '../contexts.ts';
import { Dialog } from '../controls/dialog.tsx';
import { Field } from '../controls/field.tsx';
import { Segments } from '../controls/segments.tsx';
import { useTask } from '../use-task.ts';

const kinds = [
  {
    value: 'public',
    label: (
      <>
        <Hash aria-hidden="true" /> Public
      </>
    ),
  },
  {
    value: 'private',
    label: (
      <>
        <Lock aria-hidden="true" /> Private
      </>
    ),
  },
] as const;

const hints: Record<Visibility, string> = {
  public: 'Everybody on this server can find, read and join it.',
  private: 'Only those whom you invite know of it.',
};

/** Asks what the new room is to be. */
export function NewRoomDialog({ onClose }: { onClose: () => void }) {
  const chat = useChat();
  const [name, setName] = useState('');
  const [visibility, setVisibility] = useState<Visibility>('public');
  const creating = useTask(() => chat.create(name, visibility));

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (await creating.run()) onClose();
  }

  return (
    <Dialog title="New room" onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <Field
          label="Name"
          value={name}
          required
          maxLength={128}
          autoFocus
          autoComplete="off"
          placeholder="Book club"
          failure={creating.failure}
          onChange={(event) => {
            setName(event.target.value);
          }}
        />
        <Segments label="Who can see it?" options={kinds} value={visibility} onChange={setVisibility} />
        <p className="hint">{hints[visibility]}</p>
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={creating.isRunning}>
            Create room
          </button>
        </div>
      </form>
    </Dialog>
  );
}
