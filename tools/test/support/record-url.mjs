#!/usr/bin/env node
// Stands where a browser would: writes down the URL, so that a test can open it in a browser of its own.
import { renameSync, writeFileSync } from 'node:fs';

const file = process.env.SP_TEST_URL_FILE;
writeFileSync(`${file}.new`, `${process.argv[2]}\n`);
renameSync(`${file}.new`, file);
