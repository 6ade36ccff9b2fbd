// What stands in for what oclif renders errors with in the bundle: errors are rendered by `BaseCommand.catch`.
const same = (text: string): string => text;
// oxlint-disable-next-line import/no-default-export -- the shape of what it stands in for
export default same;
export const handle = same;
