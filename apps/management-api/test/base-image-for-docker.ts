import { mkdir } from 'node:fs/promises';

// By a URL and not by name: the tools are no part of this package, and its TypeScript project ends at its folder.
const tools = new URL('../../../tools/src/base-image.ts', import.meta.url).href;

/** The base image of the tools, made of this computer's Node. */
export async function writeBaseImage(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const module = (await import(tools)) as { writeBaseImage(directory: string): Promise<{ directory: string }> };
  return (await module.writeBaseImage(directory)).directory;
}
