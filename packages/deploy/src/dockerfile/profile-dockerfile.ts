import { profilesFolder } from '../plan/profile-secrets.ts';
import { readProjectText } from '../plan/project-files.ts';
import { isGeneratedDockerfile } from './generated-dockerfile.ts';

/** A Dockerfile that somebody has written for a profile. */
export interface ProfileDockerfile {
  /** Relative to the project. */
  readonly path: string;
  readonly text: string;
}

/**
 * The Dockerfile of a profile when it was edited by hand: `docker/Dockerfile` in the profile's folder. One that was
 * generated and left alone says nothing that the plan does not say better.
 */
export async function findProfileDockerfile(
  projectRoot: string,
  profileName: string,
): Promise<ProfileDockerfile | undefined> {
  const path = `${profilesFolder}/${profileName}/docker/Dockerfile`;
  const text = await readProjectText(projectRoot, path);
  return text === undefined || isGeneratedDockerfile(text) ? undefined : { path, text };
}
