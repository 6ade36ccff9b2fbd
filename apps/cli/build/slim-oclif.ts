// What stands in for `@oclif/core` in the bundle: its index would load the plugin loader, the manifest reader and help.
export * as Args from '@oclif/core/args';
export { Command } from '@oclif/core/command';
export * as Flags from '@oclif/core/flags';
