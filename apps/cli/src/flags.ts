import { Flags } from '@oclif/core';

/** The profile to act on. */
export const profileFlag = Flags.string({
  char: 'p',
  summary: 'Name of a profile of this project, or its path.',
  env: 'SYSTEMPROMPT_PROFILE',
  helpValue: 'NAME',
});

/** The tenant to act on. */
export const tenantFlag = Flags.string({
  aliases: ['tenant-id'],
  summary: 'Id or name of a tenant.',
  env: 'SYSTEMPROMPT_TENANT',
  helpValue: 'ID',
});

/** Answers every confirmation. */
export const yesFlag = Flags.boolean({
  char: 'y',
  summary: 'Do not ask for confirmation.',
  env: 'SYSTEMPROMPT_YES',
});

/** Where the local cloud keeps everything. */
export const dataDirFlag = Flags.string({
  summary: 'Folder in which the local cloud keeps everything.',
  description: 'Without it: systemprompt/local in XDG_DATA_HOME or ~/.local/share.',
  env: 'SYSTEMPROMPT_LOCAL_DATA_DIR',
  helpValue: 'DIR',
});

/** Confirms what destroys, without a terminal. */
export const confirmFlag = Flags.string({
  summary: 'The name of the tenant, to confirm without being asked.',
  env: 'SYSTEMPROMPT_CONFIRM',
  helpValue: 'NAME',
});

/** What an image builds on. */
export const baseFlag = Flags.string({
  summary: 'What the image builds on: an image reference, oci:<layout folder>, or scratch.',
  env: 'SYSTEMPROMPT_BASE',
  helpValue: 'REF',
});

export const toolsFlag = Flags.option({
  options: ['auto', 'docker'] as const,
  default: 'auto',
  summary: "Postgres' own programs: those of this computer, else of Docker; or always of Docker.",
  env: 'SYSTEMPROMPT_POSTGRES_TOOLS',
})();
