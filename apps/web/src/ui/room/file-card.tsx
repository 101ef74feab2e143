import type { FileFacts, Room } from '@parley/client';
import { CircleX, Download, FileText } from 'lucide-react';
import { useState } from 'react';
import { isPicture } from '../../model/downloads.ts';
import { sizeOf } from '../../model/sizes.ts';
import { useChat } from '../contexts.ts';
import { IconButton } from '../controls/icon-button.tsx';
import { useObservable } from '../use-observable.ts';
import { PictureDialog } from './picture-dialog.tsx';

/** A file that was shared: a picture is shown, all can be had. */
export function FileCard({ file, room }: { file: FileFacts; room: Room }) {
  return (
    <div className="file" data-picture={isPicture(file)}>
      {isPicture(file) && <Picture file={file} room={room} />}
      <FileLine file={file} room={room} />
    </div>
  );
}

/** Its name and size, and the way to get it. */
export function FileLine({ file: { name, size }, room }: { file: FileFacts; room: Room }) {
  const { downloads } = useChat();
  const download = useObservable(downloads.stateOf(room, name));
  return (
    <div className="transfer">
      <FileText aria-hidden="true" />
      <div className="transfer-main">
        <p className="transfer-name" title={name}>
          {name}
        </p>
        {download.status === 'running' && (
          <progress
            value={download.bytes}
            max={Math.max(download.total, 1)}
            aria-label={`Download of ${name}`}
          />
        )}
        <p className="transfer-note" role={download.status === 'failed' ? 'alert' : undefined}>
          {download.status === 'running' && `${sizeOf(download.bytes)} of `}
          {download.status === 'failed' ? download.failure : sizeOf(size)}
        </p>
      </div>
      {download.status === 'running' ? (
        <IconButton
          label={`Stop the download of ${name}`}
          onClick={() => {
            downloads.stop(room, name);
          }}
        >
          <CircleX />
        </IconButton>
      ) : (
        <IconButton label={`Download ${name}`} onClick={() => void downloads.save(room, name)}>
          <Download />
        </IconButton>
      )}
    </div>
  );
}

function Picture({ file, room }: { file: FileFacts; room: Room }) {
  const { downloads } = useChat();
  const preview = useObservable(downloads.previewOf(room, file));
  const [isLarge, setIsLarge] = useState(false);
  if (preview.status === 'none') return null;
  if (preview.status === 'loading') return <div className="picture picture-loading" />;
  return (
    <>
      <button
        type="button"
        className="picture"
        onClick={() => {
          setIsLarge(true);
        }}
      >
        <img src={preview.url} alt={file.name} />
      </button>
      {isLarge && (
        <PictureDialog
          url={preview.url}
          name={file.name}
          onClose={() => {
            setIsLarge(false);
          }}
        />
      )}
    </>
  );
}
