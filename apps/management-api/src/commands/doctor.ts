import { pino } from 'pino';
import type { Configuration } from '../configuration/configuration.ts';
import { defineCommand } from './define-command.ts';
import { type Finding, runChecks } from './doctor/check.ts';
import { databaseChecks } from './doctor/database-checks.ts';
import { placeChecks } from './doctor/place-checks.ts';
import { providerChecks } from './doctor/provider-checks.ts';
import { reconcileCheck } from './doctor/reconcile-check.ts';
import { stateChecks } from './doctor/state-checks.ts';
import { hasOwnFlyDomain, tenantNameCheck } from './doctor/tenant-name-check.ts';
import { exitCodes } from './exit-codes.ts';
import { openDatabase, reasonOf } from './open-database.ts';
import { openVault } from './open-vault.ts';
import { readConfiguration } from './read-configuration.ts';
import { runCommand } from './run-command.ts';

/** What `doctor` found. */
export interface DoctorResult {
  /** Whether nothing failed. */
  readonly healthy: boolean;
  readonly findings: readonly Finding[];
}

/** `sp-management-api doctor`: looks at everything that it stands on, and changes nothing. */
export const doctorCommand = defineCommand({
  command: 'doctor',
  describe: 'Look at everything that it stands on, and change nothing; 1 when something does not work.',
  epilogue:
    'Looks at databases, folders, names, providers, keys and the audit log. A warning is worth a look; FAILED does not work.',
  options: {},
  run: ({ json }) =>
    runCommand<DoctorResult>(
      { json, toText, exitCode: ({ healthy }) => (healthy ? exitCodes.ok : exitCodes.failed) },
      async () => {
        const findings = await examine(readConfiguration());
        return { healthy: !findings.some(({ status }) => status === 'failed'), findings };
      },
    ),
});

async function examine(configuration: Configuration): Promise<readonly Finding[]> {
  const { databaseUrl, tenantDatabaseUrl = databaseUrl } = configuration;
  const vault = openVault(configuration);
  const logger = pino({ enabled: false });
  try {
    const store = await openDatabase(databaseUrl);
    try {
      const database = await runChecks(databaseChecks({ store, tenantsUrl: tenantDatabaseUrl }));
      const isCurrent = database.some(({ check, status }) => check === 'migrations' && status === 'ok');
      const rest = await runChecks([
        ...placeChecks(configuration),
        ...providerChecks(configuration, { store, vault, logger }),
        ...(isCurrent
          ? [
              ...(hasOwnFlyDomain(configuration) ? [tenantNameCheck(configuration, { store })] : []),
              ...stateChecks({ store, vault }),
              reconcileCheck(configuration, { store, vault, logger }),
            ]
          : []),
      ]);
      return [...database, ...rest];
    } finally {
      await store.close();
    }
  } catch (error) {
    // What needs no database is worth knowing nevertheless.
    const database: Finding = { check: 'database', status: 'failed', message: reasonOf(error) };
    return [database, ...(await runChecks(placeChecks(configuration)))];
  }
}

const marks: Readonly<Record<Finding['status'], string>> = {
  ok: 'ok     ',
  warning: 'warning',
  failed: 'FAILED ',
};

function toText({ findings }: DoctorResult): string {
  return findings.map(({ check, status, message }) => `${marks[status]}  ${check}: ${message}`).join('\n');
}
