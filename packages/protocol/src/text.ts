import { Type } from '@parley/schema';
import type { Static } from '@parley/schema';

/*
 * A character is a Unicode code point; TypeBox counts `minLength` and `maxLength` in code points too.
 * NUL and lone surrogates are refused everywhere: neither Postgres nor UTF-8 can hold them.
 */
export const maxNameCharacters = 64;
export const maxContentCharacters = 8_192;
export const maxClientMessageIdCharacters = 128;
export const minPasswordCharacters = 8;
export const maxPasswordCharacters = 256;

/** NFC makes one character of at most four, each of at most two code units: what is longer can't become a name. */
const maxNameInputUnits = 8 * maxNameCharacters;

const controlCharacter = /\p{Cc}/u;

/** Whether the text can be kept exactly: no NUL and no lone surrogate. */
export function isStorable(text: unknown): boolean {
  return typeof text === 'string' && text.isWellFormed() && !text.includes('\0');
}

/** A user or room name as it is stored and compared: trimmed, in NFC. Lone surrogates are left to `isName`. */
export function normalizeName(name: string): string {
  return name.trim().normalize('NFC');
}

/** Whether a normalized name is 1 to 64 characters, well-formed and free of control characters. */
export function isName(name: unknown): boolean {
  if (typeof name !== 'string' || name.length === 0 || name.length > 2 * maxNameCharacters) return false;
  return name.isWellFormed() && !controlCharacter.test(name) && Array.from(name).length <= maxNameCharacters;
}

/** Long text is refused unread: the time that normalizing takes grows with its square. */
function isNameInput(name: unknown): boolean {
  if (typeof name !== 'string') return false;
  const trimmed = name.trim();
  return trimmed.length <= maxNameInputUnits && isName(normalizeName(trimmed));
}

/** Text within the given length that can be stored exactly. */
export function storableText(minCharacters: number, maxCharacters: number) {
  return Type.Refine(
    Type.String({ minLength: minCharacters, maxLength: maxCharacters }),
    isStorable,
    () => 'must have neither NUL nor lone surrogates',
  );
}

const nameRule = `must be 1 to ${maxNameCharacters} characters after trimming, without control characters`;

/** A name as a client may write it; `normalizeName` gives what is stored. */
export const NameInput = Type.Refine(Type.String(), isNameInput, () => nameRule);

/** A name in its stored form. */
const StoredName = Type.Refine(
  Type.String(),
  (name) => isName(name) && normalizeName(name) === name,
  () => nameRule,
);

/** The name of a user: `chatid`, `username`, `from` and `sender` of the dialects. Unique and case-sensitive. */
export const UserName = StoredName;
export const RoomName = StoredName;
export const Content = storableText(1, maxContentCharacters);
export const ClientMessageId = storableText(1, maxClientMessageIdCharacters);
/** A password to be kept. */
export const NewPassword = storableText(minPasswordCharacters, maxPasswordCharacters);
/** A password to be tried: any that could ever have been accepted, and short ones, which are simply wrong. */
export const Password = storableText(1, maxPasswordCharacters);

export const maxFileNameBytes = 255;

const notInFileNames = /[/\\\p{Cc}]/u;

/** Whether the text is a file's name and not a path. */
function isFileName(name: unknown): boolean {
  return (
    isStorable(name) &&
    !notInFileNames.test(name as string) &&
    !['', '.', '..'].includes(name as string) &&
    new TextEncoder().encode(name as string).length <= maxFileNameBytes
  );
}

/** The name of a file (`file_path` in the login dialect): one name, never a path. */
export const FileName = Type.Refine(
  Type.String(),
  isFileName,
  () => `must be a name of at most ${maxFileNameBytes} bytes, without separators and control characters`,
);
/** The media type that a client gives a file; told on as it is. */
export const FileType = storableText(0, 128);
/** 64 hexadecimal digits. */
export const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

export type UserName = Static<typeof UserName>;
