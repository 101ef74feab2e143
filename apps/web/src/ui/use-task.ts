import { useState } from 'react';
import { isAborted, wordsOf } from '../model/words.ts';

/** Something a user asked for: whether it is under way, and why it failed. */
export interface Task<Arguments extends unknown[]> {
  isRunning: boolean;
  failure: string | undefined;
  /** Answers whether it succeeded. Does nothing while it is running. */
  run(...given: Arguments): Promise<boolean>;
  forget(): void;
}

export function useTask<Arguments extends unknown[]>(
  work: (...given: Arguments) => Promise<void>,
): Task<Arguments> {
  const [isRunning, setIsRunning] = useState(false);
  const [failure, setFailure] = useState<string>();

  async function run(...given: Arguments): Promise<boolean> {
    if (isRunning) return false;
    setIsRunning(true);
    setFailure(undefined);
    try {
      await work(...given);
      return true;
    } catch (error) {
      if (!isAborted(error)) setFailure(wordsOf(error));
      return false;
    } finally {
      setIsRunning(false);
    }
  }

  return {
    isRunning,
    failure,
    run,
    forget: () => {
      setFailure(undefined);
    },
  };
}
