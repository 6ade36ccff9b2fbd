import type { Hono } from 'hono';
import type { HttpEnvironment } from './app.ts';

/** The methods that a path of an application answers to, from the routes that it has by now; none: it is no path of it. */
export function allowedMethods({ routes }: Pick<Hono<HttpEnvironment>, 'routes'>): (path: string) => readonly string[] {
  const methodsOf = new Map<string, Set<string>>();
  for (const { method, path } of routes) {
    // What is for all methods goes before routes, and is none.
    if (method === 'ALL') continue;
    const shape = path.replace(/:\w+/g, ':');
    methodsOf.set(shape, (methodsOf.get(shape) ?? new Set()).add(method));
  }
  const known = Array.from(methodsOf, ([shape, methods]) => {
    const pattern = shape.split(':').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return { pattern: new RegExp(`^${pattern.join('[^/]+')}$`), methods: [...methods].toSorted() };
  });
  // A path that is spelled out goes before one with a parameter.
  known.sort((one, other) => one.pattern.source.split('[^/]').length - other.pattern.source.split('[^/]').length);
  return (path) => known.find(({ pattern }) => pattern.test(path))?.methods ?? [];
}
