import { useSession } from './contexts.ts';
import { Logo } from './logo.tsx';

/** When the same session was opened in another place. */
export function ElsewhereScreen({ name }: { name: string }) {
  const session = useSession();
  return (
    <main className="sign-in">
      <div className="sign-in-card sign-in-card-plain">
        <Logo />
        <h1>{name}, you are in another tab now</h1>
        <p className="hint">This session goes on there. One place at a time.</p>
        <button type="button" className="button button-primary" onClick={() => void session.resume()}>
          Use it here
        </button>
      </div>
    </main>
  );
}
