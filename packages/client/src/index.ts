export { Client, createClient } from './client.ts';
export type { CreateRoomOptions } from './client.ts';
export type { DownloadOptions, FileDownload } from './downloads.ts';
export { ParleyClientError } from './errors.ts';
export type { ClientErrorCode, ErrorCode, ErrorDetails } from './errors.ts';
export type {
  ClientEvents,
  CloseReason,
  ConnectionState,
  FileFacts,
  FileInfo,
  GoneReason,
  HistoryPage,
  Member,
  Message,
  Progress,
  PublicRoom,
  PublicRoomDetails,
  Receipt,
  RequestOptions,
  UploadSource,
  User,
  Visibility,
} from './models.ts';
export type { ClientOptions } from './options.ts';
export { Room } from './room.ts';
export type { HistoryOptions, MessagesOptions, SendOptions } from './room.ts';
export type { UploadOptions } from './uploads.ts';
