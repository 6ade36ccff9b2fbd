import { MachineError } from './machine-error.ts';

/** Refuses names that are not safe as a folder, a label and a part of a container's name. */
export function checkMachineNames(names: { readonly appName: string; readonly releaseId?: string | undefined }): void {
  const { appName, releaseId } = names;
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(appName)) {
    const reason = 'an app name is 1 to 63 lower-case letters, digits and hyphens';
    throw new MachineError('SP_MACHINE_SPEC', {
      message: `Invalid app name ${JSON.stringify(appName)}: ${reason}`,
      reason,
    });
  }
  if (releaseId !== undefined && !/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/.test(releaseId)) {
    const reason = 'a release id is 1 to 64 letters, digits and hyphens';
    throw new MachineError('SP_MACHINE_SPEC', {
      message: `Invalid release id ${JSON.stringify(releaseId)} of ${appName}: ${reason}`,
      appName,
      reason,
    });
  }
}
