/** What a command does to the world. */
export interface SideEffects {
  /** Whether it asks the API. */
  readonly network: boolean;
  /** What it changes: nothing, files of the project, the tenant in the cloud, or this computer's local cloud. */
  readonly writes: readonly ('files' | 'cloud' | 'computer')[];
  /** Whether it can cost money. */
  readonly cost: boolean;
  /** Whether what it changes can be changed back. */
  readonly reversible: boolean;
}

const reads = (network: boolean): SideEffects => ({ network, writes: [], cost: false, reversible: true });
const files: SideEffects = { network: false, writes: ['files'], cost: false, reversible: true };
const filesFromCloud: SideEffects = { ...files, network: true };
const cloud: SideEffects = { network: true, writes: ['cloud'], cost: false, reversible: true };
const computer: SideEffects = { network: false, writes: ['computer'], cost: false, reversible: true };

/** Of every command; a test holds that none is missing. */
export const sideEffects: Readonly<Record<string, SideEffects>> = {
  'cloud auth login': filesFromCloud,
  'cloud auth logout': { network: true, writes: ['files', 'cloud'], cost: false, reversible: true },
  'cloud auth token': reads(true),
  'cloud auth whoami': reads(true),
  'cloud db backup': { ...files, network: true },
  'cloud db clone': { network: true, writes: ['cloud', 'computer'], cost: false, reversible: false },
  'cloud db proxy': reads(true),
  'cloud db query': { network: true, writes: ['cloud', 'computer'], cost: false, reversible: false },
  'cloud db restore': { network: true, writes: ['cloud', 'computer'], cost: false, reversible: false },
  'cloud db shell': { network: true, writes: ['cloud', 'computer'], cost: false, reversible: false },
  'cloud db tables': reads(true),
  'cloud db url': reads(false),
  'cloud deploy': cloud,
  'cloud dockerfile': reads(false),
  'cloud doctor': { ...files, network: true },
  'cloud domain remove': cloud,
  'cloud domain set': cloud,
  'cloud domain status': reads(true),
  'cloud explain': reads(false),
  'cloud init': files,
  'cloud local down': computer,
  'cloud local logs': reads(false),
  'cloud local reset': { ...computer, reversible: false },
  'cloud local status': reads(false),
  'cloud local up': computer,
  'cloud logs': reads(true),
  'cloud open': reads(true),
  'cloud profile create': filesFromCloud,
  'cloud profile delete': { ...files, reversible: false },
  'cloud profile edit': files,
  'cloud profile list': reads(false),
  'cloud profile show': reads(false),
  'cloud releases': reads(true),
  'cloud restart': cloud,
  'cloud rollback': cloud,
  'cloud secrets cleanup': { ...cloud, reversible: false },
  'cloud secrets diff': reads(true),
  'cloud secrets export': files,
  'cloud secrets import': { ...cloud, reversible: false },
  'cloud secrets list': reads(true),
  'cloud secrets set': { ...cloud, reversible: false },
  'cloud secrets sync': { ...cloud, reversible: false },
  'cloud secrets unset': { ...cloud, reversible: false },
  'cloud status': reads(true),
  'cloud sync down': filesFromCloud,
  'cloud sync status': reads(true),
  'cloud sync undo': { network: true, writes: ['cloud', 'files'], cost: false, reversible: true },
  'cloud sync up': cloud,
  'cloud tenant billing': reads(true),
  'cloud tenant cancel': { ...cloud, reversible: false },
  'cloud tenant create': { network: true, writes: ['cloud', 'files'], cost: true, reversible: true },
  'cloud tenant delete': { network: true, writes: ['cloud', 'files'], cost: false, reversible: false },
  'cloud tenant edit': { network: true, writes: ['cloud', 'files'], cost: false, reversible: true },
  'cloud tenant list': filesFromCloud,
  'cloud tenant retry': cloud,
  'cloud tenant rotate-credentials': { network: true, writes: ['cloud', 'files'], cost: false, reversible: false },
  'cloud tenant rotate-sync-token': { network: true, writes: ['cloud', 'files'], cost: false, reversible: false },
  'cloud tenant select': filesFromCloud,
  'cloud tenant show': filesFromCloud,
  commands: reads(false),
  complete: reads(false),
  completion: reads(false),
};
