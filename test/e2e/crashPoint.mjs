// Loaded into an operator before its own code (`node --import`): kills it at the step of signing that CRASH_AT names.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const crashAt = process.env.CRASH_AT;
const { openSync, writeSync, fdatasyncSync, renameSync, ftruncateSync, fstatSync } = fs;
const { fetch } = globalThis;
/** What an open file is for, by its descriptor. */
const roles = new Map();

function roleOf(file) {
  if (String(file).endsWith('guard.wal')) return 'record';
  return /outbox.*\.json\.new$/.test(String(file)) ? 'outbox' : undefined;
}

function die() {
  process.kill(process.pid, 'SIGKILL');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

fs.openSync = (file, ...rest) => {
  const role = roleOf(file);
  if (role === 'outbox' && crashAt === 'before-outbox') die();
  const descriptor = openSync(file, ...rest);
  roles.set(descriptor, role);
  return descriptor;
};
let durableBytes = 0;
fs.writeSync = (descriptor, data, ...rest) => {
  const role = roles.get(descriptor);
  if (role === 'record') {
    durableBytes = fstatSync(descriptor).size;
    if (crashAt === 'before-record') die();
  }
  if (role !== undefined && crashAt === `torn-${role}`) {
    const bytes = Buffer.from(data);
    writeSync(descriptor, bytes.subarray(0, Math.floor(bytes.length / 2)));
    die();
  }
  return writeSync(descriptor, data, ...rest);
};
fs.fdatasyncSync = (descriptor) => {
  const isRecord = roles.get(descriptor) === 'record';
  if (isRecord && crashAt === 'record-written') die();
  if (isRecord && crashAt === 'record-lost') {
    // The power fails: what was not flushed is gone.
    ftruncateSync(descriptor, durableBytes);
    die();
  }
  fdatasyncSync(descriptor);
  if (isRecord && crashAt === 'record-flushed') die();
};
fs.renameSync = (from, to) => {
  const isOutbox = roleOf(from) === 'outbox';
  if (isOutbox && crashAt === 'outbox-written') die();
  renameSync(from, to);
  if (isOutbox && crashAt === 'outbox-stored') die();
};
globalThis.fetch = async (target, options) => {
  const isPost = options?.method === 'POST' && target instanceof URL && target.pathname.endsWith('/signatures');
  if (isPost && crashAt === 'before-post') die();
  const response = await fetch(target, options);
  if (isPost && crashAt === 'after-post') die();
  return response;
};
syncBuiltinESMExports();
