import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeFunctionResult, encodeDeployData, encodeFunctionData, type Address, type Hex } from 'viem';
import { startDevnetChain, type DevnetChain } from '../../devnet/devnetChain.js';
import { loadDevnetParameters } from '../../devnet/parameters.js';
import { devnetTokenAbi, devnetTokenBytecode } from '../contracts/generated/DevnetToken.js';
import { marketAuthorityAbi } from '../contracts/generated/MarketAuthority.js';
import { providerRegistryAbi } from '../contracts/generated/ProviderRegistry.js';
import { tokenRegistryAbi } from '../contracts/generated/TokenRegistry.js';
import type { Deployment } from '../deployment.js';
import { callAt, codeAt } from '../rpc/rpcCall.js';
import {
  BlockSourceWrongError,
  DeployAddressError,
  deployMarket,
  MARKET_ROLES,
  type MarketParameters,
  type MarketRoles,
} from './deployMarket.js';
import type { TransactionLane } from './transactionLane.js';

const ARB_SYS: Address = '0x0000000000000000000000000000000000000064';
/** Answers every call with block 7. */
const ALWAYS_SEVEN: Hex = '0x600760005260206000f3';
const SOMEWHERE: Address = '0x00000000000000000000000000000000000000e1';

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

function parametersFor(roles: MarketRoles): MarketParameters {
  return {
    ...loadDevnetParameters(),
    stakingToken: tokens[1] as Address,
    paymentTokens: tokens.map((address) => ({ address, minimumDeposit: 1n })),
    roles,
    stakeSide: {
      operatorSet: { avs: SOMEWHERE, id: 1 },
      stakeToken: SOMEWHERE,
      strategy: SOMEWHERE,
      eigenlayer: {
        allocationManager: SOMEWHERE,
        delegationManager: SOMEWHERE,
        strategyManager: SOMEWHERE,
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

function newLane(): TransactionLane {
  return chain.lane(chain.nextAccount().privateKey);
}

async function hasRole(deployment: Deployment, role: bigint, account: Address): Promise<boolean> {
  const call = { abi: marketAuthorityAbi, functionName: 'hasRole', args: [role, account] } as const;
  const data = await chain.rpc.request(
    callAt({ to: deployment.contracts.accessManager, data: encodeFunctionData(call) }, 'latest'),
  );
  const [isMember] = decodeFunctionResult({ abi: marketAuthorityAbi, functionName: 'hasRole', data });
  return isMember;
}

describe('deployMarket', () => {
  it('puts code where every contract was told the others would be, and numbers the payment tokens', async () => {
    const lane = newLane();
    const { address } = lane;
    const roles = { governor: address, providerVerifier: address, scoreOracle: address, complianceOfficer: address };
    const deployment = await deployMarket(parametersFor(roles), { lane });
    for (const contract of Object.values(deployment.contracts)) {
      expect((await chain.rpc.request(codeAt(contract, 'latest'))).length).toBeGreaterThan(2);
    }
    expect(deployment.deploymentBlock).toBeLessThanOrEqual(chain.blocks.head().number);
    for (const [index, token] of tokens.entries()) {
      const data = encodeFunctionData({ abi: tokenRegistryAbi, functionName: 'idOf', args: [token] });
      const id: Hex = await chain.rpc.request(callAt({ to: deployment.contracts.tokenRegistry, data }, 'latest'));
      expect(Number(id)).toBe(index + 1);
    }
  });

  it('gives each role to its holder alone and leaves the deployer without any right', async () => {
    const [lane, governor, verifier, oracle] = [newLane(), newLane(), newLane(), newLane()];
    const roles = {
      governor: governor.address,
      providerVerifier: verifier.address,
      scoreOracle: oracle.address,
      complianceOfficer: governor.address,
    };
    const deployment = await deployMarket(parametersFor(roles), { lane });
    expect(await hasRole(deployment, 0n, governor.address)).toBe(true);
    for (const role of [0n, ...Object.values(MARKET_ROLES)]) {
      expect(await hasRole(deployment, role, lane.address)).toBe(false);
    }

    const { providerRegistry } = deployment.contracts;
    const abi = providerRegistryAbi;
    const provider = newLane();
    const call = (data: Hex): { to: Address; data: Hex; label: string } => ({
      to: providerRegistry,
      data,
      label: 'call',
    });
    await provider.run(
      call(encodeFunctionData({ abi, functionName: 'registerProvider', args: ['name', 'https://a.example'] })),
    );
    const score = call(encodeFunctionData({ abi, functionName: 'setProviderScores', args: [1, 9_900, 9_000, 0] }));
    const verify = call(encodeFunctionData({ abi, functionName: 'verifyProvider', args: [1, 2, 1n] }));
    expect((await oracle.run(score)).succeeded).toBe(true);
    expect((await verifier.run(verify)).succeeded).toBe(true);
    await expect(verifier.run(score)).rejects.toThrow();
    await expect(oracle.run(verify)).rejects.toThrow();
    await expect(lane.run(score)).rejects.toThrow();
  });

  it('refuses a market that counts other blocks than the chain', async () => {
    await chain.rpc.request({ method: 'anvil_setCode', params: [ARB_SYS, ALWAYS_SEVEN], decode: () => undefined });
    const lane = newLane();
    const { address } = lane;
    const roles = { governor: address, providerVerifier: address, scoreOracle: address, complianceOfficer: address };
    const refused = deployMarket({ ...parametersFor(roles), arbSys: true }, { lane });
    await expect(refused).rejects.toBeInstanceOf(BlockSourceWrongError);
    await expect(refused).rejects.toMatchObject({ metadata: { arbSys: true, counted: 7 } });
  });

  it('notices when a contract did not come to lie where it was predicted', async () => {
    const lane = newLane();
    const { address } = lane;
    const roles = { governor: address, providerVerifier: address, scoreOracle: address, complianceOfficer: address };
    // As if another transaction of the key had come in between.
    const late = Object.create(lane, {
      nextNonce: { value: async () => (await lane.nextNonce()) + 1 },
    }) as TransactionLane;
    Object.defineProperty(late, 'send', { value: lane.send.bind(lane) });
    await expect(deployMarket(parametersFor(roles), { lane: late })).rejects.toThrow(DeployAddressError);
  });
});
