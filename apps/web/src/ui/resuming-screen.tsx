import { useSession } from './contexts.ts';
import { ConnectionLine } from './connection-line.tsx';
import { Logo } from './logo.tsx';

/** While the session of before a reload is being taken up. */
export function ResumingScreen({ name }: { name: string }) {
  const session = useSession();
  return (
    <main className="sign-in">
      <div className="sign-in-card sign-in-card-plain">
        <Logo />
        <h1>Welcome back, {name}</h1>
        <p className="hint" role="status">
          Taking you to your rooms …
        </p>
        <ConnectionLine />
        <button type="button" className="button" onClick={() => void session.signOut()}>
          Sign in as somebody else
        </button>
      </div>
    </main>
  );
}
