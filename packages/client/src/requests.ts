import { letterFrequencies, sameFrequencies } from '@parley/protocol/letter-frequencies';
import type { LetterFrequencies } from '@parley/protocol/letter-frequencies';
import { actions, askedBy, specOf } from './actions.ts';
import type { Action, ActionSpec } from './actions.ts';
import { ParleyClientError } from './errors.ts';
import { errorOf, isError, text, writeFrame } from './frames.ts';
import type { Fields, Frame } from './frames.ts';
import { abortedBy, throwIfAborted } from './waiting.ts';

/** Largest frame that the server takes (docs/protocol.md, "Transport"). */
const maxFrameBytes = 1_048_576;
/** Of UTF-8, for one unit of UTF-16. */
const maxBytesPerUnit = 3;

export interface RequestsOptions {
  transmit: (text: string) => void;
  /** Longest wait for an answer, in ms, from when the request went out. */
  timeoutMs: number;
  /** Something was not answered in time: the connection is of no use any more. */
  timedOut: () => void;
  /** The name of the user, where somebody is logged in. */
  self: () => string | undefined;
}

export interface AskOptions {
  signal?: AbortSignal | undefined;
  /** Goes out before the session is there: it is what makes one. */
  isUrgent?: boolean;
  /** Asked again after a timeout, too: it ends only by an answer or its signal. */
  isPersistent?: boolean;
}

/**
 * What may go out. `closed`: nothing, there is no connection. `urgent`: what makes the connection ready. `open`: everything.
 */
type Gate = 'closed' | 'urgent' | 'open';

interface Request extends AskOptions {
  action: Action;
  spec: ActionSpec;
  key: string;
  text: string;
  resolve: (data: Fields) => void;
  reject: (error: ParleyClientError) => void;
  /** Nobody waits for it any more. One that went out keeps its place until it is answered. */
  isSettled: boolean;
  /** Of its exchange under the integrity handshake, once the server has counted it. */
  transactionId: string | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** The requests of one action. */
interface Lane {
  waiting: Map<string, Request[]>;
  /** By key, in the order they went out. */
  underWay: Map<string, Request>;
  /** Errors that may be about any of those under way. */
  errors: Frame[];
  /** Of several under way some were refused for different reasons, nobody knows which: they are asked again, each alone. */
  isOneByOne: boolean;
}

/**
 * Matches answers to requests. A reply says what it is about. An error says which action it is about, and often no more; while
 * several of that action are under way it is kept until the others have been answered, as errors may overtake replies.
 */
export class Requests {
  readonly #options: RequestsOptions;
  readonly #lanes = new Map<Action, Lane>();
  #gate: Gate = 'closed';

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /**
   * Asks, once the connection allows, and resolves with the reply's `data`.
   * @throws ParleyClientError What the server refuses; `aborted`, `timeout`, `connection_lost`, and as `fail` says.
   */
  ask(action: Action, data: Fields, options: AskOptions = {}): Promise<Fields> {
    return new Promise((resolve, reject) => {
      throwIfAborted(options.signal);
      const spec: ActionSpec = actions[action];
      const frame = writeFrame(action, data);
      if (isTooLarge(frame))
        throw new ParleyClientError('too_large', { message: 'This is too large; send less at once.' });
      const request: Request = {
        ...options,
        action,
        spec,
        key: spec.keyOf?.(data) ?? '',
        text: frame,
        resolve,
        reject,
        isSettled: false,
        transactionId: undefined,
        timer: undefined,
      };
      this.#heedSignal(request);
      const lane = this.#laneOf(action);
      enqueue(lane, request, options.isUrgent ?? false);
      this.#pump(lane);
    });
  }

  /** Lets requests out: all, or only those that are urgent. */
  open(gate: 'urgent' | 'open'): void {
    this.#gate = gate;
    for (const lane of this.#lanes.values()) this.#pump(lane);
  }

  /** The connection is gone: what may be repeated waits for the next one. */
  lost(): void {
    this.#gate = 'closed';
    for (const lane of this.#lanes.values()) {
      const underWay = [...lane.underWay.values()];
      lane.underWay.clear();
      lane.errors = [];
      lane.isOneByOne = false;
      for (const request of underWay) {
        clearTimeout(request.timer);
        request.transactionId = undefined;
        if (request.spec.isRepeatable) enqueue(lane, request, true);
        else settle(request, new ParleyClientError('connection_lost'));
      }
    }
  }

  /** Nothing of what is asked will be answered any more. */
  fail(error: ParleyClientError): void {
    this.lost();
    for (const lane of this.#lanes.values()) {
      const requests = [...lane.waiting.values()].flat();
      lane.waiting.clear();
      for (const request of requests) settle(request, error);
    }
  }

  /** Takes a frame; false where it answers nothing that was asked. */
  take(frame: Frame): boolean {
    const request = this.#findExchange(frame) ?? this.#findAnswered(frame);
    if (request) {
      this.#answer(request, frame);
      return true;
    }
    if (frame.action === 'ack') return true;
    return isError(frame) && this.#keepError(frame);
  }

  /**
   * Compares the server's count of a request with what was sent.
   * @returns Whether they are the same.
   */
  takeCount({ data }: Frame): boolean {
    const lane = this.#lanes.get(text(data, 'original_action') as Action);
    const counted = data['letter_frequencies'] as LetterFrequencies;
    for (const request of lane?.underWay.values() ?? []) {
      if (request.transactionId !== undefined) continue;
      request.transactionId = text(data, 'transaction_id');
      return sameFrequencies(letterFrequencies(request.text), counted);
    }
    return false;
  }

  #laneOf(action: Action): Lane {
    const known = this.#lanes.get(action);
    if (known) return known;
    const lane = { waiting: new Map(), underWay: new Map(), errors: [], isOneByOne: false };
    this.#lanes.set(action, lane);
    return lane;
  }

