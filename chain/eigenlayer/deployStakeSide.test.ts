import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { getAddress, type Address } from 'viem';
import { bn254TableCalculatorAbi } from '../contracts/generated/Bn254TableCalculator.js';
import { faultJudgeAbi } from '../contracts/generated/FaultJudge.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iCrossChainRegistryAbi } from '../contracts/generated/ICrossChainRegistry.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import { matchmakerSlasherAbi } from '../contracts/generated/MatchmakerSlasher.js';
import { slashVaultAbi } from '../contracts/generated/SlashVault.js';
import { DeployProgress } from '../deploy/deployProgress.js';
import type { TransactionLane } from '../deploy/transactionLane.js';
import { testDeployment } from '../../test/support/testDeployment.js';
import {
  stakeSideParameters,
  startStakeChain,
  UPDATE_CADENCE_SECONDS,
  type StakeChain,
} from '../../test/support/stakeChain.js';
import { OperatorSetTakenError } from './configureOperatorSet.js';
import { readEigen } from './eigenCall.js';
import { deployStakeSide, StalenessBelowCadenceError, type StakeSideParameters } from './deployStakeSide.js';
import { deployStrategy } from './deployStrategy.js';
import { EigenlayerNotThereError, EigenlayerVersionError } from './probeEigenlayer.js';
import { readSlashingWindow } from './readSlashingWindow.js';
import { SlashingWindowShortError } from './slashingWindow.js';

// A deployment is a dozen transactions one after the other.
jest.setTimeout(60_000);

let chain: StakeChain;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'stake-side-'));
  chain = await startStakeChain();
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await chain?.stop();
});

/** What an AVS of its own, the account of that index, deploys. */
function parametersOf(index: number): StakeSideParameters {
  const { eigenlayer, anvil, strategy } = chain;
  const operatorSet = { avs: chain.lane(index).address.toLowerCase() as Address, id: 9 };
  return stakeSideParameters({ chainId: anvil.chainId, eigenlayer, operatorSet, stake: { strategy } });
}

function deploy(
  parameters: StakeSideParameters,
  index: number,
  lane: Pick<TransactionLane, 'address' | 'run'> = chain.lane(index),
) {
  const identity = { chainId: parameters.chainId, deployer: lane.address, firstBlock: 1 };
  const progress = DeployProgress.open(path.join(folder, `${index}.json`), identity);
  return deployStakeSide(parameters, { lane, rpc: chain.rpc, progress });
}

const hasSame = (actual: string, expected: Address): void => expect(actual).toBe(getAddress(expected));

describe('the operator set', () => {
  test('is slashed by the slasher alone, pays the vault and has the calculator’s table', async () => {
    const { operatorSet, registrar, calculator, slasher, vault } = chain.stakeSide;
    const manager = { address: chain.eigenlayer.allocationManager, abi: iAllocationManagerAbi };
    const registry = { address: chain.eigenlayer.crossChainRegistry, abi: iCrossChainRegistryAbi };
    const keys = { address: chain.eigenlayer.keyRegistrar, abi: iKeyRegistrarAbi };
    const args = [operatorSet] as const;
    hasSame(await readEigen(chain.rpc, { ...manager, functionName: 'getSlasher', args }), slasher);
    hasSame(await readEigen(chain.rpc, { ...manager, functionName: 'getRedistributionRecipient', args }), vault);
    expect(await readEigen(chain.rpc, { ...manager, functionName: 'getStrategiesInOperatorSet', args })).toEqual([
      getAddress(chain.strategy),
    ]);
    hasSame(
      await readEigen(chain.rpc, { ...manager, functionName: 'getAVSRegistrar', args: [operatorSet.avs] }),
      registrar,
    );
    hasSame(await readEigen(chain.rpc, { ...registry, functionName: 'getOperatorTableCalculator', args }), calculator);
    expect(await readEigen(chain.rpc, { ...registry, functionName: 'getOperatorSetConfig', args })).toEqual({
      owner: getAddress(operatorSet.avs),
      maxStalenessPeriod: 3_600,
    });
    expect(await readEigen(chain.rpc, { ...keys, functionName: 'getOperatorSetCurveType', args })).toBe(1);
  });

  test('has a judge of the market, and slasher and vault that know each other', async () => {
    const { judge, slasher, vault } = chain.stakeSide;
    const { contracts } = testDeployment();
    const judging = { address: judge, abi: faultJudgeAbi, args: [] } as const;
    const slashing = { address: slasher, abi: matchmakerSlasherAbi, args: [] } as const;
    const paying = { address: vault, abi: slashVaultAbi, args: [] } as const;
    hasSame(await readEigen(chain.rpc, { ...judging, functionName: 'providerRegistry' }), contracts.providerRegistry);
    hasSame(await readEigen(chain.rpc, { ...judging, functionName: 'orderRequest' }), contracts.orderRequest);
    expect(await readEigen(chain.rpc, { ...judging, functionName: 'challengeWindowSeconds' })).toBe(600);
    hasSame(await readEigen(chain.rpc, { ...slashing, functionName: 'judge' }), judge);
    hasSame(await readEigen(chain.rpc, { ...slashing, functionName: 'vault' }), vault);
    hasSame(await readEigen(chain.rpc, { ...paying, functionName: 'slasher' }), slasher);
    expect(await readEigen(chain.rpc, { ...paying, functionName: 'challengerBps' })).toBe(1_000);
  });

  test('tells its slashing window from live values', async () => {
    const { eigenlayer, stakeSide } = chain;
    const { operatorSet } = stakeSide;
    const window = await readSlashingWindow(
      { eigenlayer, operatorSet, stake: stakeSide, challengeWindowSeconds: 600 },
      { stakeRpc: chain.rpc },
    );
    // Five blocks of lookahead, a second each.
    expect(window).toEqual({ neededSeconds: 3_600 + 600 + 86_400, slashableSeconds: 5, shortfallSeconds: 90_596 });
  });
});

