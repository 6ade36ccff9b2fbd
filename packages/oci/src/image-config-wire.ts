import { sortedRecord } from './descriptor.ts';
import type { Digest } from './digest.ts';
import type { ImageConfig, ImageHealthcheck } from './image-config.ts';
import { isObject, malformed, parseDigest, parseJsonObject } from './wire.ts';

const nanoseconds = 1_000_000_000;

/** The config document: fixed key order, fixed date, so that the same config is the same bytes. */
export function encodeImageConfig(config: ImageConfig, diffIds: readonly Digest[]): Uint8Array {
  const { architecture, os, variant, exposedPorts = [], volumes = [], labels = {} } = config;
  const ports = Array.from(exposedPorts).sort((a, b) => a - b);
  const document = {
    created: '1970-01-01T00:00:00Z',
    architecture,
    ...(variant === undefined ? {} : { variant }),
    os,
    config: {
      ...(config.user === undefined ? {} : { User: config.user }),
      ...(ports.length === 0 ? {} : { ExposedPorts: Object.fromEntries(ports.map((port) => [`${port}/tcp`, {}])) }),
      ...(config.env === undefined ? {} : { Env: config.env }),
      ...(config.entrypoint === undefined ? {} : { Entrypoint: config.entrypoint }),
      ...(config.cmd === undefined ? {} : { Cmd: config.cmd }),
      ...(config.healthcheck === undefined ? {} : { Healthcheck: encodeHealthcheck(config.healthcheck) }),
      ...(volumes.length === 0 ? {} : { Volumes: Object.fromEntries([...volumes].sort().map((path) => [path, {}])) }),
      ...(config.workingDir === undefined ? {} : { WorkingDir: config.workingDir }),
      ...(Object.keys(labels).length === 0 ? {} : { Labels: sortedRecord(labels) }),
      ...(config.stopSignal === undefined ? {} : { StopSignal: config.stopSignal }),
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
  return Buffer.from(JSON.stringify(document));
}

/** Reads a config document, OCI or Docker; what this package has no name for is dropped. */
export function decodeImageConfig(bytes: Uint8Array): { imageConfig: ImageConfig; diffIds: readonly Digest[] } {
  const { architecture, os, variant, config, rootfs } = parseJsonObject(bytes, 'image config');
  if (typeof architecture !== 'string' || typeof os !== 'string') {
    throw malformed('image config', '`architecture` or `os` is missing');
  }
  if (!isObject(rootfs) || !Array.isArray(rootfs['diff_ids'])) throw malformed('image config', 'no `rootfs.diff_ids`');
  const diffIds = rootfs['diff_ids'].map((value) => parseDigest(value, 'image config'));
  const run = isObject(config) ? config : {};
  const ports = namesOf(run['ExposedPorts'])
    ?.filter((port) => /^[0-9]+(?:\/tcp)?$/.test(port))
    .map((port) => Number.parseInt(port, 10));
  const imageConfig = {
    architecture,
    os,
    variant: textOf(variant),
    user: textOf(run['User']),
    env: textsOf(run['Env']),
    entrypoint: textsOf(run['Entrypoint']),
    cmd: textsOf(run['Cmd']),
    workingDir: textOf(run['WorkingDir']),
    exposedPorts: ports,
    labels: labelsOf(run['Labels']),
    healthcheck: decodeHealthcheck(run['Healthcheck']),
    stopSignal: textOf(run['StopSignal']),
    volumes: namesOf(run['Volumes']),
  };
  return { imageConfig: withoutUndefined(imageConfig), diffIds };
}

function encodeHealthcheck(check: ImageHealthcheck): Record<string, unknown> {
  const time = (name: string, seconds: number | undefined): Record<string, number> =>
    seconds === undefined ? {} : { [name]: Math.round(seconds * nanoseconds) };
  return {
    Test: check.test,
    ...time('Interval', check.intervalSeconds),
    ...time('Timeout', check.timeoutSeconds),
    ...time('StartPeriod', check.startPeriodSeconds),
    ...(check.retries === undefined ? {} : { Retries: check.retries }),
  };
}

function decodeHealthcheck(value: unknown): ImageHealthcheck | undefined {
  const test = isObject(value) ? textsOf(value['Test']) : undefined;
  if (!isObject(value) || test === undefined) return undefined;
  const seconds = (name: string): number | undefined => {
    const time = value[name];
    return typeof time === 'number' && time > 0 ? time / nanoseconds : undefined;
  };
  const retries = value['Retries'];
  return withoutUndefined({
    test,
    intervalSeconds: seconds('Interval'),
    timeoutSeconds: seconds('Timeout'),
    startPeriodSeconds: seconds('StartPeriod'),
    retries: typeof retries === 'number' && retries > 0 ? retries : undefined,
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function textsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}

function namesOf(value: unknown): readonly string[] | undefined {
  return isObject(value) ? Object.keys(value) : undefined;
}

function labelsOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isObject(value)) return undefined;
  const labels = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(labels);
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}
