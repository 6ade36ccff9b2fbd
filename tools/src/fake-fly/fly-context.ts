import { randomBytes } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { FlyFailure, notFound } from './failure.ts';
import type { createFaults } from './faults.ts';
import type { MachineRunner } from './machine-runner.ts';
import type { createRateLimits } from './rate-limits.ts';
import type { FakeApp, FakeMachine } from './state.ts';

/** The web server of the fake. */
export type FlyServer = Hono<{ Bindings: HttpBindings }>;

/** What all routes of the fake share. */
export interface FlyContext {
  readonly apps: Map<string, FakeApp>;
  /** Token → organization. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly regions: readonly string[];
  /** Regions without room for another machine or volume. */
  readonly fullRegions: Set<string>;
  /** `host:port` of the registry. */
  readonly registry: () => string;
  /** Whether the registry has an image. */
  readonly hasImage: (repository: string, reference: string) => Promise<boolean>;
  /** How long a new thing is not seen by reads, in ms. */
  readonly lagMs: number;
  /** How long a machine takes to start, in ms. */
  readonly startMs: number;
  readonly faults: ReturnType<typeof createFaults>;
  readonly limits: ReturnType<typeof createRateLimits>;
  readonly runner: MachineRunner | undefined;
  /** Counts requests by action, and answers by status. */
  readonly counts: { readonly actions: Map<string, number>; readonly statuses: Map<number, number> };
  /** Whether a custom hostname's records are right. */
  readonly isConfigured: (hostname: string) => boolean;
  readonly now: () => number;
  readonly closed: AbortSignal;
}

/** A made-up id in the form of Fly's. */
export function newId(prefix = '', bytes = 7): string {
  return prefix + randomBytes(bytes).toString('hex');
}

/** An app that the token's organization has; one that is too new is not there yet. */
export function findApp(context: FlyContext, request: { readonly name: string; readonly org: string }): FakeApp {
  const app = context.apps.get(request.name);
  if (app === undefined || app.org !== request.org) throw notFound('App');
  const hiddenMs = app.visibleAt - context.now();
  // At first not even the token's rights reach to it.
  if (hiddenMs > context.lagMs / 2) throw new FlyFailure(401, 'unauthorized');
  if (hiddenMs > 0) throw notFound('App');
  return app;
}

export function findMachine(context: FlyContext, app: FakeApp, id: string): FakeMachine {
  const machine = app.machines.get(id);
  if (machine === undefined || machine.visibleAt > context.now()) throw notFound('machine');
  return machine;
}

export function isoDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
