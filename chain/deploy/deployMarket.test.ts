import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  decodeFunctionResult,
  encodeDeployData,
  encodeFunctionData,
  toFunctionSelector,
  zeroAddress,
  type Abi,
  type Address,
  type Hex,
} from 'viem';
import { startDevnetChain, type DevnetChain } from '../../devnet/devnetChain.js';
import { loadDevnetParameters } from '../../devnet/parameters.js';
import { devnetTokenAbi, devnetTokenBytecode } from '../contracts/generated/DevnetToken.js';
import { marketAuthorityAbi } from '../contracts/generated/MarketAuthority.js';
import { providerAttributesAbi } from '../contracts/generated/ProviderAttributes.js';
import { tokenRegistryAbi } from '../contracts/generated/TokenRegistry.js';
import { callAt, codeAt, storageAt } from '../rpc/rpcCall.js';
import { BlockSourceWrongError, DeployAddressError, deployMarket } from './deployMarket.js';
import {
  DeployerHoldsParametersError,
  MARKET_ROLES,
  UpgradeDelayTooShortError,
  type MarketParameters,
  type MarketRoles,
} from './marketParameters.js';
import type { TransactionLane } from './transactionLane.js';

const ARB_SYS: Address = '0x0000000000000000000000000000000000000064';
/** Answers every call with block 7. */
const ALWAYS_SEVEN: Hex = '0x600760005260206000f3';
const SOMEWHERE: Address = '0x00000000000000000000000000000000000000e1';
/** Where ERC-1967 proxies keep their implementation. */
const IMPLEMENTATION_SLOT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbcn;
const DAY = 86_400;

// Each starts or fills a chain of its own, which a busy machine takes its time for.
jest.setTimeout(60_000);

let chain: DevnetChain;
let tokens: Address[];
beforeAll(async () => {
  chain = await startDevnetChain({ mining: 0.05, accounts: 12 });
  const lane = chain.lane(chain.nextAccount().privateKey);
  tokens = await Promise.all(
    [6, 18].map(async (decimals) => {
      const data = encodeDeployData({
        abi: devnetTokenAbi,
        bytecode: devnetTokenBytecode,
        args: ['Token', 'T', decimals],
      });
      return (await lane.run({ data, label: 'deploy a token' })).contractAddress as Address;
    }),
  );
});
afterAll(() => chain.stop());

/** Every role with an account of its own, which nobody needs the key of. */
function separateRoles(): MarketRoles {
  const at = (index: number): Address => `0x${index.toString(16).padStart(40, 'a')}`;
  const names = Object.keys(MARKET_ROLES) as (keyof MarketRoles)[];
  const holders = Object.fromEntries(names.map((name, index) => [name, at(index)])) as unknown as MarketRoles;
  return { ...holders, council: [at(100), at(101)] };
}

function parametersFor(roles: MarketRoles): MarketParameters {
  return {
    ...loadDevnetParameters(),
    eraZero: 1,
    stakingToken: tokens[1] as Address,
    rewardToken: tokens[1] as Address,
    paymentTokens: tokens.map((address) => ({ address, minimumDeposit: 1n })),
    resources: [
      { category: 'gpu', name: 'h100', multiplierBps: 80_000 },
      { category: 'cpu', name: 'basic', multiplierBps: 10_000 },
    ],
    feeds: { rewardToken: SOMEWHERE, native: SOMEWHERE, sequencer: zeroAddress },
    roles,
    treasury: SOMEWHERE,
    foundation: SOMEWHERE,
    quorum: { curve: 'ecdsa', checkedBy: 'eigenlayer' },
    stakeSide: {
      operatorSet: { avs: SOMEWHERE, id: 1 },
      eigenlayer: {
        allocationManager: SOMEWHERE,
        delegationManager: SOMEWHERE,
        strategyManager: SOMEWHERE,
        strategyFactory: SOMEWHERE,
        rewardsCoordinator: SOMEWHERE,
        keyRegistrar: SOMEWHERE,
        crossChainRegistry: SOMEWHERE,
        operatorTableUpdater: SOMEWHERE,
        ecdsaCertificateVerifier: SOMEWHERE,
        bn254CertificateVerifier: SOMEWHERE,
        permissionController: SOMEWHERE,
      },
    },
  };
}

