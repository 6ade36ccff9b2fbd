import { BaseCommand } from '../../base-command.ts';
import { pickProfile } from '../../deploy/pick-profile.ts';
import { baseFlag, profileFlag } from '../../flags.ts';

/** What `cloud dockerfile` answers. */
export interface DockerfileResult {
  readonly profile: string;
  readonly content: string;
}

export default class Dockerfile extends BaseCommand {
  static override summary = 'Print the Dockerfile of this project.';
  static override description =
    `The same image that a deploy builds. To change it, keep it as docker/Dockerfile of the profile: a deploy then builds that one.`;
  static override examples = ['<%= config.bin %> <%= command.id %> > Dockerfile'];
  static override flags = { profile: profileFlag, base: baseFlag };

  async run(): Promise<DockerfileResult> {
    const { flags } = await this.parse(Dockerfile);
    const { signal } = this.context;
    const project = this.context.requireProject();
    const { name } = await pickProfile(flags.profile, { context: this.context, project, bin: this.config.bin });
    const { planImage, renderDockerfile } = await import('@sp/deploy');
    const plan = await planImage({ projectRoot: project.root, profileName: name, base: flags.base, signal });
    const content = renderDockerfile(plan);
    this.log(content.trimEnd());
    return { profile: name, content };
  }
}
