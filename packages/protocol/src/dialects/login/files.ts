import { Type } from '@parley/schema';
import { ChunkNumber, listFiles, Packets } from '../../contract/files.ts';
import { downloadFile, endUpload, sendChunk, startUpload } from '../../contract/gateway.ts';
import { ParleyError } from '../../errors.ts';
import type { ErrorDetails } from '../../errors.ts';
import { RoomId } from '../../ids.ts';
import { FileName, FileType, Sha256 } from '../../text.ts';
import { matches } from '../../validation.ts';
import type { DownloadFrames, JsonObject } from '../dialect.ts';
import type { RequestRow, RequestTable } from '../request-rows.ts';
import { success } from './frames.ts';
import type { Frame } from './frames.ts';
import { row } from './speaker.ts';

/** For files whose sender says nothing of their type (RFC 2046, section 4.5.1). */
const unknownType = 'application/octet-stream';

const fileOnly = { room_id: RoomId, file_path: FileName };

interface NamedFile {
  roomId: RoomId;
  name: string;
}

/** The fields that all frames of one upload have. */
function uploadFields(user: string, { roomId, name }: NamedFile): JsonObject {
  return { chat_id: user, room_id: roomId, file_path: name };
}

/** The packets of seed 001. Their errors say which file and which chunk they are about, as far as the client did. */
export const fileRequests: RequestTable<Frame> = {
  file_send_init: naming(
    row(startUpload, {
      fields: {
        ...fileOnly,
        file_size: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
        file_type: Type.Optional(FileType),
        total_packets: Packets,
        sha256: Type.Optional(Sha256),
      },
      request: ({ room_id, file_path, file_size, file_type = unknownType, total_packets, sha256 }) => ({
        roomId: room_id,
        name: file_path,
        size: file_size,
        type: file_type,
        packets: total_packets,
        ...(sha256 === undefined ? {} : { sha256 }),
      }),
      reply: ({ user, received }, { request }) =>
        success('file_send_init', 'Server ready to receive file.', {
          ...uploadFields(user, request),
          received,
        }),
    }),
  ),

  file_send_data: naming(
    row(sendChunk, {
      fields: { ...fileOnly, sequence_number: ChunkNumber, file_data: Type.String() },
      request: ({ room_id, file_path, sequence_number, file_data }) => ({
        roomId: room_id,
        name: file_path,
        sequence: sequence_number,
        data: file_data,
      }),
      reply: ({ user }, { request }) =>
        success('file_send_data', `Chunk ${request.sequence} received.`, {
          ...uploadFields(user, request),
          sequence_number: request.sequence,
        }),
    }),
  ),

  file_send_fin: naming(
    row(endUpload, {
      fields: { ...fileOnly, total_packets: Packets },
      request: ({ room_id, file_path, total_packets }) => ({
        roomId: room_id,
        name: file_path,
        packets: total_packets,
      }),
      reply: ({ user, file: { size, type, sha256 } }, { request }) =>
        success('file_send_fin', 'File assembled successfully.', {
          ...uploadFields(user, request),
          file_size: size,
          file_type: type,
          sha256,
        }),
    }),
  ),

  file_list_req: row(listFiles, {
    fields: { room_id: RoomId, after: Type.Optional(FileName) },
    request: ({ room_id, after }) => ({ roomId: room_id, ...(after === undefined ? {} : { after }) }),
    reply: ({ files, hasMore }, { request: { roomId } }) =>
      success('file_list_req', `File list for room ${roomId}`, {
        file_list: files.map(({ name }) => name).join(', '),
        room_id: roomId,
        files: files.map(({ name, size, type, sha256, sender, sentAt }) => ({
          file_path: name,
          file_size: size,
          file_type: type,
          sender_chatid: sender,
          timestamp: sentAt,
          sha256,
        })),
        has_more: hasMore,
      }),
  }),

  file_down_req: naming(
    row(downloadFile, {
      fields: { ...fileOnly, from_sequence: Type.Optional(ChunkNumber) },
      request: ({ room_id, file_path, from_sequence: fromSequence }) => ({
        roomId: room_id,
        name: file_path,
        ...(fromSequence === undefined ? {} : { fromSequence }),
      }),
      reply: ({ roomId, name }) =>
        success('file_down_fin', 'File download complete.', { room_id: roomId, file_path: name }),
    }),
  ),
};

export const downloadFrames: DownloadFrames = {
  meta: ({ roomId, file: { name, size, type, sha256 }, packets }) =>
    JSON.stringify(
      success('file_down_meta', 'Starting file download.', {
        room_id: roomId,
        file_path: name,
        file_size: size,
        total_packets: packets,
        file_type: type,
        sha256,
      }),
    ),

  data: ({ roomId, file: { name } }, sequence, base64) =>
    JSON.stringify({
      action: 'file_down_data',
      data: { room_id: roomId, file_path: name, sequence_number: sequence, file_data: base64 },
    } satisfies Frame),
};

/** What the fields of requests are called here, where services speak of them. */
const fieldNames: Readonly<Record<string, string>> = {
  name: 'file_path',
  size: 'file_size',
  type: 'file_type',
  packets: 'total_packets',
  sequence: 'sequence_number',
  bytes: 'file_data',
  data: 'file_data',
  fromSequence: 'from_sequence',
};

/** The details of a file's error with its field as the client calls it. */
export function inClientsWords(details: ErrorDetails, action: string | undefined): ErrorDetails {
  const { field } = details;
  if (field === undefined || action === undefined || !Object.hasOwn(fileRequests, action)) return details;
  return { ...details, field: fieldNames[field] ?? field };
}

/** The row, whose refusals name what they are about. */
function naming(plain: RequestRow<Frame>): RequestRow<Frame> {
  return {
    ...plain,
    decode(body, action) {
      try {
        return plain.decode(body, action);
      } catch (thrown) {
        throw ParleyError.from(thrown).with(namedIn(body));
      }
    },
  };
}

/** Which file and chunk a malformed request is about. */
function namedIn({ file_path: name, sequence_number: sequence }: JsonObject): ErrorDetails {
  return {
    ...(matches(FileName, name) && { fileName: name }),
    ...(matches(ChunkNumber, sequence) && { sequence }),
  };
}
