import { CircleAlert } from 'lucide-react';

/** Why something did not work, where it did not; nothing where it did. */
export function Failure({ text }: { text: string | undefined }) {
  if (text === undefined) return null;
  return (
    <p className="failure" role="alert">
      <CircleAlert aria-hidden="true" />
      {text}
    </p>
  );
}
