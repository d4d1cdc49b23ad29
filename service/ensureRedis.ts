import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Redis } from 'ioredis';

import { MatchmakerError } from '../engine/error.js';
import { freePort } from './freePort.js';
import type { Logger } from './logger.js';

/** No Redis could be found or started. */
export class RedisUnavailableError extends MatchmakerError<'REDIS_UNAVAILABLE'> {
  constructor(detail: string, cause?: unknown) {
    super('REDIS_UNAVAILABLE', detail, { retryable: true, cause });
  }
}

/** A Redis server that the caller may use, and stop if it was started here. */
export interface EnsuredRedis {
  readonly url: string;
  /** `url`: given; `binary`: a server of this machine, started here; `embedded`: js-redis-server, started here. */
  readonly source: 'url' | 'binary' | 'embedded';
  /** Stops the server if it was started here; otherwise does nothing. */
  stop(): Promise<void>;
}

export interface EnsureRedisOptions {
  /** A running server; wins over everything. */
  readonly url?: string | undefined;
  /** Production refuses the embedded server. */
  readonly profile: 'production' | 'devnet';
  /** Environment that REDIS_URL, REDIS_SERVER_BIN and PATH are read from. */
  readonly env: NodeJS.ProcessEnv;
  /** Time a started server has to answer, milliseconds. */
  readonly startTimeoutMs?: number;
}

/**
 * Finds or starts a Redis: the given URL, else REDIS_URL, else REDIS_SERVER_BIN, redis-server or valkey-server of PATH on a
 * free loopback port without persistence, else the embedded server as a process of its own. A server started here ends with
 * this process, however that ends. Throws RedisUnavailableError.
 */
export async function ensureRedis(
  options: EnsureRedisOptions,
  dependencies: { logger: Logger },
): Promise<EnsuredRedis> {
  const { logger } = dependencies;
  const given = options.url ?? options.env['REDIS_URL'];
  if (given !== undefined && given !== '') {
    logger.info({ event: 'redis_source', source: 'url', redisUrl: given }, 'using the given Redis');
    return { url: given, source: 'url', stop: () => Promise.resolve() };
  }
  const startTimeoutMs = options.startTimeoutMs ?? 10_000;
  const binary = redisBinary(options.env);
  if (binary !== undefined) {
    const started = await startBinary(binary, startTimeoutMs);
    logger.info(
      { event: 'redis_source', source: 'binary', binary, redisUrl: started.url },
      'started a Redis server of this machine',
    );
    return started;
  }
  if (options.profile === 'production') {
    throw new RedisUnavailableError(
      'no Redis: set redisUrl or REDIS_URL, or put redis-server on PATH; the embedded server is not for production',
    );
  }
  const started = await startEmbedded(startTimeoutMs);
  logger.warn(
    { event: 'redis_source', source: 'embedded', redisUrl: started.url },
    'started the embedded Redis: volatile, not for production',
  );
  return started;
}

/** Path of REDIS_SERVER_BIN, redis-server or valkey-server, or undefined when there is none. Throws when REDIS_SERVER_BIN is not executable. */
function redisBinary(env: NodeJS.ProcessEnv): string | undefined {
  const named = env['REDIS_SERVER_BIN'];
  if (named !== undefined && named !== '') {
    if (!isExecutable(named)) throw new RedisUnavailableError(`REDIS_SERVER_BIN ${named} is not an executable file`);
    return named;
  }
  const folders = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return ['redis-server', 'valkey-server']
    .flatMap((name) => folders.map((folder) => path.join(folder, name)))
    .find(isExecutable);
}

async function startBinary(binary: string, startTimeoutMs: number): Promise<EnsuredRedis> {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'matchmaker-redis-')));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  // Another process may take the port between the probe and the start, so a failed start is tried on a new one.
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
    const child = spawnTied(binary, [...args, '--maxmemory-policy', 'noeviction']);
    const url = `redis://127.0.0.1:${port}`;
    try {
      await answers(url, child, startTimeoutMs, folder);
      return {
        url,
        source: 'binary',
        stop: async () => {
          await end(child);
          removeFolder();
        },
      };
    } catch (error) {
      await end(child);
      if (attempt === 3) {
        removeFolder();
        throw new RedisUnavailableError(`${binary} did not start`, error);
      }
    }
  }
}

async function startEmbedded(startTimeoutMs: number): Promise<EnsuredRedis> {
  const main = createRequire(import.meta.url).resolve('js-redis-server');
  const child = spawnTied(process.execPath, [path.join(path.dirname(main), 'cli.js'), '--port', '0']);
  try {
    const port = await announcedPort(child, startTimeoutMs);
    const url = `redis://127.0.0.1:${port}`;
    await answers(url, child, startTimeoutMs);
    return { url, source: 'embedded', stop: () => end(child) };
  } catch (error) {
    await end(child);
    throw new RedisUnavailableError('the embedded Redis did not start', error);
  }
}

/**
 * Starts a program under a shell that ends it when standard input closes, which also happens when this process is killed.
 * Its own session keeps a terminal's Ctrl-C from reaching it before the services have closed.
 */
function spawnTied(program: string, args: readonly string[]): ChildProcess {
  // KILL, because it keeps nothing anyway and the embedded server would first wait for its clients' blocking commands.
  const script = '"$@" & child=$!; read -r _; kill -KILL "$child" 2>/dev/null; wait "$child" 2>/dev/null';
  const child = spawn('/bin/sh', ['-c', script, 'sh', program, ...args], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin?.on('error', () => undefined);
  child.stdout?.resume();
  child.unref();
  // The pipes are sockets underneath, though typed as plain streams.
  for (const pipe of [child.stdin, child.stdout]) if (pipe instanceof Socket) pipe.unref();
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.ref();
  child.stdin?.end();
  await exited;
}

/**
 * Resolves when the server answers PING; rejects when it has not within the time. With `folder`, the server must be the one that works in
 * it: another that took the port in between answers just as well, and ends with somebody else.
 */
async function answers(url: string, child: ChildProcess, timeoutMs: number, folder?: string): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const redis = new Redis(url, {
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      connectTimeout: 1_000,
      disconnectTimeout: 100,
    });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      await redis.ping();
      if (folder === undefined) return;
      const works = await redis.config('GET', 'dir');
      if (Array.isArray(works) && works[1] === folder) return;
      throw new Error(`${url} is another server`);
    } catch (error) {
      if (performance.now() > deadline || child.exitCode !== null) throw error;
    } finally {
      redis.disconnect();
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function announcedPort(child: ChildProcess, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no port announced within ${timeoutMs} ms`)), timeoutMs);
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const port = /listening at \S+:(\d+)/.exec(text)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(Number(port));
    });
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
