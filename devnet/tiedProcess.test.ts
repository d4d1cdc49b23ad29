import { describe, expect, it } from '@jest/globals';
import { buildSync } from 'esbuild';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../service/freePort.js';
import { spawnTied } from './tiedProcess.js';

const server = (port: number): string =>
  `require('node:http').createServer((_, answer) => answer.end()).listen(${port}, '127.0.0.1')`;

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}`).then(
    () => true,
    () => false,
  );
}

describe('spawnTied', () => {
  it('reports how the process ended and what it wrote', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'matchmaker-tied-'));
    try {
      const logFile = join(folder, 'child.log');
      const child = await spawnTied(
        process.execPath,
        ['-e', 'console.log("out"); console.error("err"); process.exit(7)'],
        { logFile },
      );
      expect(await child.exited).toEqual({ code: 7, signal: null });
      expect(child.isRunning()).toBe(false);
      expect(readFileSync(logFile, 'utf8').trim().split('\n').sort()).toEqual(['err', 'out']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('kills a process that does not end when asked to', async () => {
    const port = await freePort();
    const child = await spawnTied(process.execPath, ['-e', `process.on('SIGTERM', () => {}); ${server(port)}`]);
    while (!(await answers(port))) await sleep(10);
    await child.stop(50);
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('rejects when there is no such program', async () => {
    await expect(spawnTied('/no/such/program', [])).rejects.toThrow(/ENOENT/);
  });

  it('ends with a parent that is killed without warning', async () => {
    const port = await freePort();
    const bundle = buildSync({
      entryPoints: ['devnet/tiedProcess.ts'],
      bundle: true,
      write: false,
      format: 'cjs',
      platform: 'node',
    });
    const program = `const module_ = { exports: {} };
      (function (module, exports) { ${bundle.outputFiles[0]?.text} })(module_, module_.exports);
      module_.exports.spawnTied(process.execPath, ['-e', ${JSON.stringify(server(port))}]);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'ignore', 'inherit'] });
    while (!(await answers(port))) {
      expect(parent.exitCode).toBe(null);
      await sleep(10);
    }
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    while (await answers(port)) await sleep(10);
    expect(await answers(port)).toBe(false);
  });
});
