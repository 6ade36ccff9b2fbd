import { resolve } from 'node:path';
import { BaseCommand } from '../../../base-command.ts';
import { dataDirFlag } from '../../../flags.ts';
import { defaultDataDirectory } from '../../../local-cloud/data-directory.ts';
import { findLocalCloud } from '../../../local-cloud/state.ts';
import { stopLocalCloud } from '../../../local-cloud/stop.ts';

/** What `cloud local down` answers. */
export interface LocalDownResult {
  /** `false`: none was running. */
  readonly stopped: boolean;
  readonly dataDir: string;
}

export default class LocalDown extends BaseCommand {
  static override summary = 'Stop the local cloud; its data stays.';
  static override description = 'Waits until everything has stopped. Repeating it is no error.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];
  static override flags = { 'data-dir': dataDirFlag };

  async run(): Promise<LocalDownResult> {
    const { flags } = await this.parse(LocalDown);
    const { cwd, env, signal, progress } = this.context;
    const dataDir = resolve(cwd, flags['data-dir'] ?? defaultDataDirectory(env));
    const running = await findLocalCloud(dataDir);
    if (running === undefined) {
      this.log('No local cloud was running');
      return { stopped: false, dataDir };
    }
    const step = progress.step('local-down', 'Stopping the local cloud');
    try {
      await stopLocalCloud(running, { signal });
      step.done();
      this.log(`The local cloud at ${running.url} has stopped`);
      return { stopped: true, dataDir };
    } catch (error) {
      step.fail();
      throw error;
    }
  }
}
