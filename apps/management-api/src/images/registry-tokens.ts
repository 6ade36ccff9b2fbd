import { jwtVerify, SignJWT } from 'jose';
import * as z from 'zod/mini';
import { publicRepository, tenantTag } from './tenant-repository.ts';

/** What may be done in a repository. */
export type RegistryAction = 'pull' | 'push';

/** Whom a login password or an access token speaks for. */
export interface RegistryGrant {
  readonly tenantId: string;
  /** The most that may ever be granted. */
  readonly allowed: readonly RegistryAction[];
}

/** A {@link RegistryGrant} together with what was asked for: what an access token carries. */
export interface RegistryAccessGrant extends RegistryGrant {
  readonly actions: readonly RegistryAction[];
}

/** Makes and checks the registry's passwords and access tokens: JWTs that nobody but this server reads. */
export interface RegistryTokens {
  issuePassword(grant: RegistryGrant): Promise<string>;
  verifyPassword(password: string): Promise<RegistryGrant | undefined>;
  issueAccess(
    grant: RegistryAccessGrant,
  ): Promise<{ readonly token: string; readonly expiresIn: number; readonly issuedAt: Date }>;
  verifyAccess(token: string): Promise<RegistryAccessGrant | undefined>;
}

const passwordSeconds = 15 * 60;
const accessSeconds = 5 * 60;
// One key signs both; the audience keeps a password from being an access token and the other way round.
const passwordAudience = 'registry-login';

const actionsSchema = z.array(z.enum(['pull', 'push']));
const grantSchema = z.object({ sub: z.string(), sp_tag: z.string(), sp_actions: actionsSchema });
const accessSchema = z.object({
  access: z.array(z.object({ type: z.string(), name: z.string(), actions: actionsSchema })),
});

export function createRegistryTokens(options: {
  readonly secret: Uint8Array;
  /** Audience of the access tokens: `host[:port]` of the registry. */
  readonly service: string;
  readonly now: () => number;
}): RegistryTokens {
  const { secret, service, now } = options;

  const sign = (
    claims: Record<string, unknown>,
    facts: { grant: RegistryGrant; audience: string; seconds: number },
  ) => {
    const issuedAt = Math.floor(now() / 1000);
    return new SignJWT({ ...claims, sp_tag: tenantTag(facts.grant.tenantId), sp_actions: facts.grant.allowed })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(facts.grant.tenantId)
      .setAudience(facts.audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + facts.seconds)
      .sign(secret);
  };

  const verify = async (token: string, audience: string): Promise<unknown> => {
    try {
      const checks = { audience, algorithms: ['HS256'], requiredClaims: ['exp', 'sub'], currentDate: new Date(now()) };
      return (await jwtVerify(token, secret, checks)).payload;
    } catch {
      return undefined;
    }
  };

  return {
    issuePassword: (grant) => sign({}, { grant, audience: passwordAudience, seconds: passwordSeconds }),
    async verifyPassword(password) {
      return toGrant(await verify(password, passwordAudience));
    },
    async issueAccess(grant) {
      const { actions } = grant;
      const access = actions.length === 0 ? [] : [{ type: 'repository', name: publicRepository, actions }];
      const token = await sign({ access }, { grant, audience: service, seconds: accessSeconds });
      return { token, expiresIn: accessSeconds, issuedAt: new Date(now()) };
    },
    async verifyAccess(token) {
      const payload = await verify(token, service);
      const grant = toGrant(payload);
      const parsed = accessSchema.safeParse(payload);
      if (grant === undefined || !parsed.success) return undefined;
      const entries = parsed.data.access.filter(({ type, name }) => type === 'repository' && name === publicRepository);
      return { ...grant, actions: entries.flatMap(({ actions }) => actions) };
    },
  };
}

function toGrant(payload: unknown): RegistryGrant | undefined {
  const parsed = grantSchema.safeParse(payload);
  if (!parsed.success) return undefined;
  const { sub, sp_tag, sp_actions } = parsed.data;
  return sp_tag === tenantTag(sub) ? { tenantId: sub, allowed: sp_actions } : undefined;
}
