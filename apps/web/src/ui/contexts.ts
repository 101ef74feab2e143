import { createContext, useContext } from 'react';
import type { Chat } from '../model/chat.ts';
import type { Session } from '../model/session.ts';

export const SessionContext = createContext<Session | undefined>(undefined);
export const ChatContext = createContext<Chat | undefined>(undefined);

export function useSession(): Session {
  return provided(useContext(SessionContext));
}

/** Of whoever is signed in. */
export function useChat(): Chat {
  return provided(useContext(ChatContext));
}

function provided<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('used outside of its context');
  return value;
}
