#!/usr/bin/env node
import { main } from '../dist/main.js';

await main(process.argv.slice(2));
// What a library forgot to close must not keep a program alive that is done.
process.exit();
