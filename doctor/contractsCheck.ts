import type { Address } from 'viem';

import { codeAt } from '../chain/rpc/rpcCall.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import { failed, ok, type Finding } from './finding.js';
import type { Patient } from './patient.js';

/** EigenLayer's contracts that are on the market chain; its others are on the stake chain. */
const ON_MARKET_CHAIN = new Set(['operatorTableUpdater', 'ecdsaCertificateVerifier', 'bn254CertificateVerifier']);

/** Every contract of the deployment file has code on its chain. */
export async function checkContracts({ rpc, stakeRpc, deployment, role }: Patient): Promise<Finding> {
  const { contracts, quorum, eigenlayer, stake, strategy, stakeToken } = deployment;
  const eigen = Object.entries(eigenlayer);
  const market: [string, Address][] = [
    ...Object.entries(contracts),
    ['quorum.verifier', quorum.verifier],
    ...eigen.filter(([name]) => ON_MARKET_CHAIN.has(name)),
  ];
  const stakeSide: [string, Address][] = [
    ...eigen.filter(([name]) => !ON_MARKET_CHAIN.has(name)),
    ['stake.registrar', stake.registrar],
    ['stake.calculator', stake.calculator],
    ['strategy', strategy],
    ['stakeToken', stakeToken],
  ];
  const missing = [
    ...(await without(rpc, market)),
    ...(role === 'aggregator' || stakeRpc === null ? [] : await without(stakeRpc, stakeSide)),
  ];
  if (missing.length > 0) {
    return failed(
      `no code at ${missing.join(', ')}`,
      'the deployment file is of another chain or of an older run of a devnet: get the current one',
    );
  }
  return ok(`${market.length} on the market chain, ${stakeSide.length} on the stake chain`);
}

async function without(rpc: Rpc, named: readonly [string, Address][]): Promise<string[]> {
  const codes = await rpc.batch(named.map(([, address]) => codeAt(address, 'latest')));
  return named.flatMap(([name, address], index) => (codes[index] === '0x' ? [`${name} ${address}`] : []));
}
