import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getPage } from './quickstart-page.ts';
import type { QuickstartStep, QuickstartWorld } from './quickstart-session.ts';

const secondGreeting = 'Hello again, from my second release!';

/** What a person does from nothing to a second release, in order. */
export const quickstartSteps: readonly QuickstartStep[] = [
  {
    title: 'Start the local cloud',
    run: ({ systemprompt, machines, providerDelayMs }) => {
      const delay = providerDelayMs === undefined ? [] : ['--provider-delay-ms', String(providerDelayMs)];
      return systemprompt('cloud', 'local', 'up', '--port', '0', '--machines', machines, ...delay);
    },
  },
  { title: 'Log in', run: ({ systemprompt }) => systemprompt('cloud', 'auth', 'login', '--environment', 'local') },
  { title: 'Make it a project', run: ({ systemprompt }) => systemprompt('cloud', 'init') },
  {
    title: 'Buy a tenant',
    run: ({ systemprompt }) =>
      systemprompt('cloud', 'tenant', 'create', '--name', 'hello', '--plan', 'starter', '--region', 'iad'),
  },
  { title: 'Deploy it', run: ({ systemprompt }) => systemprompt('cloud', 'deploy', '--profile', 'hello', '--yes') },
  { title: 'Look at its page', run: (world) => look(world, 'Hello from my first release!') },
  {
    title: 'Change the greeting',
    run: async ({ project, say }) => {
      await writeFile(join(project, 'services', 'content', 'greeting.md'), `${secondGreeting}\n`);
      say(`services/content/greeting.md: ${secondGreeting}`);
    },
  },
  {
    title: 'Deploy it again',
    run: ({ systemprompt }) => systemprompt('cloud', 'deploy', '--profile', 'hello', '--yes'),
  },
  { title: 'Look at its page again', run: (world) => look(world, secondGreeting) },
  { title: 'Who am I', run: ({ systemprompt }) => systemprompt('cloud', 'auth', 'whoami') },
  { title: 'List the tenants', run: ({ systemprompt }) => systemprompt('cloud', 'tenant', 'list') },
  { title: 'Show the tenant', run: ({ systemprompt }) => systemprompt('cloud', 'tenant', 'show', 'hello') },
  { title: 'Status', run: ({ systemprompt }) => systemprompt('cloud', 'status') },
];

/** The last step, unless the cloud shall stay. */
export const stopStep: QuickstartStep = {
  title: 'Stop the local cloud',
  run: ({ systemprompt }) => systemprompt('cloud', 'local', 'down'),
};

/** The page must show this release's greeting and, from the second time on, the same row of the database. */
async function look(world: QuickstartWorld, greeting: string): Promise<void> {
  const shown = await world.ask('cloud', 'tenant', 'show', 'hello');
  const url = shown['url'];
  if (typeof url !== 'string') throw new Error(`The tenant has no address: ${JSON.stringify(shown)}`);
  const page = await getPage(url, { signal: world.signal });
  world.url = url;
  world.say(`GET ${url}`);
  world.say(`heading: ${page.greeting}`);
  world.say(`row:     ${page.row}`);
  if (page.greeting !== greeting)
    throw new Error(`The page says ${JSON.stringify(page.greeting)}, not ${JSON.stringify(greeting)}`);
  if (world.row !== undefined && world.row !== page.row) throw new Error('The row of the database has changed');
  if (page.row === '') throw new Error('The page shows no row of the database');
  world.row = page.row;
}
