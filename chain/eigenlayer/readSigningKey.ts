import { isAddressEqual, numberToHex, concat, zeroAddress, type Address, type Hex } from 'viem';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import type { BlockPoint } from '../rpc/rpcCall.js';
import { readEigen } from './eigenCall.js';

/** Which set's keys are asked for, and of which curve they are. */
export interface KeyRing {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'keyRegistrar'>;
  readonly operatorSet: OperatorSet;
  readonly curve: Deployment['quorum']['curve'];
}

/**
 * The signing key that an operator has registered in a set, as operator tables name it, in lower case: the 20-byte address
 * of an ECDSA key, X and Y of a BN254 key's G1 point (64 bytes); null when it has none. Throws EigenCallRevertedError and the errors of the RPC.
 */
export async function readSigningKey(
  { eigenlayer, operatorSet, curve }: KeyRing,
  operator: Address,
  { rpc }: { readonly rpc: Rpc },
  at: BlockPoint = 'latest',
): Promise<Hex | null> {
  const registrar = { address: eigenlayer.keyRegistrar, abi: iKeyRegistrarAbi };
  if (curve === 'ecdsa') {
    const key = await readEigen(
      rpc,
      { ...registrar, functionName: 'getECDSAAddress', args: [operatorSet, operator] },
      at,
    );
    return isAddressEqual(key, zeroAddress) ? null : lowerCase(key);
  }
  const [{ X, Y }] = await readEigen(
    rpc,
    { ...registrar, functionName: 'getBN254Key', args: [operatorSet, operator] },
    at,
  );
  return X === 0n && Y === 0n ? null : concat([numberToHex(X, { size: 32 }), numberToHex(Y, { size: 32 })]);
}

/**
 * The operator that has a signing key in the set; null when nobody does. Throws EigenCallRevertedError and the errors of the RPC.
 */
export async function readOperatorOfKey(
  { eigenlayer, operatorSet }: Omit<KeyRing, 'curve'>,
  key: Hex,
  { rpc }: { readonly rpc: Rpc },
): Promise<Address | null> {
  const [operator, isOfSet] = await readEigen(rpc, {
    address: eigenlayer.keyRegistrar,
    abi: iKeyRegistrarAbi,
    functionName: 'getOperatorFromSigningKey',
    args: [operatorSet, key],
  });
  return isOfSet ? lowerCase(operator) : null;
}

function lowerCase(address: Address): Address {
  return `0x${address.slice(2).toLowerCase()}`;
}
