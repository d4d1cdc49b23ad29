import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { runDemo, type DemoOutcome } from '../../devnet/runDemo.js';

const CLI_FILE = fileURLToPath(new URL('../../dist/matchmaker.js', import.meta.url));
const SCENARIO_MS = 240_000;
let folder: string;

beforeAll(() => {
  if (!existsSync(CLI_FILE)) throw new Error(`${CLI_FILE} is missing: run npm run build first`);
  folder = mkdtempSync(path.join(tmpdir(), 'matchmaker-attack-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A small market whose quorum turns against a tenant at the end, with all that was told of it. */
async function attacked(setting: {
  curve: 'ecdsa' | 'bn254';
  twoChains: boolean;
}): Promise<DemoOutcome & { told: string }> {
  let told = '';
  const outcome = await runDemo(
    {
      ...setting,
      attack: true,
      story: false,
      operators: 4,
      providers: 2,
      orders: 6,
      seed: 3,
      rpcPort: undefined,
      keep: false,
      trace: undefined,
      blockTimeMs: 250,
      roundLengthBlocks: undefined,
      runDir: path.join(folder, setting.curve),
      cliFile: CLI_FILE,
    },
    {
      write: (text) => (told += text),
      isTerminal: false,
      // Its own Redis, because another scenario may run beside this one.
      env: { ...process.env, REDIS_URL: '' },
      interrupted: new AbortController().signal,
      onResult: () => undefined,
    },
  );
  return { ...outcome, told };
}

test.each([
  { curve: 'ecdsa', twoChains: false },
  { curve: 'bn254', twoChains: true },
] as const)(
  'a quorum that settles a wrong match loses allocated stake, and the tenant is paid (%o)',
  async (setting) => {
    const { result, passed, told } = await attacked(setting);
    expect(told).toContain('PASSED');
    expect(passed).toBe(true);
    expect(result).toMatchObject({ curve: setting.curve, chains: setting.twoChains ? 2 : 1, mismatches: 0 });
    expect(result.tokenDifference).toBe('0');
    const { attack } = result;
    // The three largest of four, 80,000 of 100,000 whole tokens, lose a half of what they allocated.
    expect(attack).toMatchObject({
      fault: 'betterCandidate',
      signers: 3,
      slashed: 3,
      stakeBefore: '80000000000000000000000',
      stakeAfter: '40000000000000000000000',
      collected: '40000000000000000000000',
      paidToChallenger: '4000000000000000000000',
    });
    // An hour at 144 a core at most, and 20 staked tokens make good one.
    expect(attack?.tenantLoss).toBe('2880000000000000000000');
    expect(attack?.paidToTenant).toBe(attack?.tenantLoss);
    expect(attack?.laterRound).toBeGreaterThan(attack?.round ?? Number.POSITIVE_INFINITY);
    expect(told).toMatch(new RegExp(`round ${attack?.round} +order ${attack?.orderId} was settled on machine \\d+`));
    expect(told).toMatch(/offence +betterCandidate: another machine was eligible and scored higher/);
    expect(told).toMatch(/operator-1 +signed it: 30000 SPON allocated before, 15000 SPON after/);
    expect(told).toMatch(/operator-4 +did not sign: 20000 SPON as before/);
  },
  SCENARIO_MS,
);
