import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

import { MARKET_ROLES, upgradeDelayShortfallSeconds } from './marketParameters.js';
import { parseEconomy } from './termsFile.js';

const economyOf = (name: string): ReturnType<typeof parseEconomy> =>
  parseEconomy(JSON.parse(readFileSync(`config/economy/${name}.json`, 'utf8')));

it('the default economy lets stake leave before code changes', () => {
  expect(upgradeDelayShortfallSeconds(economyOf('default'))).toBe(0);
});

it('the devnet is short of its whole unbonding and says so', () => {
  const devnet = economyOf('devnet');
  expect(upgradeDelayShortfallSeconds(devnet)).toBe(devnet.stake.unbondingSeconds + 1);
});

it('counts the shorter delay, since the governor can grant itself the role', () => {
  const economy = economyOf('default');
  const { unbondingSeconds } = economy.stake;
  const shortfall = (governorSeconds: number, upgraderSeconds: number): number =>
    upgradeDelayShortfallSeconds({ ...economy, delays: { governorSeconds, parametersSeconds: 0, upgraderSeconds } });
  expect(shortfall(unbondingSeconds + 1, unbondingSeconds + 1)).toBe(0);
  expect(shortfall(unbondingSeconds + 1, unbondingSeconds)).toBe(1);
  expect(shortfall(unbondingSeconds - 9, unbondingSeconds + 1)).toBe(10);
});

it('numbers the roles as the contracts do', () => {
  const source = readFileSync('contracts/src/governance/MarketRoles.sol', 'utf8');
  const numbered = [...source.matchAll(/uint64 internal constant (\w+) = (\d+);/g)].map(([, name, number]) => [
    (name ?? '').toLowerCase().replaceAll('_', ''),
    BigInt(number ?? -1),
  ]);
  const { governor, ...others } = MARKET_ROLES;
  expect(governor).toBe(0n);
  expect(numbered).toEqual(Object.entries(others).map(([name, number]) => [name.toLowerCase(), number]));
});
