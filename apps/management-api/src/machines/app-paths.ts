/** The folder of a tenant image that belongs to the tenant; everything else is the operating system's. */
export const appRoot = '/app';

/** A path of the image as a path of this computer: `/app` and what is below it move to `directory`. */
export function mapAppPath(value: string, directory: string): string {
  return value === appRoot || value.startsWith(`${appRoot}/`) ? directory + value.slice(appRoot.length) : value;
}

/** An environment with its image paths mapped: whole values, and each part of a search path (`PATH`, `NODE_PATH`…). */
export function mapAppEnvironment(
  environment: Readonly<Record<string, string>>,
  directory: string,
): Record<string, string> {
  const map = ([name, value]: [string, string]): [string, string] => {
    if (!name.endsWith('PATH')) return [name, mapAppPath(value, directory)];
    return [
      name,
      value
        .split(':')
        .map((part) => mapAppPath(part, directory))
        .join(':'),
    ];
  };
  return Object.fromEntries(Object.entries(environment).map(map));
}
