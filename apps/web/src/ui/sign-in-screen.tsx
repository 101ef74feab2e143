import { useState, type SubmitEvent } from 'react';
import type { Entry } from '../model/session.ts';
import { useSession } from './contexts.ts';
import { ConnectionLine } from './connection-line.tsx';
import { Failure } from './controls/failure.tsx';
import { Field } from './controls/field.tsx';
import { Segments } from './controls/segments.tsx';
import { Logo } from './logo.tsx';
import { useTask } from './use-task.ts';

type Way = 'guest' | 'sign-in' | 'register';

const ways = [
  { value: 'guest', label: 'Guest' },
  { value: 'sign-in', label: 'Sign in' },
  { value: 'register', label: 'Register' },
] as const;

const texts: Record<Way, { hint: string; button: string }> = {
  guest: { hint: 'Just a name, no password. Public rooms are open to guests.', button: 'Enter as guest' },
  'sign-in': { hint: 'With the account that you have here.', button: 'Sign in' },
  register: {
    hint: 'An account keeps your name, your rooms and your private conversations.',
    button: 'Create account',
  },
};

/** Where everybody begins. */
export function SignInScreen({ notice }: { notice: string | undefined }) {
  const session = useSession();
  const [way, setWay] = useState<Way>('guest');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [stop, setStop] = useState<AbortController>();
  const entering = useTask((entry: Entry, signal: AbortSignal) => session.enter(entry, signal));

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const stopping = new AbortController();
    setStop(stopping);
    void entering.run(
      way === 'guest' ? { as: 'guest', name } : { as: 'account', name, password, isNew: way === 'register' },
      stopping.signal,
    );
  }

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <Logo />
        <h1>Welcome to Parley</h1>
        {notice !== undefined && (
          <p className="sign-in-notice" role="status">
            {notice}
          </p>
        )}
        <form onSubmit={submit}>
          <Segments
            label="How do you want to come in?"
            options={ways}
            value={way}
            onChange={(chosen) => {
              setWay(chosen);
              entering.forget();
            }}
          />
          <p className="hint">{texts[way].hint}</p>
          <Field
            label="Name"
            value={name}
            required
            maxLength={128}
            autoFocus
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            onChange={(event) => {
              setName(event.target.value);
            }}
          />
          {way !== 'guest' && (
            <Field
              label="Password"
              type="password"
              value={password}
              required
              minLength={way === 'register' ? 8 : undefined}
              hint={way === 'register' ? 'At least 8 characters.' : undefined}
              autoComplete={way === 'register' ? 'new-password' : 'current-password'}
              onChange={(event) => {
                setPassword(event.target.value);
              }}
            />
          )}
          <Failure text={entering.failure} />
          <button type="submit" className="button button-primary button-wide" disabled={entering.isRunning}>
            {entering.isRunning ? 'One moment …' : texts[way].button}
          </button>
          {entering.isRunning && (
            <button
              type="button"
              className="button button-wide"
              onClick={() => {
                stop?.abort();
              }}
            >
              Cancel
            </button>
          )}
        </form>
        <ConnectionLine />
      </div>
    </main>
  );
}
