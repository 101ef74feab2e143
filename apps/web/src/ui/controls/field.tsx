import { useId, type ComponentProps } from 'react';

/** A line of input with its label, and what is wrong with it or worth knowing below it. */
export function Field({
  label,
  hint,
  failure,
  ...rest
}: { label: string; hint?: string | undefined; failure?: string | undefined } & ComponentProps<'input'>) {
  const id = useId();
  const noteId = useId();
  const note = failure ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        aria-describedby={note === undefined ? undefined : noteId}
        aria-invalid={failure !== undefined}
        {...rest}
      />
      {note !== undefined && (
        <p
          id={noteId}
          className={failure === undefined ? 'hint' : 'failure'}
          role={failure === undefined ? undefined : 'alert'}
        >
          {note}
        </p>
      )}
    </div>
  );
}
