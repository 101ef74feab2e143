import { useEffect } from 'react';
import { followAddress } from '../model/address.ts';
import type { Session } from '../model/session.ts';
import { ChatScreen } from './chat-screen.tsx';
import { ChatContext, SessionContext } from './contexts.ts';
import { ElsewhereScreen } from './elsewhere-screen.tsx';
import { ResumingScreen } from './resuming-screen.tsx';
import { SignInScreen } from './sign-in-screen.tsx';
import { useObservable } from './use-observable.ts';

/** The whole page. */
export function App({ session }: { session: Session }) {
  return (
    <SessionContext value={session}>
      <Screen session={session} />
    </SessionContext>
  );
}

function Screen({ session }: { session: Session }) {
  const state = useObservable(session.state);
  const chat = state.phase === 'signed-in' ? state.chat : undefined;
  useEffect(() => (chat ? followAddress(chat) : undefined), [chat]);

  switch (state.phase) {
    case 'signed-out':
      return <SignInScreen notice={state.notice} />;
    case 'resuming':
      return <ResumingScreen name={state.name} />;
    case 'elsewhere':
      return <ElsewhereScreen name={state.name} />;
    case 'signed-in':
      return (
        <ChatContext value={state.chat}>
          <ChatScreen />
        </ChatContext>
      );
  }
}
