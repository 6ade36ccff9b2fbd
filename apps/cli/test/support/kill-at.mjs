// Preloaded into the program: ends it as `kill -9` does, before or after the step that SP_TEST_KILL_AT names.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';

const [moment, kind, text] = (process.env['SP_TEST_KILL_AT'] ?? '').split('|');

function die() {
  process.kill(process.pid, 'SIGKILL');
  // A signal to oneself may come a moment later.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

const at = (seenKind, seen) => kind === seenKind && String(seen).includes(text);

const { rename } = fs.promises;
fs.promises.rename = async (from, to) => {
  if (moment === 'before' && at('rename', to)) die();
  await rename(from, to);
  if (moment === 'after' && at('rename', to)) die();
};
const { renameSync } = fs;
fs.renameSync = (from, to) => {
  if (moment === 'before' && at('rename', to)) die();
  renameSync(from, to);
  if (moment === 'after' && at('rename', to)) die();
};
const originalRename = fs.rename;
fs.rename = (from, to, done) => {
  if (moment === 'before' && at('rename', to)) die();
  originalRename(from, to, (error) => {
    if (moment === 'after' && at('rename', to)) die();
    done(error);
  });
};
syncBuiltinESMExports();

// What goes to Postgres without TLS is text.
const { write } = Socket.prototype;
Socket.prototype.write = function (chunk, ...rest) {
  if (moment === 'before' && typeof chunk !== 'string' && at('sql', Buffer.from(chunk).toString('latin1'))) die();
  return write.call(this, chunk, ...rest);
};
