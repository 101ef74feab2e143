import type { Room } from '@parley/client';
import { Hash, Lock } from 'lucide-react';
import { useState, type SubmitEvent } from 'react';
import { Field } from '../controls/field.tsx';
import { useTask } from '../use-task.ts';

/** Name, kind and owner; the owner may rename it. */
export function NameSection({ room }: { room: Room }) {
  const [name, setName] = useState(room.name);
  const renaming = useTask(() => room.renameTo(name));

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    void renaming.run();
  }

  return (
    <section className="details-section">
      {room.isMine ? (
        <form className="inline-form" onSubmit={submit}>
          <Field
            label="Name"
            value={name}
            required
            maxLength={128}
            autoComplete="off"
            failure={renaming.failure}
            onChange={(event) => {
              setName(event.target.value);
            }}
          />
          <button type="submit" className="button" disabled={renaming.isRunning || name === room.name}>
            Rename
          </button>
        </form>
      ) : (
        <h3 className="details-name">{room.name}</h3>
      )}
      <p className="hint hint-icon">
        {room.visibility === 'private' ? <Lock aria-hidden="true" /> : <Hash aria-hidden="true" />}
        {room.visibility === 'private'
          ? 'Private: only its members know of it.'
          : 'Public: open to everybody.'}
      </p>
    </section>
  );
}
