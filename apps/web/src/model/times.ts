const timeFormat = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const momentFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dayOfYearFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' });
const relativeFormat = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const dayMs = 86_400_000;

/** As `10:32`. */
export function timeOf(date: Date): string {
  return timeFormat.format(date);
}

/** With everything that is known, as for pointing at a time. */
export function momentOf(date: Date): string {
  return momentFormat.format(date);
}

/** As `Today`, `Yesterday`, `Monday, 3 March`; with its year if it is not this one. */
export function dayOf(date: Date, now: Date): string {
  const days = Math.round((startOfDay(date) - startOfDay(now)) / dayMs);
  if (days === 0 || days === -1) return capitalized(relativeFormat.format(days, 'day'));
  return (date.getFullYear() === now.getFullYear() ? dayFormat : dayOfYearFormat).format(date);
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

function capitalized(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}
