import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
// @boundaries-ignore the tools do not use the libraries otherwise
import type { CloudApiClient } from '../../../packages/cloud-api/src/index.ts';
// @boundaries-ignore as above
import { type DeployResult, deploy, planImage } from '../../../packages/deploy/src/index.ts';
import { writeBaseImage } from '../../src/base-image.ts';

const example = fileURLToPath(new URL('../../../examples/hello-tenant', import.meta.url));

/** Deploys the example project to a tenant, from a copy in `folder`. */
export async function deployHello(
  api: CloudApiClient,
  request: { readonly tenantId: string; readonly folder: string; readonly greeting?: string },
): Promise<DeployResult> {
  const { tenantId, folder, greeting } = request;
  const projectRoot = join(folder, 'hello');
  await cp(example, projectRoot, {
    recursive: true,
    filter: (source) => !/[\\/](node_modules|\.turbo|\.systemprompt)$/.test(source),
  });
  await mkdir(join(projectRoot, '.systemprompt/profiles/hello'), { recursive: true });
  await writeFile(join(projectRoot, '.systemprompt/profiles/hello/profile.yaml'), 'name: hello\n');
  if (greeting !== undefined) await writeFile(join(projectRoot, 'services/content/greeting.md'), `${greeting}\n`);
  const base = await writeBaseImage(join(folder, 'base'));
  const plan = await planImage({ projectRoot, profileName: 'hello', base: `oci:${base.directory}` });
  const steps = deploy({ api, tenantId, plan, builder: 'oci', cacheDirectory: join(folder, 'cache') });
  let result: DeployResult | undefined;
  for await (const event of steps) if (event.type === 'deploy-completed') result = event.result;
  if (result === undefined) throw new Error('The deploy has no end');
  return result;
}
