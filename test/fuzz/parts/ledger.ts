import { isErrorCode, isOvergrown, parseJson } from '@parley/protocol';
import { leakIn } from '../leaks.ts';

/** A frame as it came. */
export type AnyFrame = Record<string, any>;

/** What a frame of the server says of an error. */
export interface ToldError {
  code: unknown;
  message: unknown;
  /** What was asked for; null where that could not be read. */
  action: unknown;
}

/** How a dialect's answers are told from what else it says. */
export interface AnswerRules {
  /** The error that a frame tells; undefined where it tells none. */
  errorIn(frame: AnyFrame): ToldError | undefined;
  /** Which action a frame answers that tells no error; undefined where it answers none. */
  actionOf(frame: AnyFrame): string | undefined;
  /** Requests that are answered in the same words have one account: by default each action has its own. */
  accounts: Readonly<Record<string, string>>;
  /** Accounts whose answers may also come unasked. */
  unasked: readonly string[];
}

/** Of what could not be read. */
export const unreadable = '';
const maxEchoedCharacters = 64;

/** The action that a text asks for, as errors repeat it; `unreadable` where it has none. */
export function actionOf(text: string): string {
  let frame: unknown;
  if (isOvergrown(text)) return unreadable;
  try {
    frame = parseJson(text);
  } catch {
    return unreadable;
  }
  const isObject = typeof frame === 'object' && frame !== null && !Array.isArray(frame);
  const action = isObject ? (frame as AnyFrame)['action'] : undefined;
  return typeof action === 'string' ? action.slice(0, maxEchoedCharacters) : unreadable;
}

/**
 * Whether everything that was asked on a connection was answered, and nothing twice: for each action, how many requests wait for
 * an answer. And whether the errors are ones that clients may see.
 */
export class Ledger {
  readonly #rules: AnswerRules;
  readonly #open = new Map<string, number>();
  #waiting = 0;

  constructor(rules: AnswerRules) {
    this.#rules = rules;
  }

  /** Something goes out that has to be answered. */
  asked(action: string): void {
    this.#count(this.#accountOf(action), 1);
  }

  /** Takes what came; answers with what is wrong with it. */
  took(frame: AnyFrame): string | undefined {
    const error = this.#rules.errorIn(frame);
    const action = error ? (error.action ?? unreadable) : this.#rules.actionOf(frame);
    const problem = error && problemWith(error);
    return problem ?? (typeof action === 'string' ? this.#answered(this.#accountOf(action)) : undefined);
  }

  /** What is wrong with a frame by itself. */
  inspect(frame: AnyFrame): string | undefined {
    const error = this.#rules.errorIn(frame);
    return error && problemWith(error);
  }

  /** Whether everything is answered. */
  get isSettled(): boolean {
    return this.#waiting === 0;
  }

  /** What is not answered yet, by account. */
  get missing(): string[] {
    return [...this.#open].filter(([, count]) => count > 0).map(([account]) => `"${account}"`);
  }

  #accountOf(action: string): string {
    return Object.hasOwn(this.#rules.accounts, action) ? this.#rules.accounts[action]! : action;
  }

  #answered(account: string): string | undefined {
    const isUnasked = this.#count(account, -1) < 0;
    if (!isUnasked) return undefined;
    this.#open.set(account, 0);
    return this.#rules.unasked.includes(account)
      ? undefined
      : `"${account}" is answered more often than asked`;
  }

  #count(account: string, change: 1 | -1): number {
    const left = (this.#open.get(account) ?? 0) + change;
    this.#open.set(account, left);
    if (left >= 0) this.#waiting += change;
    return left;
  }
}

/** What no client may be told while nothing is broken. */
const faults: readonly unknown[] = ['internal', 'unavailable'];

/** What is wrong with an error as a client is told it. */
export function problemWith({ code, message, action }: ToldError): string | undefined {
  if (!isErrorCode(code)) return `the error code ${JSON.stringify(code)} is none of the table`;
  if (faults.includes(code)) return `"${String(action)}" is answered with ${code}`;
  if (typeof message !== 'string' || message.trim() === '') return `the error ${code} has no words`;
  const leak = leakIn(message);
  return leak === undefined ? undefined : `the error ${code} says "${leak}"`;
}
