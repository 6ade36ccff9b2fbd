import { Flags } from '@oclif/core';

const secret = (what: string, env: string): { summary: string; env: string; helpValue: string } => ({
  summary: `${what}; - asks for it or reads stdin.`,
  env,
  helpValue: '-',
});

/** What of a profile can be set from the command line; the names are the predecessor's. */
export const profileSetFlags = {
  'set-anthropic-key': Flags.string(secret('API key of Anthropic', 'SYSTEMPROMPT_SET_ANTHROPIC_KEY')),
  'set-openai-key': Flags.string(secret('API key of OpenAI', 'SYSTEMPROMPT_SET_OPENAI_KEY')),
  'set-gemini-key': Flags.string(secret('API key of Gemini', 'SYSTEMPROMPT_SET_GEMINI_KEY')),
  'set-github-token': Flags.string(secret('Token for GitHub', 'SYSTEMPROMPT_SET_GITHUB_TOKEN')),
  'set-database-url': Flags.string(secret('URL of the database', 'SYSTEMPROMPT_SET_DATABASE_URL')),
  'set-external-url': Flags.string({
    summary: 'Where the server is reached from outside.',
    env: 'SYSTEMPROMPT_SET_EXTERNAL_URL',
  }),
  'set-host': Flags.string({ summary: 'Where the server listens.', env: 'SYSTEMPROMPT_SET_HOST' }),
  'set-port': Flags.integer({ summary: 'Port of the server.', min: 1, max: 65_535, env: 'SYSTEMPROMPT_SET_PORT' }),
};

/** Flags as members of `profile.yaml` and of `secrets.json`; those not given are left out. */
export function editableMembers(flags: { readonly [name: string]: string | number | boolean | undefined }): {
  profile: Record<string, string | number>;
  secrets: Record<string, string>;
} {
  const given = (names: Readonly<Record<string, string>>): (readonly [string, string | number])[] =>
    Object.entries(names).flatMap(([flag, member]) => {
      const value = flags[flag];
      return typeof value === 'string' || typeof value === 'number' ? [[member, value] as const] : [];
    });
  return {
    profile: Object.fromEntries(
      given({ 'set-external-url': 'server.api_external_url', 'set-host': 'server.host', 'set-port': 'server.port' }),
    ),
    secrets: Object.fromEntries(
      given({
        'set-anthropic-key': 'anthropic',
        'set-openai-key': 'openai',
        'set-gemini-key': 'gemini',
        'set-github-token': 'github',
        'set-database-url': 'database_url',
      }).map(([member, value]) => [member, String(value)]),
    ),
  };
}
