import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPublicClient, http } from 'viem';
import { devAccounts } from './devAccounts.js';
import { anvilBinary, startAnvil, type Anvil } from './startAnvil.js';

const started: Anvil[] = [];
async function start(options: Parameters<typeof startAnvil>[0] = {}): Promise<Anvil> {
  const anvil = await startAnvil(options);
  started.push(anvil);
  return anvil;
}
afterEach(async () => {
  await Promise.all(started.splice(0).map((anvil) => anvil.stop()));
});

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('startAnvil', () => {
  it('answers with the chain id, gas limit and funded accounts that were asked for', async () => {
    const anvil = await start({ chainId: 412_346, accounts: 3, balanceEther: 7, gasLimit: 40_000_000 });
    const client = createPublicClient({ transport: http(anvil.url) });
    expect(await client.getChainId()).toBe(412_346);
    expect((await client.getBlock()).gasLimit).toBe(40_000_000n);
    const accounts = devAccounts();
    expect(await client.getBalance({ address: accounts(2).account.address })).toBe(7n * 10n ** 18n);
    expect(await client.getBalance({ address: accounts(3).account.address })).toBe(0n);
  });

  it('makes blocks on its own every interval, and only on demand when asked to', async () => {
    const [interval, demand] = await Promise.all([start({ mining: 0.1 }), start({ mining: 'on-demand' })]);
    const height = async (anvil: Anvil): Promise<bigint> =>
      createPublicClient({ transport: http(anvil.url) }).getBlockNumber({ cacheTime: 0 });
    while ((await height(interval)) < 3n) await sleep(20);
    expect(await height(demand)).toBe(0n);
    await createPublicClient({ transport: http(demand.url) }).request({ method: 'evm_mine' as never });
    expect(await height(demand)).toBe(1n);
  });

  it('is gone after stop', async () => {
    const anvil = await start();
    await anvil.stop();
    expect(processExists(anvil.pid)).toBe(false);
    await expect(fetch(anvil.url)).rejects.toThrow();
  });

  it('leaves no states of old blocks behind', async () => {
    const anvil = await start();
    const client = createPublicClient({ transport: http(anvil.url) });
    await client.request({ method: 'anvil_mine' as never, params: ['0x400'] as never });
    const written = await readdir(anvil.stateFolder, { recursive: true, withFileTypes: true });
    expect(written.filter((entry) => entry.isFile()).length).toBeGreaterThan(100);
    await anvil.stop();
    expect(existsSync(anvil.stateFolder)).toBe(false);
  });

  it('refuses a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    try {
      await expect(startAnvil({ port })).rejects.toThrow(`is port ${port} taken?`);
    } finally {
      server.close();
    }
  });

  it('names the package of a platform that has no binary', () => {
    expect(() => anvilBinary('plan9', 'x64')).toThrow(/@foundry-rs\/anvil-plan9-amd64/);
  });
});
