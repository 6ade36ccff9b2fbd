import { Flags } from '@oclif/core';
import { profileFlag, tenantFlag } from '../flags.ts';

/** What both directions of a sync do. */
export const syncDescription =
  'Files of services/: only what changed travels. What both sides changed is left alone (exit code 11) unless a flag or you decide; nothing is deleted without --delete; everything replaced can be had back with cloud sync undo.';

/** What `cloud sync up` and `cloud sync down` take. */
export const syncFlags = {
  ours: Flags.boolean({
    summary: "Where both sides changed a file, take this project's.",
    env: 'SYSTEMPROMPT_OURS',
    exclusive: ['theirs', 'keep-both'],
  }),
  theirs: Flags.boolean({
    summary: "Where both sides changed a file, take the tenant's.",
    env: 'SYSTEMPROMPT_THEIRS',
    exclusive: ['ours', 'keep-both'],
  }),
  'keep-both': Flags.boolean({
    summary: 'Where both sides changed a file, keep both under two names.',
    env: 'SYSTEMPROMPT_KEEP_BOTH',
    exclusive: ['ours', 'theirs'],
  }),
  delete: Flags.boolean({ summary: 'Delete what the other side has deleted.', env: 'SYSTEMPROMPT_DELETE' }),
  'dry-run': Flags.boolean({
    summary: 'Say what would be done, and do nothing. Exit code 9: there is something to do.',
    env: 'SYSTEMPROMPT_DRY_RUN',
  }),
  tenant: tenantFlag,
  profile: profileFlag,
};
