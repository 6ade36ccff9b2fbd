import { Command, Flags, type Interfaces } from '@oclif/core';
import { type Context, createContext } from './context.ts';
import type { DescribedError } from './describe-error.ts';
import { exitCodes } from './exit-codes.ts';
import { needsNetworkSetup } from './network/needs-setup.ts';
import type { CommandEvent } from './output/command-event.ts';
import { plainText } from './output/plain-line.ts';
import { toSnakeCase } from './output/snake-case.ts';
import { writeStderr } from './output/write-stderr.ts';
import { isSet, wantsUpdateNotice } from './presentation.ts';
import { processWorld } from './process-world.ts';

/** Values by the names of their flags or arguments. */
interface Parsed {
  readonly [name: string]: unknown;
  readonly profile?: unknown;
}

/**
 * What all commands share: `--json`, `--json-lines`, `--non-interactive`, the {@link Context}, and one way to fail. A
 * command returns its result as an object; text goes out through `log` and is silent under `--json`.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;

  static override baseFlags = {
    'json-lines': Flags.boolean({
      summary: 'Write events as they happen, one JSON object per line, then the result.',
      env: 'SYSTEMPROMPT_JSON_LINES',
      helpGroup: 'GLOBAL',
    }),
    'non-interactive': Flags.boolean({
      summary: 'Never ask; fail with exit code 3 when a value is missing.',
      env: 'SYSTEMPROMPT_NON_INTERACTIVE',
      helpGroup: 'GLOBAL',
    }),
  };

  protected override async init(): Promise<void> {
    await super.init();
    if (!needsNetworkSetup(process.env)) return;
    const { installNetwork } = await import('./network/install-network.ts');
    installNetwork(process.env);
  }

  /** A profile may be given as a path; from here on it is its name. */
  protected override async parse<F extends Parsed, B extends Parsed, A extends Parsed>(
    options?: Interfaces.Input<F, B, A>,
    argv?: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    const parsed = await this.parseComplete(options, argv ?? this.argv);
    this.#parsed = parsed;
    const { profile } = parsed.flags as Parsed;
    // Not one that is about to be made.
    const declared: typeof this.ctor.flags | undefined = this.ctor.flags;
    const isKnown = declared?.['profile']?.env === 'SYSTEMPROMPT_PROFILE';
    if (!isKnown || typeof profile !== 'string') return parsed;
    const { profileNameOf } = await import('./profile/name-of.ts');
    const named = { ...parsed, flags: { ...parsed.flags, profile: await profileNameOf(this.context, profile) } };
    this.#parsed = named;
    return named;
  }

  /** Asks for what is missing: oclif itself would only say so. */
  private async parseComplete<F extends Parsed, B extends Parsed, A extends Parsed>(
    options: Interfaces.Input<F, B, A> | undefined,
    argv: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    try {
      return await super.parse(options, argv);
    } catch (error) {
      if (!(error instanceof Error) || !/Missing (?:\d+ )?required/.test(error.message)) throw error;
      const { completedLine } = await import('./missing-values.ts');
      const completed = await completedLine(error, { argv, command: this.ctor }, this.context);
      if (completed === undefined) throw error;
      return await this.parseComplete(options, [...completed]);
    }
  }

  #context: Context | undefined;
  #parsed: Interfaces.ParserOutput | undefined;

  /** Everything that comes from outside of the program. */
  protected get context(): Context {
    this.#context ??= this.createContext();
    return this.#context;
  }

  /** Tests override this to put a command into another world. */
  protected createContext(): Context {
    return createContext(
      processWorld({
        version: this.config.version,
        json: this.jsonEnabled(),
        refused: this.given('--non-interactive'),
        emit: (event) => this.emitEvent(event),
      }),
    );
  }

  /** One line for programs, while the command goes on; nothing without `--json-lines`. */
  protected emitEvent(event: CommandEvent): void {
    if (!this.lines) return;
    const { type, ...rest } = event;
    process.stdout.write(
      `${JSON.stringify({ type, at: new Date().toISOString(), ...(toSnakeCase(rest) as object) })}\n`,
    );
  }

  override jsonEnabled(): boolean {
    return this.lines || super.jsonEnabled();
  }

  override logJson(json: unknown): void {
    if (!this.lines) {
      process.stdout.write(`${JSON.stringify(json, undefined, 2)}\n`);
      return;
    }
    const failure = typeof json === 'object' && json !== null && 'error' in json;
    const line = failure ? { type: 'error', ...json } : { type: 'result', result: json };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }

  /** To a terminal, nothing of others that steers it; a pipe gets every byte. */
  override log(message = '', ...values: unknown[]): void {
    super.log(process.stdout.isTTY ? plainText(message) : message, ...values);
  }

  /** oclif's own would look at nothing but the exit code and print every enumerable field of an error. */
  protected override async catch(thrown: unknown): Promise<void> {
    // Not before something has failed: the advice for every code is long.
    const { describeError, renderError } = await import('./describe-error.ts');
    const error = (await this.aboutFlags(thrown)) ?? thrown;
    const described = await this.carry(describeError(error, { env: process.env }));
    process.exitCode = described.exitCode;
    if (this.jsonEnabled()) this.logJson(described.json);
    else writeStderr(renderError(described));
  }

  protected override async finally(thrown: Error | undefined): Promise<void> {
    await super.finally(thrown);
    const { env, stdout, stderr } = process;
    // stdout first: in a pipe, stderr need not even be made.
    if (!wantsUpdateNotice({ env, terminal: stdout.isTTY && stderr.isTTY, json: this.jsonEnabled() })) return;
    const { root, version } = this.config;
    const { tellOfUpdate } = await import('./update/update-notice.ts');
    tellOfUpdate({ env, current: version, root, write: writeStderr });
  }

  protected override toSuccessJson(result: unknown): unknown {
    return toSnakeCase(result);
  }

  /**
   * What a person is told to run next, about what they chose on this command line: as it is, it would be about the tenant
   * that is chosen without a flag.
   */
  protected async goOn(text: string): Promise<string> {
    return (await this.carrier({}))(text);
  }

  private async carry(described: DescribedError): Promise<DescribedError> {
    const { tenantId } = described.facts;
    const isUnanswered = described.exitCode === exitCodes.inputNeeded;
    const known = typeof tenantId === 'string' ? tenantId : undefined;
    try {
      const { completeError } = await import('./describe-error.ts');
      return completeError(described, await this.carrier({ tenantId: known, isUnanswered }));
    } catch {
      // What has failed is told in any case.
      return described;
    }
  }

  private async carrier({
    tenantId,
    isUnanswered = false,
  }: {
    readonly tenantId?: string | undefined;
    readonly isUnanswered?: boolean;
  }): Promise<(text: string) => string> {
    const { carryTarget, chosenTarget, counterparts, otherApi } = await import('./carry-target.ts');
    const { again, ...chosen } = chosenTarget(this.#parsed, this.ctor);
    const target = {
      ...chosen,
      ...(await counterparts(this.context, { profile: chosen.profile, tenantId })),
      // A command that takes the API has chosen it, also by default.
      environment: 'environment' in (this.ctor.flags ?? {}) ? chosen.environment : otherApi(this.context),
      ...(isUnanswered ? { again } : {}),
    };
    return (text) => carryTarget(text, target, (words) => this.config.findCommand(words.join(':')));
  }

  private async aboutFlags(error: unknown): Promise<unknown> {
    if (!(error instanceof Error) || !('flags' in error) || !('oclif' in error)) return undefined;
    const { unknownFlags } = await import('./unknown-flags.ts');
    return unknownFlags(error, { ...this.ctor.baseFlags, ...this.ctor.flags });
  }

  private get lines(): boolean {
    return this.given('--json-lines') || isSet(process.env, 'SYSTEMPROMPT_JSON_LINES');
  }

  /** Asked before the command line is parsed, because its errors are to be JSON too. */
  private given(flag: string): boolean {
    const end = this.argv.indexOf('--');
    return (end === -1 ? this.argv : this.argv.slice(0, end)).includes(flag);
  }
}
