import type { contract } from '@sp/cloud-api/contract';

/** What each resource of the contract is, as the reference says it. */
export const tagDescriptions: Readonly<Record<keyof typeof contract, string>> = {
  auth: 'Logins of people: in a browser, on a device without one, and their ends.',
  apiTokens: 'Tokens for programs, with scopes and an end.',
  user: 'Who is logged in.',
  plans: 'What can be bought.',
  checkout: 'The purchase of a tenant, from the page of the payment provider to a tenant that is provisioned.',
  tenants: 'Tenants: their state, events, logs, credentials, and the operations on them.',
  domains: 'Domains of a tenant’s own.',
  subscription: 'What is paid for a tenant.',
  activity: 'What clients tell of themselves.',
  releases: 'What was deployed, what a deploy would change, and the way back.',
  secrets: 'The secrets of a tenant by name; values are never listed.',
};
