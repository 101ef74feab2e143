export interface NetworkListener {
  /** The device has lost its network. */
  offline: () => void;
  /** It is back. */
  online: () => void;
}

/** Listens to what the browser knows of the network; elsewhere nobody says. @returns What ends it. */
export function watchNetwork({ offline, online }: NetworkListener): () => void {
  const target = globalThis as Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>>;
  target.addEventListener?.('offline', offline);
  target.addEventListener?.('online', online);
  return () => {
    target.removeEventListener?.('offline', offline);
    target.removeEventListener?.('online', online);
  };
}
