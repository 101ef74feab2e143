import { Dialog } from '../controls/dialog.tsx';

/** A picture as large as the window has room for. */
export function PictureDialog({ url, name, onClose }: { url: string; name: string; onClose: () => void }) {
  return (
    <Dialog title={name} onClose={onClose}>
      <img className="picture-large" src={url} alt={name} />
    </Dialog>
  );
}
