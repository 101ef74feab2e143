import { ParleyError } from '@parley/protocol';

/**
 * The work's result, if it comes in time.
 * @param deadline In ms since 1970.
 * @throws ParleyError `unavailable` at the deadline.
 */
export function before<Result>(deadline: number, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new ParleyError('unavailable'));
    }, deadline - Date.now());
    void work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}
