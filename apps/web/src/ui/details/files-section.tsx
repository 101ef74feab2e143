import type { FileInfo, Room } from '@parley/client';
import { useEffect, useState } from 'react';
import { wordsOf } from '../../model/words.ts';
import { useChat } from '../contexts.ts';
import { Failure } from '../controls/failure.tsx';
import { FileLine } from '../room/file-card.tsx';
import { useObservable } from '../use-observable.ts';

/** What was shared in the room, the newest first. */
export function FilesSection({ room }: { room: Room }) {
  const [files, setFiles] = useState<readonly FileInfo[]>();
  const [failure, setFailure] = useState<string>();
  const fileMessages = useFileMessages(room.id);
  useEffect(() => {
    const stop = new AbortController();
    room.files({ signal: stop.signal }).then(
      (found) => {
        setFailure(undefined);
        setFiles(found.toSorted((a, b) => b.sentAt.getTime() - a.sentAt.getTime()));
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setFailure(wordsOf(error));
      },
    );
    return () => {
      stop.abort();
    };
  }, [room, fileMessages]);
  return (
    <section className="details-section" aria-label="Files">
      <h3>Files{files && <span className="count"> {files.length}</span>}</h3>
      <Failure text={failure} />
      {files?.length === 0 && <p className="hint">None yet. Drag one into the room, or paste a picture.</p>}
      <ul className="files">
        {files?.map((file) => (
          <li key={file.name}>
            <FileLine file={file} room={room} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Changes with each file that comes into the room. */
function useFileMessages(roomId: string): number {
  const { messages } = useObservable(useChat().timeline(roomId).state);
  return messages.findLast(({ file }) => file !== undefined)?.id ?? 0;
}
