import type { JsonObject } from '../dialect.ts';

/** A frame of the server: the form of every reply and notification of the dialect. */
export interface Frame {
  action: string;
  status: 'success';
  message: string;
  data: JsonObject;
}

export function success(action: string, message: string, data: JsonObject): Frame {
  return { action, status: 'success', message, data };
}
