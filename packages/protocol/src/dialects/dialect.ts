import type { Command } from '../command.ts';
import type { ParleyError } from '../errors.ts';
import type { ClientEvent } from '../events.ts';
import type { RoomId } from '../ids.ts';
import type { LetterFrequencies } from '../letter-frequencies.ts';
import type { FileInfo } from '../models.ts';

export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A wire protocol that existing clients speak: JSON text frames, each with an `action`. Pure, holds no state. */
export interface Dialect {
  readonly name: string;
  /** Where connections speak it from the start, as errors go: before their first known action fixes it. */
  readonly homePath?: string;
  /** Whether senders get their own messages as everybody else does, which confirms them; else a reply confirms them. */
  readonly tellsSenders: boolean;
  /** Whether the action is one of this dialect's. */
  recognises(action: string): boolean;
  /**
   * What the frame asks for. Only called with an `action` that is recognised.
   * @throws ParleyError `missing_field` or `invalid_field`, naming the field.
   */
  decode(frame: JsonObject): Command;
  /** The frame that answers a command; undefined where nothing does. */
  encodeReply(command: Command, reply: unknown): string | undefined;
  /** The frames that tell an event, the same for all who are told; none where the dialect has none. */
  encodeEvent(event: ClientEvent): readonly string[];
  /** @param action What the client asked for, where it is known. */
  encodeError(error: ParleyError, action: string | undefined): string;
  /** Where files are downloaded over the connection: the frames of a download. */
  readonly download?: DownloadFrames;
  /** Where the dialect has the integrity handshake: its frames. */
  readonly handshake?: HandshakeFrames;
}

/** A file on its way to a client. */
export interface Download {
  roomId: RoomId;
  file: FileInfo;
  /** How many chunks it is sent in. */
  packets: number;
}

/** What a client gets that downloads a file, between its request and the reply (seed 001). */
export interface DownloadFrames {
  meta(download: Download): string;
  /** @param base64 The chunk's bytes. */
  data(download: Download, sequence: number, base64: string): string;
}

/** The server's part of the integrity handshake (protocol.md, "Integrity handshake"; seed 000). */
export interface HandshakeFrames {
  /** Whether a request is to be confirmed by its sender at all. */
  covers(command: Command): boolean;
  /** What the server counted in a request. */
  count(transactionId: string, frequencies: LetterFrequencies, action: string): string;
  /** The usual reply with its `transaction_id`, then the `ack` that closes the exchange: one frame where they are the same. */
  encodeReply(command: Command, reply: unknown, transactionId: string): string[];
  /** The client got another count: nothing was done. */
  mismatch(transactionId: string): string;
}