  #heedSignal(request: Request): void {
    const { signal } = request;
    if (!signal) return;
    const onAbort = () => {
      settle(request, abortedBy(signal));
      const { waiting } = this.#laneOf(request.action);
      const queue = waiting.get(request.key)?.filter((other) => other !== request) ?? [];
      if (queue.length > 0) waiting.set(request.key, queue);
      else waiting.delete(request.key);
    };
    const { resolve, reject } = request;
    const forget = () => {
      signal.removeEventListener('abort', onAbort);
    };
    signal.addEventListener('abort', onAbort);
    request.resolve = (data) => {
      forget();
      resolve(data);
    };
    request.reject = (error) => {
      forget();
      reject(error);
    };
  }

  #pump(lane: Lane): void {
    if (this.#gate === 'closed' || lane.errors.length > 0) return;
    for (const [key, queue] of lane.waiting) {
      const [next] = queue;
      const window = lane.isOneByOne ? 1 : (next?.spec.window ?? 1);
      if (lane.underWay.size >= window) return;
      if (!next || lane.underWay.has(key) || (this.#gate === 'urgent' && !next.isUrgent)) continue;
      queue.shift();
      if (queue.length === 0) lane.waiting.delete(key);
      this.#send(lane, next);
    }
    if (lane.waiting.size === 0) lane.isOneByOne = false;
  }

  #send(lane: Lane, request: Request): void {
    const { timeoutMs, timedOut, transmit } = this.#options;
    lane.underWay.set(request.key, request);
    if (!request.spec.isLong) {
      request.timer = setTimeout(() => {
        if (!request.isPersistent) settle(request, new ParleyClientError('timeout'));
        timedOut();
      }, timeoutMs);
    }
    transmit(request.text);
  }

  /** Under the integrity handshake answers name their exchange. */
  #findExchange({ data }: Frame): Request | undefined {
    const transactionId = data['transaction_id'];
    if (transactionId === undefined) return undefined;
    for (const { underWay } of this.#lanes.values()) {
      for (const request of underWay.values()) {
        if (request.transactionId === transactionId) return request;
      }
    }
    return undefined;
  }

  #findAnswered(frame: Frame): Request | undefined {
    const { action, original_action: asked, data } = frame;
    if (isError(frame)) {
      const key = specOf(asked ?? '')?.keyOfError?.(data);
      return key === undefined ? undefined : this.#lanes.get(asked as Action)?.underWay.get(key);
    }
    for (const candidate of askedBy.get(action) ?? []) {
      const { keyOfReply }: ActionSpec = actions[candidate];
      const key = keyOfReply ? keyOfReply(data, this.#options.self()) : '';
      const request = key === undefined ? undefined : this.#lanes.get(candidate)?.underWay.get(key);
      if (request) return request;
    }
    return undefined;
  }

  #answer(request: Request, frame: Frame): void {
    const lane = this.#laneOf(request.action);
    this.#end(lane, request);
    if (isError(frame)) settle(request, errorOf(frame));
    else settle(request, frame.data);
    this.#assignErrors(lane);
    this.#pump(lane);
  }

  #end(lane: Lane, request: Request): void {
    clearTimeout(request.timer);
    lane.underWay.delete(request.key);
  }

  #keepError(frame: Frame): boolean {
    const lane = this.#lanes.get(frame.original_action as Action);
    if (!lane || lane.underWay.size === 0) return false;
    lane.errors.push(frame);
    this.#assignErrors(lane);
    this.#pump(lane);
    return true;
  }

  /** As many errors as requests: they are theirs. */
  #assignErrors(lane: Lane): void {
    const { errors, underWay } = lane;
    const [first] = errors;
    if (!first || errors.length < underWay.size) return;
    lane.errors = [];
    const requests = [...underWay.values()];
    for (const request of requests) this.#end(lane, request);
    if (requests.length === 1 || errors.every(({ code }) => code === first.code)) {
      requests.forEach((request, index) => {
        settle(request, errorOf(errors[index] ?? first));
      });
    } else {
      lane.isOneByOne = true;
      for (const request of requests) enqueue(lane, request, true);
    }
  }
}

/** The server closes the connection at a larger frame, so that it would be sent again and again. */
function isTooLarge(frame: string): boolean {
  return (
    frame.length > maxFrameBytes / maxBytesPerUnit && new TextEncoder().encode(frame).length > maxFrameBytes
  );
}

function enqueue(lane: Lane, request: Request, isFirst: boolean): void {
  request.transactionId = undefined;
  if (request.isSettled) return;
  const queue = lane.waiting.get(request.key) ?? [];
  lane.waiting.set(request.key, queue);
  if (isFirst) queue.unshift(request);
  else queue.push(request);
}

function settle(request: Request, outcome: Fields | ParleyClientError): void {
  if (request.isSettled) return;
  request.isSettled = true;
  if (outcome instanceof ParleyClientError) request.reject(outcome);
  else request.resolve(outcome);
}
