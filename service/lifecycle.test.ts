import { EventEmitter } from 'node:events';

import { expect, test } from '@jest/globals';
import { pino } from 'pino';

import { systemClock, type Clock } from './clock.js';
import { Lifecycle } from './lifecycle.js';

class Host extends EventEmitter {
  readonly exits: number[] = [];
  readonly #waiting: (() => void)[] = [];

  exit(code: number): void {
    this.exits.push(code);
    for (const resolve of this.#waiting) resolve();
  }

  exited(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

function build(clock: Clock = systemClock): { host: Host; lifecycle: Lifecycle; lines: string[] } {
  const host = new Host();
  const lines: string[] = [];
  const logger = pino({}, { write: (line: string) => lines.push(line) });
  const lifecycle = new Lifecycle({ shutdownTimeoutMs: 60_000 }, { logger, clock, host });
  lifecycle.install();
  return { host, lifecycle, lines };
}

test('the first signal aborts, closes in reverse order and exits 0', async () => {
  const { host, lifecycle } = build();
  const closed: string[] = [];
  lifecycle.onShutdown('first', () => void closed.push(`first ${lifecycle.signal.aborted}`));
  lifecycle.onShutdown('second', async () => void closed.push('second'));
  host.emit('SIGTERM', 'SIGTERM');
  await host.exited();
  expect(closed).toEqual(['second', 'first true']);
  expect(host.exits).toEqual([0]);
});

test('a second signal exits 1 at once', async () => {
  const { host, lifecycle } = build();
  let release = (): void => undefined;
  lifecycle.onShutdown('slow', () => new Promise<void>((resolve) => (release = resolve)));
  host.emit('SIGINT', 'SIGINT');
  host.emit('SIGINT', 'SIGINT');
  expect(host.exits).toEqual([1]);
  release();
  await lifecycle.stop('again');
});

test('a closer that fails does not keep the others from closing, and the exit code is 1', async () => {
  const { lifecycle, lines } = build();
  let closed = false;
  lifecycle.onShutdown('good', () => void (closed = true));
  lifecycle.onShutdown('bad', () => Promise.reject(new Error('stuck')));
  await expect(lifecycle.stop('test')).resolves.toBe(1);
  expect(closed).toBe(true);
  expect(lines.join()).toContain('"what":"bad"');
});

test('the deadline ends the wait and names what is still open', async () => {
  const { lifecycle, lines } = build({ ...systemClock, sleep: () => Promise.resolve() });
  lifecycle.onShutdown('hangs', () => new Promise<void>(() => undefined));
  await expect(lifecycle.stop('test')).resolves.toBe(1);
  expect(lines.join()).toMatch(/close_timeout.*"what":"hangs"/);
});

test.each(['uncaughtException', 'unhandledRejection'])('%s is logged and exits 1 without closing', (event) => {
  const { host, lifecycle, lines } = build();
  let closed = false;
  lifecycle.onShutdown('state', () => void (closed = true));
  host.emit(event, new Error('boom'));
  expect(host.exits).toEqual([1]);
  expect(closed).toBe(false);
  expect(lines.join()).toMatch(/crashed.*boom/);
});
