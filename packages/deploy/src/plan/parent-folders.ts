/** The folders above `path`, the nearest first, up to `top`. */
export function parentFolders(path: string, top: string): readonly string[] {
  const found: string[] = [];
  for (let end = path.lastIndexOf('/'); end >= top.length; end = path.lastIndexOf('/', end - 1)) {
    found.push(path.slice(0, end));
  }
  return found;
}
