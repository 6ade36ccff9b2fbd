import { readFileSync } from 'node:fs';

/** Seconds of the processor that a process and its ended children took, by Linux; those of the children alone for `self`. */
export function cpuSeconds(pid: number | 'self'): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ').map(Number) ?? [];
  const [own = 0, system = 0, children = 0, childrenSystem = 0] = fields.slice(11, 15);
  // A hundred ticks are a second on every Linux.
  return (children + childrenSystem + (pid === 'self' ? 0 : own + system)) / 100;
}
