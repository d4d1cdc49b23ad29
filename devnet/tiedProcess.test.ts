import { describe, expect, it } from '@jest/globals';
import { buildSync } from 'esbuild';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
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

  it('removes what a process needed while it ran, however it ended, or did not begin', async () => {
    for (const how of ['by itself', 'stopped', 'never began']) {
      const scratchFolder = mkdtempSync(join(tmpdir(), 'matchmaker-tied-'));
      const script = `require('node:fs').writeFileSync('state', 'x'); ${how === 'stopped' ? 'setInterval(() => {}, 1e6)' : ''}`;
      const program = how === 'never began' ? '/no/such/program' : process.execPath;
      const starting = spawnTied(program, ['-e', script], { cwd: scratchFolder, scratchFolder });
      if (how === 'never began') {
        await expect(starting).rejects.toThrow(/ENOENT/);
      } else {
        const child = await starting;
        while (how === 'stopped' && !existsSync(join(scratchFolder, 'state'))) await sleep(10);
        if (how === 'stopped') await child.stop();
        await child.exited;
      }
      expect(existsSync(scratchFolder)).toBe(false);
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

  it('ends with a parent that is killed without warning, and leaves no folder behind', async () => {
    const port = await freePort();
    const scratchFolder = mkdtempSync(join(tmpdir(), 'matchmaker-tied-'));
    const bundle = buildSync({
      entryPoints: ['devnet/tiedProcess.ts'],
      bundle: true,
      write: false,
      format: 'cjs',
      platform: 'node',
    });
    const program = `const module_ = { exports: {} };
      (function (module, exports) { ${bundle.outputFiles[0]?.text} })(module_, module_.exports);
      const options = ${JSON.stringify({ scratchFolder })};
      module_.exports.spawnTied(process.execPath, ['-e', ${JSON.stringify(server(port))}], options);
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
    while (existsSync(scratchFolder)) await sleep(10);
  });
});
