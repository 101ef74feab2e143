/** What only the inside knows how to say: stack traces, code, the words of Postgres, Redis and NATS. */
const inside = [
  /\n\s+at /,
  /\bat \w[\w.<> ]* \(/,
  /node:|node_modules|file:\/\/|\.[cm]?[jt]s:\d/,
  /\b(Type|Syntax|Range|Reference|URI)Error\b/,
  /\b(select\b.* from|insert into|update\b.* set|delete from) /i,
  /violates|relation "|column "|SQLSTATE|duplicate key|syntax error/,
  /ECONN|ENOENT|EPIPE|NOAUTH|WRONGTYPE|NOSCRIPT|Lua|JetStream|NatsError|NO_RESPONDERS|_INBOX/,
  /of undefined|of null|is not a function|not iterable|"cause"|"stack"/,
];

/** What of the inside the text of an error shows; undefined where that is nothing. */
export function leakIn(text: string): string | undefined {
  for (const pattern of inside) {
    const found = pattern.exec(text);
    if (found) return found[0].trim();
  }
  return undefined;
}
