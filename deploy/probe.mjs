/** Exits with 0 where the process in this container answers GET /livez (or what is asked for: readyz) with success. */
const path = process.argv[2] ?? 'livez';
const port = process.env.HEALTH_PORT ?? '20290';

try {
  const { ok } = await fetch(`http://127.0.0.1:${port}/${path}`, { signal: AbortSignal.timeout(4_000) });
  process.exitCode = ok ? 0 : 1;
} catch {
  process.exitCode = 1;
}
