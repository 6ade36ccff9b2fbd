import { readFile } from 'node:fs/promises';
import * as z from 'zod/mini';
import { loginUnreadable } from './login-unreadable.ts';

/** A login as docker's file or a helper has it. */
export interface DockerAuth {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly identityToken?: string | undefined;
}

/** What docker's `config.json` says of logins, by the names of registries. */
export interface DockerConfig {
  readonly auths: ReadonlyMap<string, DockerAuth>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore?: string | undefined;
}

const text = z.nullish(z.string());

const authSchema = z.object({ auth: text, username: text, password: text, identitytoken: text });

const configSchema = z.object({
  auths: z.nullish(z.record(z.string(), authSchema)),
  credHelpers: z.nullish(z.record(z.string(), z.string())),
  credsStore: text,
});

/**
 * Reads docker's `config.json`; one that is not there or is empty says nothing.
 *
 * @throws {@link DeployError} `SP_DEPLOY_BUILD_FAILED`
 */
export async function loadDockerConfig(configPath: string): Promise<DockerConfig> {
  const parsed = configSchema.safeParse(await readJson(configPath));
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.map(String) ?? [];
    throw loginUnreadable({ configPath }, `\`${path.join('.') || 'it'}\` is malformed`);
  }
  const { auths, credHelpers, credsStore } = parsed.data;
  const entries = Object.entries(auths ?? {}).map(([key, auth]): [string, DockerAuth] => {
    const place = { registry: key, configPath };
    const encoded = auth.auth ? decodeAuth(auth.auth, place) : undefined;
    const { username = auth.username ?? undefined, password = auth.password ?? undefined } = encoded ?? {};
    return [key, { username, password, identityToken: auth.identitytoken ?? undefined }];
  });
  return {
    auths: new Map(entries),
    credHelpers: new Map(Object.entries(credHelpers ?? {})),
    credsStore: credsStore ?? undefined,
  };
}

async function readJson(configPath: string): Promise<unknown> {
  let content: string;
  try {
    content = await readFile(configPath, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw loginUnreadable({ configPath }, code ?? 'unknown reason');
  }
  if (content.trim() === '') return {};
  try {
    return JSON.parse(content);
  } catch {
    // Its message quotes the file.
    throw loginUnreadable({ configPath }, 'it is not JSON');
  }
}

/** Base64 of `name:password`; the password may have colons, and docker has padded it with zeros. */
function decodeAuth(encoded: string, place: { readonly registry: string; readonly configPath: string }): DockerAuth {
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 1) throw loginUnreadable(place, '`auth` is not base64 of `name:password`');
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, '') };
}
