// What stands in for `debug` in the bundle: oclif's own diagnostics, of which there are none without its loader.
const silent: (() => void) & { enabled?: boolean } = () => undefined;
export const enable = silent;
export const disable = silent;
const createDebug = (): typeof silent => silent;
// oxlint-disable-next-line import/no-default-export -- the shape of what it stands in for
export default Object.assign(createDebug, { enable, disable, formatters: {} });
