// Runs one machine of the process driver and outlives the control plane for a while: writes the machine's output to its
// log with times, starts it again when it crashes, keeps it within its memory, and ends it when nobody owns it any more.
// Plain JavaScript, because it is a program of its own: the driver starts it with `node`, and describes the machine to it
// on standard input, where secrets are not seen by others. It leads the process group that the machine is in.
import { spawn } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { text } from 'node:stream/consumers';

/** A machine that ran this long before it crashed has all its restarts again, in milliseconds. */
const soundMs = 10_000;
const firstPauseMs = 100;
const lookMs = 1000;
/** A longer line is written as several, in characters. */
const longLine = 16 * 1024;
const notStarted = 127;
/** The control plane and the databases come first, 0 being usual and 19 the last. */
const niceness = 10;

const plan = JSON.parse(await text(process.stdin));
const log = openLog();
let child;
let restarts = 0;
let stopping = false;
let ownerSeen = performance.now();

function openLog() {
  const file = openSync(plan.log, 'a', 0o600);
  return { file, size: fstatSync(file).size };
}

function writeLine(stream, message) {
  const line = Buffer.from(`${new Date().toISOString()} ${stream} ${message}\n`);
  try {
    if (log.size + line.length > plan.max_log_bytes / 2) {
      closeSync(log.file);
      renameSync(plan.log, `${plan.log}.1`);
      Object.assign(log, openLog());
    }
    log.size += writeSync(log.file, line);
  } catch {
    // A full disk costs lines, not the machine.
  }
}

function readLines(source, stream) {
  let rest = '';
  source.setEncoding('utf8');
  source.on('data', (chunk) => {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = lines.pop();
    for (const line of lines) writeLine(stream, line);
    for (; rest.length > longLine; rest = rest.slice(longLine)) writeLine(stream, rest.slice(0, longLine));
  });
  return () => rest === '' || writeLine(stream, rest);
}

function run() {
  const startedAt = performance.now();
  child = spawn(plan.command, plan.args, { cwd: plan.cwd, env: plan.env, stdio: ['ignore', 'pipe', 'pipe'] });
  stepBack(child.pid);
  const finish = [readLines(child.stdout, 'stdout'), readLines(child.stderr, 'stderr')];
  child.once('error', (error) => {
    writeLine('stderr', `cannot start ${plan.shown_command}: ${error.code ?? 'unknown failure'}`);
    end(notStarted);
  });
  child.once('exit', (code, signal) => {
    void goOn({ exitCode: code ?? 128 + constants.signals[signal], startedAt, finish });
  });
}

/** What it starts itself inherits it. */
function stepBack(pid) {
  try {
    if (pid !== undefined) setPriority(pid, Math.max(getPriority(), niceness));
  } catch {
    // It has ended already, or the operating system has no such thing.
  }
}

async function goOn({ exitCode, startedAt, finish }) {
  // Its children may hold the pipes open; what it said itself is there at once.
  await Promise.race([new Promise((done) => child.once('close', done)), pause(200)]);
  for (const writeRest of finish) writeRest();
  if (performance.now() - startedAt > soundMs) restarts = 0;
  if (exitCode === 0 || stopping || restarts === plan.max_restarts) return end(exitCode);
  await pause(firstPauseMs * 2 ** restarts);
  restarts += 1;
  if (stopping) end(exitCode);
  else run();
}

function end(exitCode) {
  writeFileSync(`${plan.exit}.tmp`, `${exitCode}\n`, { mode: 0o600 });
  renameSync(`${plan.exit}.tmp`, plan.exit);
  process.exit(exitCode);
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The fields of a process from its state on: the name before them may hold anything. */
const statOf = (pid) =>
  readText(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');

function isOwned() {
  try {
    const owner = JSON.parse(readText(plan.owner));
    process.kill(owner.pid, 0);
    return process.platform !== 'linux' || statOf(owner.pid)[19] === owner.start_time;
  } catch {
    return false;
  }
}

/** The processes of the group but this one; only Linux tells. */
function members() {
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return pids.filter((pid) => statOf(pid)[2] === String(process.pid));
}

function look() {
  if (isOwned()) ownerSeen = performance.now();
  else if (!stopping && performance.now() - ownerSeen > plan.orphan_grace_ms) {
    signal(-process.pid, 'SIGTERM');
    setTimeout(() => signal(-process.pid, 'SIGKILL'), plan.stop_grace_ms);
  }
  const group = members();
  const kilobytes = group.map((pid) => Number(/^RssAnon:\s+(\d+)/m.exec(readText(`/proc/${pid}/status`))?.[1] ?? 0));
  const used = kilobytes.reduce((sum, one) => sum + one, 0) / 1024;
  if (used <= plan.memory_mb) return;
  writeLine('stderr', `killed: it used ${Math.round(used)} MB of memory, and may use ${plan.memory_mb}`);
  for (const pid of group) signal(Number(pid), 'SIGKILL');
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}

// The machine gets the group's signal itself.
process.on('SIGTERM', () => {
  stopping = true;
});
setInterval(look, lookMs);
run();
