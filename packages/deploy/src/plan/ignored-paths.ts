/** What never interests an image, in the words of `.dockerignore`. A profile's own file may take lines back. */
export const builtInIgnore: readonly string[] = [
  '.git',
  '.gitignore',
  '.gitmodules',
  'target/debug',
  'target/release/.fingerprint',
  'target/release/build',
  'target/release/deps',
  'target/release/examples',
  'target/release/incremental',
  'target/release/.cargo-lock',
  '.cargo',
  '.systemprompt/credentials.json',
  '.systemprompt/tenants.json',
  '.systemprompt/**/secrets.json',
  '.systemprompt/docker',
  '.systemprompt/storage',
  '.env*',
  'backup',
  'docs',
  'instructions',
  '*.md',
  'web/node_modules',
  '.vscode',
  '.idea',
  'logs',
  '*.log',
  'plan',
];

/**
 * What may never be in an image because it holds secrets; nothing takes these back. `secrets.json*` because an
 * interrupted write leaves a temporary file of that name beside it.
 */
export const secretIgnore: readonly string[] = [
  '**/.env',
  '**/.env.*',
  '**/.git',
  '**/.gitignore',
  '**/secrets.json*',
  '.systemprompt/credentials.json*',
  '.systemprompt/tenants.json*',
  '.systemprompt/sessions',
  '.systemprompt/session.json*',
  '.systemprompt/docker',
  '.systemprompt/profiles/*/docker',
];