/** The same economy with delays in seconds for governor, parameters and upgrader. */
function withDelays(parameters: MarketParameters, seconds: readonly [number, number, number]): MarketParameters {
  const [governorSeconds, parametersSeconds, upgraderSeconds] = seconds;
  const delays = { governorSeconds, parametersSeconds, upgraderSeconds };
  return { ...parameters, economy: { ...parameters.economy, delays } };
}

function newLane(): TransactionLane {
  return chain.lane(chain.nextAccount().privateKey);
}

async function read(to: Address, abi: Abi, functionName: string, args: readonly unknown[]): Promise<unknown> {
  const data = encodeFunctionData({ abi, functionName, args });
  return decodeFunctionResult({
    abi,
    functionName,
    data: await chain.rpc.request(callAt({ to, data }, 'latest')),
  });
}

describe('deployMarket', () => {
  it('puts code where every contract was told the others would be, and numbers tokens and resources', async () => {
    const lane = newLane();
    const deployment = await deployMarket(parametersFor(separateRoles()), { lane });
    const addresses = Object.values(deployment.contracts);
    expect(addresses).toHaveLength(18);
    for (const contract of addresses) {
      expect((await chain.rpc.request(codeAt(contract, 'latest'))).length).toBeGreaterThan(2);
    }
    expect(deployment.deploymentBlock).toBeLessThanOrEqual(chain.blocks.head().number);
    const { tokenRegistry, providerAttributes } = deployment.contracts;
    for (const [index, token] of tokens.entries()) {
      expect(await read(tokenRegistry, tokenRegistryAbi, 'idOf', [token])).toBe(index + 1);
    }
    expect(await read(providerAttributes, providerAttributesAbi, 'resourceOf', [1])).toEqual([1, 80_000, 'h100']);
    expect(await read(providerAttributes, providerAttributesAbi, 'resourceOf', [2])).toEqual([0, 10_000, 'basic']);
    expect(await read(providerAttributes, providerAttributesAbi, 'resourceCount', [])).toBe(2);
  });

  it('makes fourteen of the contracts proxies and four of them final', async () => {
    const { contracts } = await deployMarket(parametersFor(separateRoles()), { lane: newLane() });
    const final: string[] = [];
    for (const [name, contract] of Object.entries(contracts)) {
      if ((await chain.rpc.request(storageAt(contract, IMPLEMENTATION_SLOT, 'latest'))) === 0n) final.push(name);
    }
    expect(final.toSorted()).toEqual(['accessManager', 'matchSettlement', 'orderRequest', 'providerRegistry']);
  });

  it('gives each role to its holders alone, with its delay, and leaves the deployer without any right', async () => {
    const lane = newLane();
    const roles = separateRoles();
    const delays = [21 * DAY, 2 * DAY, 22 * DAY] as const;
    const deployment = await deployMarket(withDelays(parametersFor(roles), delays), { lane });
    const { accessManager } = deployment.contracts;
    const everybody = [lane.address, ...Object.values(roles).flat()];
    const expectedDelays: Partial<Record<string, number>> = {
      governor: delays[0],
      parameters: delays[1],
      upgrader: delays[2],
    };
    for (const [name, role] of Object.entries(MARKET_ROLES)) {
      const holders = [roles[name as keyof MarketRoles]].flat();
      for (const account of everybody) {
        const held = holders.includes(account);
        expect([name, account, await read(accessManager, marketAuthorityAbi, 'hasRole', [role, account])]).toEqual([
          name,
          account,
          [held, held ? (expectedDelays[name] ?? 0) : 0],
        ]);
      }
    }
  });

  it('asks the authority for every restricted function by a role of its own, never by the governor', async () => {
    const { contracts } = await deployMarket(parametersFor(separateRoles()), { lane: newLane() });
    const sources = readdirSync('contracts/src', { recursive: true, encoding: 'utf8' });
    const restricted: [string, bigint][] = [];
    for (const [name, target] of Object.entries(contracts)) {
      const contract = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
      const file = sources.find((source) => source.endsWith(`/${contract}.sol`));
      if (file === undefined) continue;
      const source = readFileSync(`contracts/src/${file}`, 'utf8');
      const functions = [...source.matchAll(/function (\w+)\([^{;]*\brestricted\b/g)].map(([, found]) => found ?? '');
      if (/^contract \w+ is [^{]*\bMarketModule\b/m.test(source)) functions.push('upgradeToAndCall');
      const { abi } = JSON.parse(readFileSync(`contracts/out/${contract}.sol/${contract}.json`, 'utf8')) as {
        abi: Abi;
      };
      for (const functionName of functions) {
        const item = abi.find((entry) => entry.type === 'function' && entry.name === functionName);
        if (item?.type !== 'function') throw new Error(`${contract} has no ${functionName}`);
        const args = [target, toFunctionSelector(item)];
        const role = await read(contracts.accessManager, marketAuthorityAbi, 'getTargetFunctionRole', args);
        restricted.push([`${contract}.${functionName}`, role as bigint]);
      }
    }
    expect(restricted.length).toBeGreaterThan(40);
    expect(restricted.filter(([, role]) => role === MARKET_ROLES.governor)).toEqual([]);
    expect(Object.fromEntries(restricted)).toMatchObject({
      'ProviderRegistry.setProviderTier': MARKET_ROLES.providerVerifier,
      'MarketPause.pause': MARKET_ROLES.guardian,
      'TokenRegistry.revokeToken': MARKET_ROLES.parameters,
      'Escrow.upgradeToAndCall': MARKET_ROLES.upgrader,
    });
  });

  it('keeps the parameters of a deployer that holds them by its role', async () => {
    const lane = newLane();
    const roles = { ...separateRoles(), parameters: lane.address };
    const { contracts } = await deployMarket(parametersFor(roles), { lane });
    expect(
      await read(contracts.accessManager, marketAuthorityAbi, 'hasRole', [MARKET_ROLES.parameters, lane.address]),
    ).toEqual([true, 0]);
  });

  it('refuses a deployer that would wait for its own delay', async () => {
    const lane = newLane();
    const parameters = withDelays(parametersFor({ ...separateRoles(), parameters: lane.address }), [0, 1, 0]);
    await expect(deployMarket(parameters, { lane })).rejects.toBeInstanceOf(DeployerHoldsParametersError);
    expect(await lane.nextNonce()).toBe(0);
  });

  it('refuses upgrades that are faster than stake unbonds where stake secures the market', async () => {
    const lane = chain.lane(`0x${'17'.repeat(32)}`);
    const secure = { ...parametersFor(separateRoles()), economicSecurity: true };
    const { unbondingSeconds } = secure.economy.stake;
    for (const [governorSeconds, upgraderSeconds] of [
      [unbondingSeconds, unbondingSeconds + 1],
      [unbondingSeconds + 1, unbondingSeconds],
    ] as const) {
      const refused = deployMarket(withDelays(secure, [governorSeconds, 0, upgraderSeconds]), { lane });
      await expect(refused).rejects.toBeInstanceOf(UpgradeDelayTooShortError);
      await expect(refused).rejects.toMatchObject({ metadata: { shortfallSeconds: 1 } });
    }
  });

  it('refuses a market that counts other blocks than the chain', async () => {
    await chain.rpc.request({ method: 'anvil_setCode', params: [ARB_SYS, ALWAYS_SEVEN], decode: () => undefined });
    const refused = deployMarket({ ...parametersFor(separateRoles()), arbSys: true }, { lane: newLane() });
    await expect(refused).rejects.toBeInstanceOf(BlockSourceWrongError);
    await expect(refused).rejects.toMatchObject({ metadata: { arbSys: true, counted: 7 } });
  });

  it('notices when a contract did not come to lie where it was predicted', async () => {
    const lane = newLane();
    // As if another transaction of the key had come in between.
    const late = Object.create(lane, {
      nextNonce: { value: async () => (await lane.nextNonce()) + 1 },
    }) as TransactionLane;
    Object.defineProperty(late, 'send', { value: lane.send.bind(lane) });
    await expect(deployMarket(parametersFor(separateRoles()), { lane: late })).rejects.toThrow(DeployAddressError);
  });
});
