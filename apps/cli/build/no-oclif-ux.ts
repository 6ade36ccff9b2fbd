// What stands in for oclif's own output in the bundle: it would look at the terminal and at colours before anything is
// said. Commands write through `BaseCommand`; what is left are names inside of error messages, which stay plain.
export const stdtermwidth = 80;
export const errtermwidth = 80;
export const colorize = (_color: unknown, text: string): string => text;
export const stdout = (text = ''): void => void process.stdout.write(`${text}\n`);
export const stderr = (text = ''): void => void process.stderr.write(`${text}\n`);
export const ux: object = { colorize, stdout, stderr, action: { stop: (): void => undefined } };
