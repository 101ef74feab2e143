/** The machine's monotonic clock in microseconds: the same in all processes, so that one may time what another began. */
export function nowMicros(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + Math.floor(nanoseconds / 1_000);
}
