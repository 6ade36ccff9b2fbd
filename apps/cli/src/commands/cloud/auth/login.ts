import { Args, Flags } from '@oclif/core';
import { askProvider } from '../../../auth/ask-provider.ts';
import { type LoginResult, logIn } from '../../../auth/log-in.ts';
import { findLoginTransport } from '../../../auth/login-transport.ts';
import { BaseCommand } from '../../../base-command.ts';
import { CliError } from '../../../cli-error.ts';
import { renderFields } from '../../../output/table.ts';

export default class Login extends BaseCommand {
  static override summary = 'Log in through your browser, with a code, or with a token.';
  static override description =
    `Opens the login page, waits for your answer there, and keeps the token in .systemprompt/credentials.json of the project (or of this folder).

The address of the page is also on stderr, so this works where no browser can be opened. Without a terminal nobody would answer: exit code 3, unless BROWSER is set; --device and --token - work everywhere.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --environment local',
    '<%= config.bin %> <%= command.id %> --provider google --json',
    '<%= config.bin %> <%= command.id %> --device',
    '<%= config.bin %> <%= command.id %> --token - < token.txt',
  ];
  static override args = {
    // What the predecessor took.
    environment: Args.string({
      name: 'ENVIRONMENT',
      description: 'The same as --environment.',
      hidden: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    environment: Flags.string({
      summary: 'production, sandbox, local (the local cloud that runs now), or the URL of an API.',
      default: 'production',
      env: 'SYSTEMPROMPT_ENVIRONMENT',
      helpValue: 'NAME|URL',
    }),
    provider: Flags.option({
      summary: 'Who vouches for you.',
      description: 'In a terminal it is asked for; else it is github.',
      options: ['github', 'google'] as const,
      env: 'SYSTEMPROMPT_AUTH_PROVIDER',
    })(),
    device: Flags.boolean({
      summary: 'Log in with a code in a browser anywhere; SSH, WSL and containers do so by themselves.',
      env: 'SYSTEMPROMPT_DEVICE_LOGIN',
    }),
    token: Flags.custom<'-'>({
      summary: 'Take a token from stdin: `--token -`.',
      exclusive: ['device'],
      helpValue: '-',
      env: 'SYSTEMPROMPT_TOKEN_FROM',
      // What is not `-` may be the token itself, which no message must repeat.
      parse: async (value) => {
        if (value === '-') return value;
        throw new CliError('SP_CLI_USAGE', '--token takes only `-`: the token comes on stdin, not on the command line');
      },
    })(),
    'callback-port': Flags.integer({
      summary: 'Port on which this computer waits for your browser; 0 takes any free one.',
      default: 0,
      min: 0,
      max: 65_535,
      env: 'SYSTEMPROMPT_CALLBACK_PORT',
    }),
  };

  async run(): Promise<LoginResult> {
    const { args, flags } = await this.parse(Login);
    const { 'callback-port': callbackPort } = flags;
    const given = args.environment ?? flags.environment;
    // A name in any case; of a URL, the path keeps its own.
    const environment = /^(?:production|sandbox|local)$/i.test(given) ? given.toLowerCase() : given;
    if (!/^(?:production|sandbox|local)$|^https?:\/\//i.test(environment)) {
      const message = `--environment ${JSON.stringify(environment)} is none of production, sandbox and local, and no http(s) URL`;
      throw new CliError('SP_CLI_USAGE', message);
    }
    const refused = flags['non-interactive'];
    const found = (): 'browser' | 'device' => findLoginTransport(this.context, { refused });
    const transport = flags.token === '-' ? 'stdin' : flags.device ? 'device' : found();
    const provider = flags.provider ?? (await askProvider(this.context, transport));
    const result = await logIn(this.context, { environment, transport, provider, callbackPort });
    const { user, apiUrl, credentialsPath, tenants } = result;
    this.log(`Logged in as ${user.email}`);
    this.log(renderFields({ API: apiUrl, Credentials: credentialsPath, Tenants: String(tenants) }));
    return result;
  }
}
