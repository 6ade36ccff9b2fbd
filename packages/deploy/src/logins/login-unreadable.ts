import { DeployError } from '../deploy-error.ts';

/** Nothing of the file's or the helper's own words is in the error: they may hold the login. */
export function loginUnreadable(
  place: { readonly registry?: string | undefined; readonly configPath: string },
  why: string,
): DeployError {
  const which = place.registry === undefined ? 'docker logins' : `the docker login for ${place.registry}`;
  return new DeployError('SP_DEPLOY_BUILD_FAILED', `Cannot read ${which} from ${place.configPath}: ${why}`);
}
