/** From a project to an image, a registry and a running machine. */
export {
  DeployError,
  type DeployErrorCode,
  type DeployErrorFacts,
  type DeployStep,
  isDeployError,
  type ProjectFinding,
} from './deploy-error.ts';
export { createDockerBuilder, type DockerBuilderOptions } from './docker/docker-builder.ts';
export {
  type DockerfileFinding,
  type ValidateDockerfileOptions,
  validateDockerfile,
} from './dockerfile/validate-dockerfile.ts';
export { deploy } from './flow/deploy.ts';
export type { DeployApi, TenantOptions } from './flow/deploy-api.ts';
export type { DeployEvent, DeployResult, StepFacts } from './flow/deploy-event.ts';
export type { DeployExpectations, DeployOptions, DeploySource } from './flow/deploy-options.ts';
export type { ConfigurationDiff } from './flow/diff-configuration.ts';
export { type DeployPlan, planDeploy } from './flow/plan-deploy.ts';
export {
  type ResumeDeployOptions,
  type RollbackOptions,
  releases,
  resumeDeploy,
  rollback,
  type WaitOptions,
} from './flow/releases.ts';
export {
  type BuilderRunOptions,
  type BuildOptions,
  type BuiltImage,
  type BuiltPlanLayer,
  type ImageBuilder,
  imageName,
  type PushedImage,
  type StepProgress,
} from './image-builder.ts';
export { type DockerLogin, type FindDockerLoginOptions, findDockerLogin } from './logins/find-docker-login.ts';
export { createOciBuilder, type OciBuilderOptions } from './oci/oci-builder.ts';
export type { ImagePlan, PlanCopy, PlanDockerfile, PlanFile, PlanHealthCheck, PlanLayer } from './plan/image-plan.ts';
export { defaultBase, type PlanImageOptions, planImage } from './plan/plan-image.ts';
export type { PlannedLayer } from './plan/planned-layers.ts';
export { renderDockerfile, renderDockerignore } from './plan/render-dockerfile.ts';
export { type BuilderChoice, type ResolveBuilderOptions, resolveBuilder } from './resolve-builder.ts';
export { type DiffSecretsOptions, diffSecrets } from './secrets/diff-secrets.ts';
export { parseDotenv } from './secrets/parse-dotenv.ts';
