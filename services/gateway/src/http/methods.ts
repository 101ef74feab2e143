import type { HttpApp } from './app.ts';

/** Remembers the routes, so that a method that a path does not know can be told from a path that is unknown. */
export function watchRoutes(app: HttpApp): (path: string) => string[] {
  const methodsByPattern = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    if (url === '*') return;
    const methods = methodsByPattern.get(url) ?? new Set();
    for (const each of [method].flat()) methods.add(each);
    methodsByPattern.set(url, methods);
  });

  /** The methods that the path knows; none where it is unknown. */
  return function methodsOf(path) {
    const matching = [...methodsByPattern].filter(([pattern]) => isMatch(pattern, path));
    return [...new Set(matching.flatMap(([, methods]) => [...methods]))].sort();
  };
}

/** A `:name` in a pattern stands for any one part of a path, a `*` at its end for all that follows. */
function isMatch(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const parts = path.split('/');
  if (wanted.at(-1) !== '*' && wanted.length !== parts.length) return false;
  return wanted.every((part, index) => part === '*' || part.startsWith(':') || part === parts[index]);
}
