import type { CloudApiClient, Release, SecretsDiff } from '@sp/cloud-api';
import { expectTypeOf, test } from 'vitest';
import {
  type BuiltImage,
  type DeployApi,
  type DeployErrorCode,
  type DeployEvent,
  type DeployOptions,
  type DeployPlan,
  type DeployResult,
  type DeployStep,
  deploy,
  diffSecrets,
  type ImageBuilder,
  type ImagePlan,
  isDeployError,
  planDeploy,
  planImage,
  releases,
  renderDockerfile,
} from '../src/index.ts';

// Checked by `tsc --noEmit`; nothing of it runs.
test('types', () => {
  expectTypeOf(deploy).parameter(0).toEqualTypeOf<DeployOptions>();
  expectTypeOf(deploy).returns.toEqualTypeOf<AsyncIterable<DeployEvent>>();
  expectTypeOf<Extract<DeployEvent, { type: 'deploy-completed' }>['result']>().toEqualTypeOf<DeployResult>();
  expectTypeOf<DeployEvent['type']>().toEqualTypeOf<
    'step-started' | 'step-progress' | 'step-completed' | 'deploy-completed'
  >();
  expectTypeOf<'preflight' | 'secrets' | 'health'>().toExtend<DeployStep>();

  // The smallest part of a client that it needs.
  expectTypeOf<CloudApiClient>().toExtend<DeployApi>();
  expectTypeOf(planDeploy).returns.resolves.toEqualTypeOf<DeployPlan>();
  expectTypeOf(planImage).returns.resolves.toEqualTypeOf<ImagePlan>();
  expectTypeOf(renderDockerfile).toEqualTypeOf<(plan: ImagePlan) => string>();
  expectTypeOf(releases).returns.resolves.toEqualTypeOf<readonly Release[]>();
  expectTypeOf(diffSecrets).returns.resolves.toEqualTypeOf<SecretsDiff>();
  expectTypeOf<ImageBuilder['kind']>().toEqualTypeOf<'oci' | 'docker'>();
  expectTypeOf<BuiltImage['kind']>().toEqualTypeOf<'oci' | 'docker'>();

  const error: unknown = undefined;
  if (isDeployError(error)) {
    expectTypeOf(error.code).toEqualTypeOf<DeployErrorCode>();
    expectTypeOf(error.step).toEqualTypeOf<DeployStep | undefined>();
  }
  expectTypeOf<DeployErrorCode>().toExtend<`SP_DEPLOY_${string}`>();
});
