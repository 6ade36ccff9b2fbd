/** `.systemprompt/.gitignore`: what is secret or belongs to this computer; profiles are committed. */
export const cloudGitignore = `# Who is logged in, and everything secret: never committed.
credentials.json
tenants.json
selection.json
checkout.json
unfinished_tenants.json*
**/secrets.json
docker/
storage/
`;

/** `.systemprompt/.dockerignore`: what never belongs into an image. */
export const cloudDockerignore = `${[
  '.git',
  '.gitignore',
  '.gitmodules',
  'target/debug',
  '.cargo',
  '.systemprompt/credentials.json',
  '.systemprompt/tenants.json',
  '.systemprompt/unfinished_tenants.json*',
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
].join('\n')}\n`;