test('a set of BN254 keys has that curve and the calculator of it', async () => {
  const parameters = parametersOf(1);
  const { market } = parameters;
  const { stake } = await deploy(
    { ...parameters, market: { ...market, quorum: { ...market.quorum, curve: 'bn254' } } },
    1,
  );
  const keys = { address: chain.eigenlayer.keyRegistrar, abi: iKeyRegistrarAbi };
  const args = [market.operatorSet] as const;
  expect(await readEigen(chain.rpc, { ...keys, functionName: 'getOperatorSetCurveType', args })).toBe(2);
  const calculator = { address: stake.calculator, abi: bn254TableCalculatorAbi } as const;
  expect(await readEigen(chain.rpc, { ...calculator, functionName: 'getOperatorInfos', args })).toEqual([]);
});

describe('what cannot work is refused before anything is sent', () => {
  const refused = async (index: number, change: (parameters: StakeSideParameters) => StakeSideParameters) => {
    const nonce = await chain.lane(index).nextNonce();
    const error = await deploy(change(parametersOf(index)), index).catch((thrown: unknown) => thrown);
    expect(await chain.lane(index).nextNonce()).toBe(nonce);
    return error;
  };

  test('a staleness below the cadence', async () => {
    const maxStalenessSeconds = UPDATE_CADENCE_SECONDS - 1;
    const error = await refused(2, (good) => ({ ...good, terms: { ...good.terms, maxStalenessSeconds } }));
    expect(error).toBeInstanceOf(StalenessBelowCadenceError);
  });

  test('delays that are too short, where economic security is promised', async () => {
    const error = await refused(2, (good) => ({ ...good, economicSecurity: true }));
    expect(error).toBeInstanceOf(SlashingWindowShortError);
  });

  test('addresses without code, each by its name', async () => {
    const keyRegistrar = '0x00000000000000000000000000000000000000e1';
    const error = await refused(2, (good) => ({ ...good, eigenlayer: { ...good.eigenlayer, keyRegistrar } }));
    expect(error).toBeInstanceOf(EigenlayerNotThereError);
    expect(String(error)).toContain(`keyRegistrar ${keyRegistrar}`);
  });

  test('an allocation manager without slashers', async () => {
    const allocationManager = chain.eigenlayer.keyRegistrar;
    const error = await refused(2, (good) => ({ ...good, eigenlayer: { ...good.eigenlayer, allocationManager } }));
    expect(error).toBeInstanceOf(EigenlayerVersionError);
    expect(String(error)).toContain('getSlasher');
  });
});

