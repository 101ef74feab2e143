import { CircleX, FileUp, RotateCcw, Trash2 } from 'lucide-react';
import { sizeOf } from '../../model/sizes.ts';
import type { Upload, Uploads } from '../../model/uploads.ts';
import { IconButton } from '../controls/icon-button.tsx';

/** A file on its way into the room. */
export function UploadRow({ upload, uploads }: { upload: Upload; uploads: Uploads }) {
  const { key, name, size, bytes, status } = upload;
  const isUnderWay = status === 'waiting' || status === 'uploading';
  return (
    <div className="upload">
      <div className="transfer" data-failed={status === 'failed'}>
        <FileUp aria-hidden="true" />
        <div className="transfer-main">
          <p className="transfer-name">{name}</p>
          <progress value={bytes} max={Math.max(size, 1)} aria-label={`Upload of ${name}`} />
          <p className="transfer-note" role={status === 'failed' ? 'alert' : undefined}>
            {noteOf(upload)}
          </p>
        </div>
        {isUnderWay && (
          <IconButton
            label={`Stop the upload of ${name}`}
            onClick={() => {
              uploads.stop(key);
            }}
          >
            <CircleX />
          </IconButton>
        )}
        {!isUnderWay && (
          <>
            <IconButton label={`Go on with the upload of ${name}`} onClick={() => void uploads.resume(key)}>
              <RotateCcw />
            </IconButton>
            <IconButton
              label={`Forget the upload of ${name}`}
              onClick={() => {
                uploads.discard(key);
              }}
            >
              <Trash2 />
            </IconButton>
          </>
        )}
      </div>
    </div>
  );
}

function noteOf({ status, bytes, size, failure }: Upload): string {
  switch (status) {
    case 'waiting':
      return `Waiting, ${sizeOf(size)}`;
    case 'uploading':
      return bytes < size ? `${sizeOf(bytes)} of ${sizeOf(size)}` : 'Almost there …';
    case 'stopped':
      return `Stopped at ${sizeOf(bytes)} of ${sizeOf(size)}`;
    case 'failed':
      return failure ?? '';
  }
}
