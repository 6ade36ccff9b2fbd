// What stands in for oclif's Config and Help in the bundle: help is prepared text, and the configuration is given.
// Nothing of this is called; `normalizeArgv` is, for aliases that are deprecated, of which there are none.
export const Config: undefined = undefined;
export const Help: undefined = undefined;
export const CommandHelp: undefined = undefined;
export const loadHelpClass: undefined = undefined;
export const normalizeArgv = (): readonly string[] => [];
