/** What is kept in this browser. Where storage is forbidden nothing is kept, and everything else works. */

export interface SavedSession {
  name: string;
  sessionKey: string;
  isGuest: boolean;
}

const sessionKey = 'parley.session';
const guestRoomsKey = 'parley.guest-rooms';

/** A session is a tab's own: two tabs may be two people. It survives a reload, not the tab. */
export function loadSession(): SavedSession | undefined {
  const saved = read(() => sessionStorage, sessionKey);
  return isSavedSession(saved) ? saved : undefined;
}

export function saveSession(session: SavedSession | undefined): void {
  write(() => sessionStorage, sessionKey, session);
}

/** A guest's rooms last as long as its connection; those it comes back to after a reload are for us to know. */
export function loadGuestRooms(): string[] {
  const saved = read(() => sessionStorage, guestRoomsKey);
  return Array.isArray(saved) ? saved.filter((id) => typeof id === 'string') : [];
}

export function saveGuestRooms(roomIds: readonly string[] | undefined): void {
  write(() => sessionStorage, guestRoomsKey, roomIds);
}

/** The last message read, by room, of the user of that name. */
export function loadReadMarks(name: string): Map<string, number> {
  const saved = read(() => localStorage, readMarksKey(name));
  if (typeof saved !== 'object' || saved === null) return new Map();
  return new Map(
    Object.entries(saved).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

export function saveReadMarks(name: string, marks: ReadonlyMap<string, number>): void {
  write(() => localStorage, readMarksKey(name), Object.fromEntries(marks));
}

export type Theme = 'system' | 'light' | 'dark';

const themeKey = 'parley.theme';

export function loadTheme(): Theme {
  const saved = read(() => localStorage, themeKey);
  return saved === 'light' || saved === 'dark' ? saved : 'system';
}

export function saveTheme(theme: Theme): void {
  write(() => localStorage, themeKey, theme);
}

function readMarksKey(name: string): string {
  return `parley.read.${name}`;
}

function isSavedSession(value: unknown): value is SavedSession {
  if (typeof value !== 'object' || value === null) return false;
  const { name, sessionKey: key, isGuest } = value as Partial<SavedSession>;
  return typeof name === 'string' && typeof key === 'string' && typeof isGuest === 'boolean';
}

function read(storage: () => Storage, key: string): unknown {
  try {
    return JSON.parse(storage().getItem(key) ?? 'null');
  } catch {
    return undefined;
  }
}

function write(storage: () => Storage, key: string, value: unknown): void {
  try {
    if (value === undefined) storage().removeItem(key);
    else storage().setItem(key, JSON.stringify(value));
  } catch {
    // Forbidden or full: it is forgotten with the page.
  }
}
