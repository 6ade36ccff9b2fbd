import type { CheckoutErrorCode } from '@sp/checkout';
import type { CloudApiErrorCode } from '@sp/cloud-api';
import type { CredentialsErrorCode, TokenSourceErrorCode } from '@sp/credentials';
import type { DatabaseErrorCode } from '@sp/database';
import type { DeployErrorCode } from '@sp/deploy';
import type { LocalPostgresErrorCode } from '@sp/local-postgres';
import type { PathsErrorCode } from '@sp/paths';
import type { PrivateFileErrorCode } from '@sp/private-file';
import type { SyncErrorCode } from '@sp/sync';
import type { TenantsErrorCode } from '@sp/tenants';
import type { CliErrorCode } from './cli-error.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** Every code that an error of a command can have. */
export type AnyErrorCode =
  | CheckoutErrorCode
  | CliErrorCode
  | CloudApiErrorCode
  | CredentialsErrorCode
  | TokenSourceErrorCode
  | DatabaseErrorCode
  | DeployErrorCode
  | LocalPostgresErrorCode
  | PathsErrorCode
  | PrivateFileErrorCode
  | SyncErrorCode
  | TenantsErrorCode;

/** What an error means for the person, who may never have heard of the library that threw it. */
export interface Advice {
  readonly exitCode: ExitCode;
  /** How to go on; one sentence or command line each. */
  readonly suggestions: readonly string[];
}

const { failed, usage, inputNeeded, notLoggedIn, notFound, conflict, forbidden, pending, network, bug, interrupted } =
  exitCodes;

const advise = (exitCode: ExitCode, ...suggestions: readonly string[]): Advice => ({ exitCode, suggestions });

const logIn = 'Log in: systemprompt cloud auth login';
const retryLater = 'Try again in a moment.';
const checkConnection =
  'Check the connection, and that the API is up (a local cloud: systemprompt cloud local status).';
const takeUp = 'If you have paid, take it up: systemprompt cloud tenant create --resume last';
const noAnswer = advise(pending, 'Run the command again, and answer in the browser within five minutes.');

