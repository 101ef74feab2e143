const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A time as it is stored, for people: `2026-11-21 09:05` UTC. */
export function shortTime(time: string): string {
  return time.slice(0, 16).replace('T', ' ');
}

/** How long something has lasted, in its two greatest units: `3 d 4 h`, `5 min 10 s`, `7 s`. */
export function shortDuration(ms: number): string {
  const [days, hours] = [Math.floor(ms / dayMs), Math.floor((ms % dayMs) / hourMs)];
  const [minutes, seconds] = [Math.floor((ms % hourMs) / minuteMs), Math.floor((ms % minuteMs) / 1_000)];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min ${seconds} s`;
  return `${seconds} s`;
}
