import { Upload } from 'lucide-react';
import { useState, type DragEvent, type ReactNode } from 'react';

/** Takes files that are dragged here. */
export function DropZone({
  isOpen,
  onDrop,
  children,
}: {
  isOpen: boolean;
  onDrop: (files: File[]) => void;
  children: ReactNode;
}) {
  // Moving over a child leaves the parent and enters the child: they are counted.
  const [depth, setDepth] = useState(0);

  function isForUs(event: DragEvent): boolean {
    return isOpen && event.dataTransfer.types.includes('Files');
  }

  return (
    <div
      className="drop-zone"
      onDragEnter={(event) => {
        if (isForUs(event)) setDepth(depth + 1);
      }}
      onDragLeave={(event) => {
        if (isForUs(event)) setDepth(Math.max(0, depth - 1));
      }}
      onDragOver={(event) => {
        if (isForUs(event)) event.preventDefault();
      }}
      onDrop={(event) => {
        if (!isForUs(event)) return;
        event.preventDefault();
        setDepth(0);
        onDrop([...event.dataTransfer.files]);
      }}
    >
      {children}
      {depth > 0 && (
        <div className="drop-hint">
          <Upload aria-hidden="true" />
          <p>Drop files here to share them</p>
        </div>
      )}
    </div>
  );
}
