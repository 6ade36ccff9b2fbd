import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeBaseImage } from './base-image.ts';

// Makes the base image in the folder given, or in the cache of this package, and prints the folder.
const cache = fileURLToPath(new URL('../node_modules/.cache/base-image', import.meta.url));
const { directory } = await writeBaseImage(resolve(process.argv[2] ?? cache));
process.stdout.write(`${directory}\n`);
