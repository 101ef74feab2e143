import { text } from './frames.ts';
import type { Fields } from './frames.ts';
import type { RequestOptions, User } from './models.ts';
import type { AskOptions, Requests } from './requests.ts';

export interface SessionOptions {
  handshake: boolean;
  receipts: boolean;
}

/** What proves who somebody is; a guest is whoever has the key, or is new without one. */
export type Proof = { password: string } | { sessionKey: string | undefined };

/** Who the client is, and how it proves that on each new connection. */
export class Session {
  readonly #requests: Pick<Requests, 'ask'>;
  readonly #options: SessionOptions;
  readonly #changed: (user: User | undefined) => void;
  #user: User | undefined;
  #key: string | undefined;
  /** What kind of user the login under way makes. */
  #willBeGuest = false;

  /** @param changed Is told who it is now, whenever that changes. */
  constructor(
    requests: Pick<Requests, 'ask'>,
    options: SessionOptions,
    changed: (user: User | undefined) => void,
  ) {
    this.#requests = requests;
    this.#options = options;
    this.#changed = changed;
  }

  get user(): User | undefined {
    return this.#user;
  }

  get key(): string | undefined {
    return this.#key;
  }

  /** @throws ParleyClientError `invalid_credentials`, `already_logged_in`, `username_taken`, `rate_limited`, `aborted`. */
  async logIn(name: string, proof: Proof, isGuest: boolean, options: RequestOptions): Promise<void> {
    await this.#ask(name, proof, isGuest, { ...options, isUrgent: true });
  }

  /** The same user on a new connection. @throws ParleyClientError As `logIn`. */
  async restore(signal: AbortSignal): Promise<void> {
    if (!this.#user) return;
    const { name, isGuest } = this.#user;
    await this.#ask(name, { sessionKey: this.#key }, isGuest, { signal, isUrgent: true });
  }

  /** A login succeeded. What comes right behind the reply may depend on it already. */
  take(data: Fields): void {
    this.#key = text(data, 'session_key');
    this.#become({ name: text(data, 'chatid'), isGuest: this.#willBeGuest });
  }

  /** The user has another name. */
  rename(name: string): void {
    if (this.#user) this.#become({ ...this.#user, name });
  }

  /** Nobody any more. @param isKeyLost Whether the session cannot be resumed either. */
  end(isKeyLost: boolean): void {
    if (isKeyLost) this.#key = undefined;
    if (this.#user) this.#become(undefined);
  }

  async #ask(name: string, proof: Proof, isGuest: boolean, options: AskOptions): Promise<void> {
    this.#willBeGuest = isGuest;
    const { handshake, receipts } = this.#options;
    const fields = {
      chatid: name,
      ...('password' in proof ? { password: proof.password } : { session_key: proof.sessionKey }),
      receipts,
    };
    if (isGuest) await this.#requests.ask('login_as_guest', fields, options);
    else await this.#requests.ask('login', { ...fields, handshake }, options);
  }

  #become(user: User | undefined): void {
    const { name, isGuest } = this.#user ?? {};
    this.#user = user;
    if (user?.name !== name || user?.isGuest !== isGuest) this.#changed(user);
  }
}
