import { RefusedError } from './talker.ts';

/** What was refused is for a later step; a lost connection ends this one. */
export async function tolerant(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
  }
}
