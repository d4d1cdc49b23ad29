import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import type { Hex } from 'viem';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { OrderState } from '../../protocol/words/orderWord.js';
import { LocalNetwork } from './localNetwork.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCENARIO_MS = 400_000;
/** For the commands of both pages; a page that waits for what never comes must say where. */
const STORY_MS = 300_000;
/** The pages' own way to start a market, which this test has done already. */
const START = 'bin/demo --keep --run-dir market --rpc-port 8545\n';
const RPC_URL = 'http://127.0.0.1:8545';

let network: LocalNetwork;
let folder: string;
let programKey: Hex | undefined;
const shells = new Set<ChildProcess>();

beforeAll(async () => {
  network = await LocalNetwork.start({ bidWindowBlocks: 60 });
  await network.run();
  // Something to pay operators for, in a period that is over when the restaker's page asks.
  const { orderId } = await network.order();
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-stories-'));
  for (const name of ['dist', 'docs', 'config']) symlinkSync(path.join(ROOT, name), path.join(folder, name));
  const newcomers = ['program', 'tenant', 'provider', 'operator', 'restaker'];
  [programKey] = await network.writeMarketFolder(path.join(folder, 'market'), newcomers);
  network.carryTables();
  await network.leased(orderId);
}, SCENARIO_MS);

afterAll(async () => {
  for (const shell of shells) process.kill(-(shell.pid as number), 'SIGKILL');
  await network?.stop();
  rmSync(folder, { recursive: true, force: true });
}, SCENARIO_MS);

/** The shell blocks of a page in their order, in two parts where a heading divides them. */
function blocksOf(page: string, heading?: string): { before: string; after: string } {
  const text = readFileSync(path.join(ROOT, page), 'utf8');
  const at = heading === undefined ? text.length : text.indexOf(`\n${heading}`);
  if (at === -1) throw new Error(`${page} has no heading ${heading}`);
  const shellOf = (part: string): string => {
    const blocks = [...part.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block);
    return blocks
      .filter((block) => block !== START)
      .join('')
      .replaceAll(RPC_URL, network.rpcUrl);
  };
  expect(text).toContain(START);
  return { before: shellOf(text.slice(0, at)), after: shellOf(text.slice(at)) };
}

/** A terminal of its own: every command of a part must end with 0, and variables stay for the next part. */
class Terminal {
  readonly #shell = spawn('bash', ['-e'], { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  #output = '';
  #exited: Promise<unknown>;

  constructor() {
    shells.add(this.#shell);
    for (const stream of [this.#shell.stdout, this.#shell.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
    this.#exited = once(this.#shell, 'exit').then(() => shells.delete(this.#shell));
  }

  /** Runs a part; throws with all output so far when a command fails. */
  async run(script: string): Promise<void> {
    const done = `part-${this.#output.length}-is-done`;
    const seen = new Promise<void>((resolve) => {
      this.#shell.stdout.on('data', () => {
        if (this.#output.includes(`\n${done}\n`)) resolve();
      });
    });
    this.#shell.stdin.write(`set -ex\n${script}\n{ set +x; } 2>/dev/null\nprintf '\\n%s\\n' ${done}\n`);
    const failed = this.#exited.then(() => {
      throw new Error(`a command of the page failed:\n${this.#output}`);
    });
    const late = AbortSignal.timeout(STORY_MS);
    const tooLate = once(late, 'abort').then(() => {
      throw new Error(`the page does not get on:\n${this.#output}`);
    });
    await Promise.race([seen, failed, tooLate]);
    failed.catch(() => undefined);
    tooLate.catch(() => undefined);
  }

  /** Ends the shell; its last command must have succeeded. */
  async end(): Promise<string> {
    this.#shell.stdin.end();
    await this.#exited;
    expect(this.#shell.exitCode).toBe(0);
    return this.#output;
  }
}

/** Runs a whole page in a terminal of its own, and gives what it printed. */
async function runPage(page: string): Promise<string> {
  const terminal = new Terminal();
  await terminal.run(blocksOf(page).before);
  return terminal.end();
}

/** Runs docs/tenant.md and docs/provider.md, whose reader goes from one to the other where they say. */
async function runTrade(): Promise<[served: string, deployed: string]> {
  const provider = blocksOf('docs/provider.md', '## 4. Bid');
  const tenant = blocksOf('docs/tenant.md', '## 3. Post');
  const providerTerminal = new Terminal();
  const tenantTerminal = new Terminal();
  await Promise.all([providerTerminal.run(provider.before), tenantTerminal.run(tenant.before)]);
  await Promise.all([providerTerminal.run(provider.after), tenantTerminal.run(tenant.after)]);
  return [await providerTerminal.end(), await tenantTerminal.end()];
}

// The pages are for different people on one market, and mostly wait: they run side by side.
test(
  'the stories of tenant, provider, operator and restaker run as their pages have them',
  async () => {
    const [[served, deployed], operated, restaked] = await Promise.all([
      runTrade(),
      runPage('docs/operator.md'),
      runPage('docs/restaker.md'),
    ]);
    expect(served).toContain('unbonding 1 paid 20000');
    expect(deployed).toContain('(ByTenant)');

    expect(operated).toMatch(/^ok +operator table +table of 5 operators, .* with this key$/m);
    expect(operated).toMatch(/^ok +socket /m);
    expect(operated).not.toMatch(/^FAIL /m);
    expect(operated).toContain('"node_name":"Matchmaker"');
    expect(operated).toMatch(/^0x\w+ left operator set \d+ in block \d+$/m);

    expect(restaked).toMatch(/^delegated to 0x\w{40}$/m);
    expect(restaked).toMatch(/^paid (?!0 )[\d.]+ SPON to 0x\w{40}$/m);
    expect(restaked.match(/^queued 0x\w{64}$/gm)).toHaveLength(2);
  },
  SCENARIO_MS,
);

test(
  'the program of README.md posts an order',
  async () => {
    const [, program = ''] = /^```ts\n([^]*?)^```$/m.exec(readFileSync(path.join(ROOT, 'README.md'), 'utf8')) ?? [];
    expect(program).toContain(RPC_URL);
    const outfile = path.join(folder, 'program.mjs');
    await build({
      stdin: { contents: program.replace(RPC_URL, network.rpcUrl), resolveDir: ROOT, loader: 'ts' },
      bundle: true,
      format: 'esm',
      platform: 'node',
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      outfile,
      logLevel: 'silent',
    });
    const running = spawn(process.execPath, [outfile], {
      cwd: folder,
      env: { ...process.env, TENANT_KEY: programKey },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    running.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [code] = await once(running, 'close');
    expect(code).toBe(0);
    const orderId = Number(/orderId: (\d+)/.exec(output)?.[1]);
    expect(await network.orderState(orderId)).toBe(OrderState.OPEN);
  },
  SCENARIO_MS,
);
