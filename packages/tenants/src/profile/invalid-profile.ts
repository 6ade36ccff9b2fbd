import { listFindings, TenantsError, type TenantsFinding } from '../tenants-error.ts';

/** The error for a profile with these findings. */
export function invalidProfile(path: string, findings: readonly TenantsFinding[]): TenantsError {
  return new TenantsError('SP_PROFILE_INVALID', `Invalid profile ${path}: ${listFindings(findings)}`, {
    path,
    findings,
  });
}
