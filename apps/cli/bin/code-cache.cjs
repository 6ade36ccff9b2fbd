'use strict';
// Runs a bundle with the code that V8 made of it before. The cache is the user's own, and never needed: whatever is
// wrong with it, the bundle is compiled as usual.
const fs = require('node:fs');
const { createRequire } = require('node:module');
const { homedir } = require('node:os');
const { dirname, join } = require('node:path');
const vm = require('node:vm');

/** The folder for this build of the program on this Node. */
function cacheFolder(hash) {
  const { XDG_CACHE_HOME: xdg, HOME: home } = process.env;
  const root = xdg?.startsWith('/') ? xdg : join(home || homedir(), '.cache');
  return join(root, 'systemprompt', 'code', `${hash}-${process.version}-${process.arch}`);
}

/** Code is run from it, so it must be a plain file that only this user can have written. */
function readCache(path) {
  try {
    const { uid, mode } = fs.lstatSync(path);
    if (process.getuid && (uid !== process.getuid() || (mode & 0o170022) !== 0o100000)) return undefined;
    return fs.readFileSync(path);
  } catch {
    return undefined;
  }
}

function writeCache(path, data) {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    const folder = dirname(path);
    if (!fs.existsSync(folder)) removeOthers(folder);
    makeFolders(folder);
    fs.writeFileSync(draft, data, { mode: 0o600, flag: 'wx' });
    fs.renameSync(draft, path);
  } catch {
    // A cache that cannot be kept is no reason to fail; what is left of the draft goes with the next version.
  }
}

/** Level by level: `recursive` never ends below a folder such as /proc, where making one is answered with ENOENT. */
function makeFolders(folder) {
  if (fs.existsSync(folder)) return;
  makeFolders(dirname(folder));
  try {
    fs.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may just have made it.
    if (error.code !== 'EEXIST') throw error;
  }
}

/** What other versions left; `folder` is about to be made. */
function removeOthers(folder) {
  const parent = dirname(folder);
  if (!fs.existsSync(parent)) return;
  for (const name of fs.readdirSync(parent)) fs.rmSync(join(parent, name), { recursive: true, force: true });
}

let build;

/** The exports of one of the libraries that are bundles of their own. */
exports.runPart = (name) =>
  exports.runBundle(join(__dirname, '..', 'dist', 'parts', `${name}.cjs`), { id: `part-${name}`, hash: build });

/** The exports of the CommonJS bundle at `path`. Each command has its own cache: another one needs other functions. */
exports.runBundle = (path, { id, hash }) => {
  build = hash;
  // The bundle is ASCII: as Latin-1 it is read without decoding.
  const source = `(function (exports, require, module, __filename, __dirname) {${fs.readFileSync(path, 'latin1')}\n})`;
  const cachePath = join(cacheFolder(hash), `${id.replaceAll(':', '-')}.bin`);
  const cachedData = readCache(cachePath);
  const script = new vm.Script(source, { filename: path, cachedData });
  // At the end, because then V8 knows the functions that were called too. A runner of CI does not come back.
  if ((cachedData === undefined || script.cachedDataRejected) && !process.env.CI) {
    process.once('exit', () => writeCache(cachePath, script.createCachedData()));
  }
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(path), module, path, dirname(path));
  return module.exports;
};
