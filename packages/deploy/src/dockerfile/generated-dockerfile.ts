import { parseInstructions } from './instructions.ts';

/** What a generated Dockerfile consists of, of this package and of the predecessor; each must be there at least once. */
const required: readonly RegExp[] = [
  /^FROM debian:(?:bookworm|trixie)-slim$/,
  /^RUN apt-get update && apt-get install -y (?:--no-install-recommends )?ca-certificates curl libssl3(?:t64)? libpq5 lsof && rm -rf \/var\/lib\/apt\/lists\/\*$/,
  /^RUN useradd -m -u 1000 app$/,
  /^WORKDIR \/app$/,
  /^RUN mkdir -p(?: \/app[\w/.-]*)+(?: && chown -R 1000:1000 \/app)?$/,
  /^COPY target\/release\/systemprompt \/app\/bin\/(?:systemprompt)?$/,
  /^COPY services\/? \/app\/services\/?$/,
  /^COPY \.systemprompt\/profiles\/? \/app\/services\/profiles\/?$/,
  /^USER (?:app|1000:1000)$/,
  /^EXPOSE 8080$/,
  /^ENV HOST=0\.0\.0\.0 PORT=8080 RUST_LOG=info PATH=\/app\/bin:\$PATH (?:SYSTEMPROMPT_PROFILE=\/app\/services\/profiles\/[\w-]+\/profile\.yaml )?SYSTEMPROMPT_SERVICES_PATH=\/app\/services SYSTEMPROMPT_TEMPLATES_PATH=\/app\/services\/web\/templates SYSTEMPROMPT_ASSETS_PATH=\/app\/services\/web\/assets$/,
  /^HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 CMD curl -f http:\/\/localhost:8080\/api\/v1\/health \|\| exit 1$/,
  /^CMD \[ ?\/app\/bin\/systemprompt, ?infra, ?services, ?serve, ?--foreground ?\]$/,
];

/** What may be there as well: the project decides. */
const optional: readonly RegExp[] = [
  /^COPY target\/release\/[\w.-]+ \/app\/bin\/[\w.-]*$/,
  /^COPY storage\/? \/app\/storage\/?$/,
  /^COPY web\/dist\/? \/app\/web\/dist\/?$/,
  /^COPY (extensions\/[^\s]+?)\/? \/app\/\1\/?$/,
  /^RUN chmod \+x \/app\/bin\/\* && chown -R app:app \/app$/,
  /^LABEL io\.systemprompt\.profile=[\w-]+$/,
];

/** Whether nobody has touched the file since it was made: then the project's plan says the same, and is newer. */
export function isGeneratedDockerfile(text: string): boolean {
  const instructions = parseInstructions(text).map(({ name, rest }) => `${name} ${plain(name, rest)}`);
  const known = (instruction: string): boolean =>
    [...required, ...optional].some((pattern) => pattern.test(instruction));
  return instructions.every(known) && required.every((pattern) => instructions.some((line) => pattern.test(line)));
}

/** Without quotes, and without the owner and the brackets of a COPY. */
function plain(name: string, rest: string): string {
  const bare = rest.replaceAll('"', '');
  if (name !== 'COPY') return bare;
  return bare.replace(/^--chown=(?:1000:1000|app:app) /, '').replace(/^\[ ?(.*?), ?(.*?) ?\]$/, '$1 $2');
}
