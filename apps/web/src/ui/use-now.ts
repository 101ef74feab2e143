import { useEffect, useState } from 'react';

/** The time in ms since 1970, each second while it is wanted. */
export function useNow(isWanted: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isWanted) return undefined;
    const tick = (): void => {
      setNow(Date.now());
    };
    const timer = setInterval(tick, 1_000);
    return () => {
      clearInterval(timer);
    };
  }, [isWanted]);
  return now;
}
