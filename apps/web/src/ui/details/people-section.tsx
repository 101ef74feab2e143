import type { Member, Room } from '@parley/client';
import { UserMinus } from 'lucide-react';
import { useEffect, useState, type SubmitEvent } from 'react';
import { wordsOf } from '../../model/words.ts';
import { useChat } from '../contexts.ts';
import { Avatar } from '../controls/avatar.tsx';
import { Failure } from '../controls/failure.tsx';
import { Field } from '../controls/field.tsx';
import { IconButton } from '../controls/icon-button.tsx';
import { useObservable } from '../use-observable.ts';
import { useTask } from '../use-task.ts';

/** The members; the owner invites and removes. */
export function PeopleSection({ room }: { room: Room }) {
  const { members, failure, reload } = useMembers(room);
  const removing = useTask(async (name: string) => {
    await room.remove(name);
    reload();
  });
  return (
    <section className="details-section" aria-label="Members">
      <h3>Members{members && <span className="count"> {members.length}</span>}</h3>
      {room.isMine && <InviteForm room={room} onAdded={reload} />}
      <Failure text={failure ?? removing.failure} />
      <ul className="members">
        {members?.map((member) => (
          <li key={member.name} className="member">
            <span className="member-face" data-online={member.isOnline}>
              <Avatar name={member.name} size="small" />
            </span>
            <span className="member-name">
              {member.name}
              <span className="visually-hidden">{member.isOnline ? ', online' : ', offline'}</span>
            </span>
            {member.role === 'owner' && <span className="tag">Owner</span>}
            {room.isMine && member.role !== 'owner' && (
              <IconButton label={`Remove ${member.name}`} onClick={() => void removing.run(member.name)}>
                <UserMinus />
              </IconButton>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function InviteForm({ room, onAdded }: { room: Room; onAdded: () => void }) {
  const [name, setName] = useState('');
  const adding = useTask(() => room.add(name));

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (!(await adding.run())) return;
    setName('');
    onAdded();
  }

  return (
    <form className="inline-form" onSubmit={(event) => void submit(event)}>
      <Field
        label="Invite by name"
        value={name}
        required
        maxLength={128}
        autoComplete="off"
        autoCapitalize="none"
        failure={adding.failure}
        onChange={(event) => {
          setName(event.target.value);
        }}
      />
      <button type="submit" className="button" disabled={adding.isRunning || name === ''}>
        Invite
      </button>
    </form>
  );
}

/** Those online first; read anew whenever it is told that somebody came or went. */
function useMembers(room: Room) {
  const version = useObservable(useChat().membersVersion);
  const [ownVersion, setOwnVersion] = useState(0);
  const [members, setMembers] = useState<readonly Member[]>();
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    const stop = new AbortController();
    room.members({ signal: stop.signal }).then(
      (found) => {
        setFailure(undefined);
        setMembers(
          found.toSorted((a, b) => Number(b.isOnline) - Number(a.isOnline) || a.name.localeCompare(b.name)),
        );
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setFailure(wordsOf(error));
      },
    );
    return () => {
      stop.abort();
    };
  }, [room, version, ownVersion]);
  return {
    members,
    failure,
    reload: () => {
      setOwnVersion(ownVersion + 1);
    },
  };
}