describe('calling again', () => {
  test('finishes what ended after any of its transactions, and then sends nothing more', async () => {
    const inner = chain.lane(4);
    const labels: string[] = [];
    let left = 0;
    const dying: Pick<TransactionLane, 'address' | 'run'> = {
      address: inner.address,
      run: async (transaction) => {
        const receipt = await inner.run(transaction);
        labels.push(transaction.label);
        left -= 1;
        if (left === 0) throw new Error('killed');
        return receipt;
      },
    };
    const parameters = parametersOf(4);
    // Whatever is sent twice in vain must not keep the rest from being sent.
    for (let attempt = 0; ; attempt++) {
      left = 1 + (attempt % 2);
      const outcome = await deploy(parameters, 4, dying).catch((error: unknown) => error);
      if (!(outcome instanceof Error)) break;
      expect(outcome.message).toBe('killed');
    }
    // Only an event tells of the metadata, so what is not known to be announced is announced again.
    const isRepeated = (label: string, index: number) =>
      label === 'updateAVSMetadataURI' && labels[index - 1] === label;
    expect(labels.filter((label, index) => !isRepeated(label, index))).toEqual([
      'deploy judge',
      'deploy slasher',
      'deploy vault',
      'deploy registrar',
      'deploy calculator',
      'updateAVSMetadataURI',
      'setAVSRegistrar',
      'createRedistributingOperatorSets',
      'configureOperatorSet',
      'createGenerationReservation',
    ]);
    const first = await deploy(parameters, 4);
    const nonce = await inner.nextNonce();
    expect(await deploy(parameters, 4)).toEqual(first);
    expect(await inner.nextNonce()).toBe(nonce);
    const slasher = await readEigen(chain.rpc, {
      address: first.stake.slasher,
      abi: matchmakerSlasherAbi,
      functionName: 'vault',
      args: [],
    });
    hasSame(slasher, first.stake.vault);
  });

  test('makes slasher and vault anew when the key sent something else between them', async () => {
    const inner = chain.lane(6);
    const strayAfterSlasher: Pick<TransactionLane, 'address' | 'run'> = {
      address: inner.address,
      run: async (transaction) => {
        const receipt = await inner.run(transaction);
        if (transaction.label !== 'deploy slasher') return receipt;
        await inner.run({ to: inner.address, data: '0x', label: 'something else' });
        throw new Error('killed');
      },
    };
    const parameters = parametersOf(6);
    await expect(deploy(parameters, 6, strayAfterSlasher)).rejects.toThrow('killed');
    const { stake } = await deploy(parameters, 6);
    const slashing = { address: stake.slasher, abi: matchmakerSlasherAbi, functionName: 'vault', args: [] } as const;
    hasSame(await readEigen(chain.rpc, slashing), stake.vault);
    const paying = { address: stake.vault, abi: slashVaultAbi, functionName: 'slasher', args: [] } as const;
    hasSame(await readEigen(chain.rpc, paying), stake.slasher);
  });

  test('changes what may change, and refuses to take over a set that is slashed by another', async () => {
    const parameters = parametersOf(5);
    const { stake } = await deploy(parameters, 5);
    const terms = { ...parameters.terms, maxStalenessSeconds: 7_200 };
    const again = await deploy({ ...parameters, terms, lookaheadBlocks: 6 }, 5);
    expect(again.stake).toMatchObject({ slasher: stake.slasher, registrar: stake.registrar });
    expect(again.stake.calculator).not.toBe(stake.calculator);
    const { operatorSet } = parameters.market;
    const registry = { address: chain.eigenlayer.crossChainRegistry, abi: iCrossChainRegistryAbi } as const;
    const config = await readEigen(chain.rpc, {
      ...registry,
      functionName: 'getOperatorSetConfig',
      args: [operatorSet],
    });
    expect(config.maxStalenessPeriod).toBe(7_200);
    const calculator = await readEigen(chain.rpc, {
      ...registry,
      functionName: 'getOperatorTableCalculator',
      args: [operatorSet],
    });
    hasSame(calculator, again.stake.calculator);

    const harsher = { ...parameters, terms: { ...terms, wrongBatchBps: 10_000 } };
    await expect(deploy(harsher, 5)).rejects.toBeInstanceOf(OperatorSetTakenError);
  });
});

test('a token keeps the strategy that it has', async () => {
  const { strategyFactory } = chain.eigenlayer;
  const nonce = await chain.lane(3).nextNonce();
  const dependencies = { lane: chain.lane(3), rpc: chain.rpc };
  hasSame(await deployStrategy({ strategyFactory, token: chain.stakeToken }, dependencies), chain.strategy);
  expect(await chain.lane(3).nextNonce()).toBe(nonce);
});
