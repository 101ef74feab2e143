import type { ComponentProps } from 'react';

/** A button that is a picture; its label is told and shown when it is pointed at. */
export function IconButton({
  label,
  className = '',
  ...rest
}: { label: string } & Omit<ComponentProps<'button'>, 'aria-label' | 'title'>) {
  return (
    <button type="button" className={`icon-button ${className}`} aria-label={label} title={label} {...rest} />
  );
}
