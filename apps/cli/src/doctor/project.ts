import { chmod, stat } from 'node:fs/promises';
import type { Context } from '../context.ts';
import { finishCommands, listUnfinished } from '../local-tenant/unfinished-tenants.ts';
import { count } from '../output/count.ts';
import { listProjectProfiles } from '../profile-listing.ts';
import type { Finding } from './finding.ts';

/** The project, its profiles, and who may read its secrets. */
export async function checkProject(context: Context, { fix }: { fix: boolean }): Promise<readonly Finding[]> {
  const { project } = context;
  if (!project.exists('root')) {
    const message = `${context.cwd} is not in a project`;
    return [{ check: 'project', status: 'problem', message, fix: 'systemprompt cloud init' }];
  }
  const profiles = await listProjectProfiles(context, project);
  const broken = profiles.flatMap(({ name, problem }) => (problem === undefined ? [] : { name, problem }));
  const secrets = profiles.map(({ name }) => project.profile(name).secrets);
  const files = await Promise.all(
    [project.localCredentials, project.localTenants, ...secrets].map((path) => checkMode(path, { fix })),
  );
  return [
    { check: 'project', status: 'ok', message: `${project.root}, ${count(profiles.length, 'profile')}` },
    ...broken.map(({ name, problem }): Finding => {
      const correct = `Correct ${project.profile(name).config}`;
      return { check: 'project', status: 'problem', message: `The profile ${name}: ${problem}`, fix: correct };
    }),
    ...(await listUnfinished(project)).map((tenant): Finding => {
      const message = `The local tenant ${tenant.name} is not finished: it was broken off, or is being made`;
      return { check: 'project', status: 'warning', message, fix: finishCommands(tenant).join(', or ') };
    }),
    ...files.flatMap((finding) => finding ?? []),
  ];
}

/** Nothing to say about a file that is not there. */
async function checkMode(path: string, { fix }: { fix: boolean }): Promise<Finding | undefined> {
  const found = await stat(path).catch(() => undefined);
  // Windows has no such modes.
  if (found === undefined || process.platform === 'win32') return undefined;
  if ((found.mode & 0o077) === 0) return { check: 'files', status: 'ok', message: `${path} is yours alone` };
  if (fix) await chmod(path, 0o600);
  const message = `Others on this computer can read ${path}`;
  return { check: 'files', status: fix ? 'ok' : 'problem', message, fix: `chmod 600 ${path}`, fixed: fix };
}