/** What to say for each code. A library's new code does not compile until it is here. */
export const advice: Readonly<Record<AnyErrorCode, Advice>> = {
  SP_API_INVALID_REQUEST: advise(usage, 'Correct the value that the message names.'),
  SP_API_FOREIGN_URL: advise(forbidden, 'The token was not sent there. Check which API this project is logged in to.'),
  SP_API_UNAUTHORIZED: advise(notLoggedIn, logIn),
  SP_API_FORBIDDEN: advise(forbidden, 'See who you are here: systemprompt cloud auth whoami'),
  SP_API_NOT_FOUND: advise(notFound, 'See what is yours: systemprompt cloud tenant list'),
  SP_API_CONFLICT: advise(conflict, 'If something else is under way, wait for it: systemprompt cloud status --watch'),
  SP_API_GONE: advise(conflict, 'Ask for a new one: it can be had once.'),
  SP_API_RATE_LIMITED: advise(failed, retryLater),
  SP_API_REJECTED: advise(failed, 'Correct what the message names, then run the command again.'),
  SP_API_SERVER: advise(failed, retryLater),
  SP_API_INVALID_RESPONSE: advise(failed, 'This version may be too old for the API: update @sp/cli.'),
  SP_API_NETWORK: advise(network, checkConnection),
  SP_API_TIMEOUT: advise(network, checkConnection),
  SP_API_ABORTED: advise(interrupted, 'Run the command again: what was done is not done twice.'),

  SP_CREDENTIALS_CORRUPTED: advise(failed, `The file is not usable any more. ${logIn}`),
  SP_CREDENTIALS_INVALID: advise(usage, 'Correct what the message names, or log in: systemprompt cloud auth login'),
  SP_CREDENTIALS_EXPIRED: advise(notLoggedIn, logIn),
  SP_CREDENTIALS_TOKEN_UNDECODABLE: advise(notLoggedIn, logIn),
  SP_TOKEN_NOT_LOGGED_IN: advise(notLoggedIn, logIn),
  SP_LOGIN_DENIED: advise(notLoggedIn, logIn),
  SP_LOGIN_STATE_MISMATCH: advise(failed, 'The answer in the browser belongs to another login. Start again.', logIn),
  SP_LOGIN_NO_TOKEN: advise(failed, logIn),
  SP_LOGIN_BAD_AUTHORIZE_URL: advise(failed, 'The API sent an unusable login page: check --environment.'),
  SP_LOGIN_TIMEOUT: noAnswer,
  SP_LOGIN_PORT_BUSY: advise(conflict, 'Leave --callback-port out to take any free port.'),
  SP_LOGIN_LISTEN_FAILED: advise(failed, 'Leave --callback-port out to take any free port.'),
  SP_LOGIN_ABORTED: advise(interrupted, 'Start again: systemprompt cloud auth login'),

  SP_TENANTS_CORRUPTED: advise(failed, 'Move the file away, then: systemprompt cloud tenant list'),
  SP_TENANTS_INVALID: advise(failed, 'Move the file away, then: systemprompt cloud tenant list'),
  SP_TENANTS_NOT_SYNCED: advise(notFound, 'Fetch them: systemprompt cloud tenant list'),
  SP_TENANTS_NOT_FOUND: advise(notFound, 'See what there is: systemprompt cloud tenant list'),
  SP_TENANTS_AMBIGUOUS: advise(usage, 'Give the id instead of the name.'),
  SP_PROFILE_EXISTS: advise(conflict, 'Choose another name with --profile.'),
  SP_PROFILE_NOT_FOUND: advise(notFound, 'Make one: systemprompt cloud tenant create'),
  SP_PROFILE_INVALID: advise(failed, 'Correct the profile, then run the command again.'),
  SP_PROFILE_SECRETS_INVALID: advise(failed, 'Correct the file, then run the command again.'),
  SP_PROFILE_UNWRITABLE: advise(failed, 'Look at the rights of the folder, and at the space on the disk.'),

  SP_CHECKOUT_DECLINED: advise(failed, 'Nothing was bought. Start again: systemprompt cloud tenant create'),
  SP_CHECKOUT_BAD_URL: advise(failed, 'The API sent an unusable payment page: check --environment.'),
  SP_CHECKOUT_TIMEOUT: advise(pending, takeUp),
  SP_CHECKOUT_PORT_BUSY: advise(conflict, 'End the other program, or leave the port out to take any free one.'),
  SP_CHECKOUT_LISTEN_FAILED: advise(failed, 'See what this computer lacks: systemprompt cloud doctor'),
  SP_CHECKOUT_ABORTED: advise(interrupted, takeUp),
  SP_CHECKOUT_PROVISIONING_FAILED: advise(failed, 'You have paid: ask support, quoting the session.'),

  SP_DEPLOY_PROJECT_INCOMPLETE: advise(failed, 'Make or build what is missing, then deploy again.'),
  SP_DEPLOY_TENANT_NOT_READY: advise(pending, 'See how it goes on: systemprompt cloud status'),
  SP_DEPLOY_BASE_UNSUPPORTED: advise(
    usage,
    'Start Docker for this base, or choose another one: --builder oci --base scratch needs no Docker and no network.',
  ),
  SP_DEPLOY_BUILD_FAILED: advise(failed, 'Mend what the message names, then deploy again.'),
  SP_DEPLOY_PUSH_FAILED: advise(failed, 'Deploy again: what arrived is not sent twice.'),
  SP_DEPLOY_DOCKER_FAILED: advise(
    failed,
    'If the base image could not be fetched: --builder oci --base scratch needs no Docker and no network.',
    'See what this computer lacks: systemprompt cloud doctor',
  ),
  SP_DEPLOY_DOCKER_UNAVAILABLE: advise(
    failed,
    'Start Docker, or do without it and without a network: --builder oci --base scratch',
  ),
  SP_DEPLOY_API_FAILED: advise(failed, 'Deploy again: every step can be repeated.'),
  SP_DEPLOY_UNHEALTHY: advise(failed, 'See what it wrote: systemprompt cloud logs'),
  SP_DEPLOY_IN_PROGRESS: advise(conflict, 'Wait until it is done: systemprompt cloud status', retryLater),
  SP_DEPLOY_REMOTE_MOVED: advise(conflict, 'Look at what would change now, then deploy again.'),
  SP_DEPLOY_PROJECT_CHANGED: advise(conflict, 'Look at what would change now, then deploy again.'),
  SP_DEPLOY_RELEASE_NOT_FOUND: advise(notFound, 'See what there is: systemprompt cloud releases'),
  SP_DEPLOY_SECRET_REFUSED: advise(usage, 'Rename or remove these variables.'),
  SP_DEPLOY_DOTENV_INVALID: advise(usage, 'Mend these lines of the file.'),
  SP_DEPLOY_TIMEOUT: advise(pending, 'See how it goes on: systemprompt cloud status'),
  SP_DEPLOY_ABORTED: advise(interrupted, 'See how it stands: systemprompt cloud status'),

  SP_DATABASE_URL_INVALID: advise(usage, 'It should look like postgres://user:password@host:5432/database'),
  SP_DATABASE_UNREACHABLE: advise(
    network,
    'A tenant in the cloud: allow access from outside with systemprompt cloud tenant edit --external-db-access',
    'A local tenant: start its Postgres, with Docker or systemprompt cloud local up',
  ),
  SP_DATABASE_LOGIN_REFUSED: advise(
    forbidden,
    'A tenant in the cloud: allow access from outside with systemprompt cloud tenant edit --external-db-access',
    'If it is allowed, get a new password: systemprompt cloud tenant rotate-credentials',
  ),
  SP_DATABASE_NOT_FOUND: advise(notFound, 'See which database is meant: systemprompt cloud db url'),
  SP_DATABASE_QUERY_FAILED: advise(
    failed,
    'Correct the statement. What tables there are: systemprompt cloud db tables',
  ),
  SP_DATABASE_TOOL_MISSING: advise(
    failed,
    'Where Docker runs, they are taken from a container and need not be installed (not for --format directory).',
    "Or install PostgreSQL's client programs of that version. Debian, Ubuntu: postgresql-client-<version> of apt.postgresql.org. Fedora: postgresql. macOS: brew install libpq. Windows: the installer of postgresql.org, Command Line Tools.",
  ),
  SP_DATABASE_TOOL_FAILED: advise(
    failed,
    'Mend what its last lines say, then run the command again: nothing is left half done.',
  ),
  SP_DATABASE_BACKUP_EXISTS: advise(conflict, 'Nothing was written. Name another file with --output.'),
  SP_DATABASE_BACKUP_NOT_FOUND: advise(notFound, 'Look at the path; it is taken from the folder that you are in.'),
  SP_DATABASE_BACKUP_DAMAGED: advise(failed, 'Nothing was restored. Take another backup.'),
  SP_DATABASE_BACKUP_UNSUITABLE: advise(
    failed,
    'Nothing was restored. Give a file as pg_dump writes it (unpacked, in UTF-8), to a Postgres that is as new as it needs.',
  ),
  SP_DATABASE_ROWS_DIFFER: advise(failed, 'Do not rely on this backup: make another one.'),
  SP_DATABASE_NOT_EMPTY: advise(conflict, 'Nothing was changed. To replace what is there: --replace'),
  SP_DATABASE_PORT_BUSY: advise(conflict, 'Leave --port out to take any free port.'),

  SP_POSTGRES_DOCKER_MISSING: advise(failed, 'Start Docker, or take --database embedded, or a Postgres of your own.'),
  SP_POSTGRES_NOT_STARTED: advise(failed, 'Mend what Docker says, or take --database embedded.'),
  SP_POSTGRES_NOT_HEALTHY: advise(failed, 'See its log: docker logs systemprompt-postgres-shared'),
  SP_POSTGRES_CONFIG_INVALID: advise(failed, 'Move the file away: the password is taken from the container again.'),
  SP_POSTGRES_NAME_INVALID: advise(usage, 'Take letters, digits and hyphens, beginning with a letter.'),

  SP_SYNC_UNSAFE_PATH: advise(failed, 'Nothing was changed. Rename or remove what the message names.'),
  SP_SYNC_TOO_LARGE: advise(failed, 'Nothing was changed. Keep big files out of services.'),
  SP_SYNC_DAMAGED: advise(failed, retryLater),
  SP_SYNC_BASE_DAMAGED: advise(
    failed,
    'Move this file away. Then every difference is a conflict: systemprompt cloud sync status',
  ),
  SP_SYNC_MOVED: advise(conflict, 'Nothing was changed. Look again: systemprompt cloud sync status'),
  SP_SYNC_LOCKED: advise(conflict, 'Another sync of this project is under way.', retryLater),
  SP_SYNC_STORAGE: advise(failed, 'Make space, or mend the rights of what the message names, then run it again.'),
  SP_SYNC_UNAUTHORIZED: advise(forbidden, 'Get a new token: systemprompt cloud tenant rotate-sync-token'),
  SP_SYNC_REMOTE: advise(failed, 'See what it says: systemprompt cloud logs', retryLater),
  SP_SYNC_NETWORK: advise(network, 'See whether the tenant runs: systemprompt cloud status', retryLater),
  SP_SYNC_NOTHING_TO_UNDO: advise(notFound, 'See how both sides stand: systemprompt cloud sync status'),
  SP_SYNC_ABORTED: advise(interrupted, 'Run it again: what is half done is finished or taken back.'),

  SP_PATHS_PROFILE_NAME: advise(usage, 'See what there is: systemprompt cloud profile list'),
  SP_FILE_SYMLINK: advise(failed, 'Replace the link by the file itself.'),
  SP_FILE_TOO_OPEN: advise(failed, 'Others can read the file, and it is not yours to change.'),
  SP_FILE_UNREADABLE: advise(failed, 'Mend its rights: systemprompt cloud doctor --fix'),
  SP_FILE_UNWRITABLE: advise(failed, 'Look at the rights of the folder, and at the space on the disk.'),
  SP_FILE_LOCKED: advise(conflict, 'Another command is writing the file.', retryLater),
  SP_FILE_ABORTED: advise(interrupted, 'Run the command again.'),

  SP_CLI_INPUT_NEEDED: advise(inputNeeded, 'Give what the message names, or run it in a terminal.'),
  SP_CLI_CANCELLED: advise(usage, 'Nothing was changed.'),
  SP_CLI_NO_PROJECT: advise(notFound, 'Go to your project, or make this folder one: systemprompt cloud init'),
  SP_CLI_NOT_LOGGED_IN: advise(notLoggedIn, logIn),
  SP_CLI_PROFILE_NOT_FOUND: advise(notFound, 'See what there is: systemprompt cloud profile list'),
  SP_CLI_PROFILE_EXISTS: advise(conflict, 'Choose another name with --profile.'),
  SP_CLI_PROFILE_NOT_CLOUD: advise(
    usage,
    'Deploy a profile that belongs to a tenant in the cloud; make one with systemprompt cloud tenant create',
  ),
  SP_CLI_TENANT_NOT_FOUND: advise(notFound, 'See what there is: systemprompt cloud tenant list'),
  SP_CLI_PLAN_NOT_FOUND: advise(notFound, 'Take one of those that there are.'),
  SP_CLI_NOT_CONFIRMED: advise(usage, 'Nothing was changed. Type the name exactly.'),
  SP_CLI_SECRET_REFUSED: advise(
    usage,
    'Nothing was sent. Names are letters, digits and `_`; FLY_APP_NAME and FLY_MACHINE_ID are the platform’s own.',
  ),
  SP_CLI_FILE_EXISTS: advise(conflict, 'Nothing was written. Name another file, or replace it with --force.'),
  SP_CLI_OPERATION_FAILED: advise(failed, 'See how it stands: systemprompt cloud status'),
  SP_CLI_NO_PAGE: advise(pending, 'Deploy first: systemprompt cloud deploy'),
  SP_CLI_CODE_NOT_FOUND: advise(notFound, 'See all of them: systemprompt cloud explain'),
  SP_CLI_CHECKOUT_NOT_FOUND: advise(notFound, 'Start one: systemprompt cloud tenant create'),
  SP_CLI_CREDENTIALS_UNAVAILABLE: advise(
    conflict,
    'Whoever fetched them has them in the tenants.json of their project.',
  ),
  SP_CLI_DATABASE_UNKNOWN: advise(notFound, 'Get a new password: systemprompt cloud tenant rotate-credentials'),
  SP_CLI_DATABASE_UNSUITABLE: advise(
    failed,
    'Take another server, or let the tool run one: --database docker, --database embedded',
  ),
  SP_CLI_SYNC_TOKEN_UNKNOWN: advise(notFound, 'Get a new one: systemprompt cloud tenant rotate-sync-token'),
  SP_CLI_TENANT_EDITED: advise(
    conflict,
    'Nothing was deployed. See who changed what: systemprompt cloud sync status',
    'What only the tenant changed comes here with: systemprompt cloud sync down',
    'To lose them on purpose: --no-sync-check',
  ),
  SP_CLI_SYSTEM: advise(failed, 'Look at the rights and the space of what the message names.'),
  SP_CLI_LOCAL_NOT_INSTALLED: advise(notFound, 'Install it next to the CLI: npm install @sp/management-api'),
  SP_CLI_LOCAL_NOT_RUNNING: advise(notFound, 'Start it: systemprompt cloud local up'),
  SP_CLI_LOCAL_FAILED: advise(failed, 'See its log: systemprompt cloud local logs'),
  SP_CLI_LOCAL_PORT_BUSY: advise(conflict, 'Take any free port: systemprompt cloud local up --port 0'),
  SP_CLI_LOCAL_TIMEOUT: advise(pending, 'See how it stands: systemprompt cloud local status'),
  SP_CLI_USAGE: advise(usage, 'See the options with --help.'),
  SP_CLI_UNKNOWN_COMMAND: advise(usage, 'See what there is: systemprompt help'),
  SP_CLI_INTERRUPTED: advise(interrupted, 'Run the command again: what was done is not done twice.'),
  SP_CLI_BUG: advise(bug, 'Please report it, with the output of the same command under DEBUG=1.'),
} satisfies Record<AnyErrorCode, Advice>;
