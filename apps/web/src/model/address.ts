import type { Chat } from './chat.ts';

const roomPrefix = '#/rooms/';

/** Keeps the page's address at the open room, and opens the room of the address: a reload and the back button do what they say. */
export function followAddress(chat: Chat): () => void {
  function openAddressed(): void {
    const { hash } = location;
    chat.open(hash.startsWith(roomPrefix) ? decodeURIComponent(hash.slice(roomPrefix.length)) : undefined);
  }
  function showOpened(): void {
    const roomId = chat.openRoomId.value;
    const hash = roomId === undefined ? '#/' : roomPrefix + encodeURIComponent(roomId);
    if (location.hash !== hash) history.pushState(undefined, '', hash);
  }
  openAddressed();
  const unsubscribe = chat.openRoomId.subscribe(showOpened);
  addEventListener('popstate', openAddressed);
  return () => {
    unsubscribe();
    removeEventListener('popstate', openAddressed);
  };
}
