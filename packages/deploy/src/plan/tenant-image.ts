/** What the image runs. */
export const tenantCommand: readonly string[] = ['/app/bin/systemprompt', 'infra', 'services', 'serve', '--foreground'];

/** Where it serves. */
export const tenantPort = 8080;

/** Folders that the tenant writes to or expects. */
export const imageDirectories: readonly string[] = [
  '/app',
  '/app/bin',
  '/app/logs',
  '/app/storage',
  ...[
    'files',
    'files/audio',
    'files/documents',
    'files/images',
    'files/images/generated',
    'files/images/logos',
    'files/uploads',
    'files/video',
  ].map((path) => `/app/storage/${path}`),
  '/app/web',
];

/** The environment that the image brings along; the machine's own variables come on top. */
export function tenantEnvironment(profileName: string): Readonly<Record<string, string>> {
  return {
    HOST: '0.0.0.0',
    PORT: '8080',
    RUST_LOG: 'info',
    PATH: '/app/bin:$PATH',
    SYSTEMPROMPT_PROFILE: `/app/services/profiles/${profileName}/profile.yaml`,
    SYSTEMPROMPT_SERVICES_PATH: '/app/services',
    SYSTEMPROMPT_TEMPLATES_PATH: '/app/services/web/templates',
    SYSTEMPROMPT_ASSETS_PATH: '/app/services/web/assets',
  };
}
