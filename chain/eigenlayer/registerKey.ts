import { hexToBigInt, zeroAddress, type Address, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { MatchmakerError } from '../../engine/error.js';
import { bn254PublicKey, bn254Sign } from '../../protocol/bn254Key.js';
import { encodeG1, encodeG2 } from '../../protocol/bn254Points.js';
import type { OperatorSet } from '../../protocol/operatorSet.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import type { Deployment } from '../deployment.js';
import { readEigen, writeEigen, type EigenDependencies } from './eigenCall.js';

/** A key that is to sign for an operator in a set. */
export interface KeyRegistration {
  readonly eigenlayer: Pick<Deployment['eigenlayer'], 'keyRegistrar'>;
  readonly operatorSet: OperatorSet;
  readonly operator: Address;
  /** Private key on the set's curve: of secp256k1, or a scalar of BN254. Never used for anything before; not the operator's own. */
  readonly signingKey: Hex;
}

/** The operator has another signing key in this set than the one given. */
export class OtherSigningKeyError extends MatchmakerError<'OTHER_SIGNING_KEY'> {
  constructor(operator: Address, registered: Hex, given: Hex) {
    super(
      'OTHER_SIGNING_KEY',
      `${operator} signs with ${registered} in this set, not with ${given}: use that key, or leave the set to change it`,
      { metadata: { operator, registered, given } },
    );
  }
}

/** Whoever made the operator set did not say which curve its keys are on. */
export class CurveNotConfiguredError extends MatchmakerError<'CURVE_NOT_CONFIGURED'> {
  constructor({ avs, id }: OperatorSet) {
    super('CURVE_NOT_CONFIGURED', `operator set ${id} of ${avs} has no curve yet: its owner must configure it`, {
      metadata: { avs, id },
    });
  }
}

/** IKeyRegistrarTypes.CurveType. */
const CURVE_ECDSA = 1;
const CURVE_BN254 = 2;

/**
 * Registers an operator's signing key in a set, on the curve that the set uses, unless it is registered already.
 * Returns the key as operator tables name it, an address or X and Y of the point of G1, and whether it was registered now.
 * Throws OtherSigningKeyError, CurveNotConfiguredError, Bn254KeyInvalidError, EigenCallRevertedError, TransactionRevertedError
 * and the errors of the RPC.
 */
export async function registerKey(
  registration: KeyRegistration,
  { lane, rpc }: EigenDependencies,
): Promise<{ readonly signer: Hex; readonly isNewKey: boolean }> {
  const { operatorSet, operator } = registration;
  const registrar = registrarOf(registration);
  const curve = await readEigen(rpc, { ...registrar, functionName: 'getOperatorSetCurveType', args: [operatorSet] });
  if (curve !== CURVE_ECDSA && curve !== CURVE_BN254) throw new CurveNotConfiguredError(operatorSet);
  const key = curve === CURVE_ECDSA ? ecdsaKey(registration, rpc) : bn254Key(registration, rpc);
  const present = await key.registered();
  if (present === key.signer) return { signer: key.signer, isNewKey: false };
  if (present !== undefined) throw new OtherSigningKeyError(operator, present, key.signer);
  await writeEigen(lane, {
    ...registrar,
    functionName: 'registerKey',
    args: [operator, operatorSet, key.data, await key.proof()],
  });
  return { signer: key.signer, isNewKey: true };
}

/** What registration takes of a key, whichever curve it is on. */
interface CurveKey {
  readonly signer: Hex;
  /** As the registrar takes it. */
  readonly data: Hex;
  /** The operator's present key in the set. */
  readonly registered: () => Promise<Hex | undefined>;
  /** The key's signature over the registrar's message, which shows that the secret is known. */
  readonly proof: () => Promise<Hex>;
}

function ecdsaKey(registration: KeyRegistration, rpc: EigenDependencies['rpc']): CurveKey {
  const { operatorSet, operator } = registration;
  const registrar = registrarOf(registration);
  const account = privateKeyToAccount(registration.signingKey);
  return {
    signer: account.address,
    data: account.address,
    registered: async () => {
      const present = await readEigen(rpc, {
        ...registrar,
        functionName: 'getECDSAAddress',
        args: [operatorSet, operator],
      });
      return present === zeroAddress ? undefined : present;
    },
    proof: async () => {
      const hash = await readEigen(rpc, {
        ...registrar,
        functionName: 'getECDSAKeyRegistrationMessageHash',
        args: [operator, operatorSet, account.address],
      });
      return account.sign({ hash });
    },
  };
}

function bn254Key(registration: KeyRegistration, rpc: EigenDependencies['rpc']): CurveKey {
  const { operatorSet, operator } = registration;
  const registrar = registrarOf(registration);
  const scalar = hexToBigInt(registration.signingKey);
  const { g1, g2 } = bn254PublicKey(scalar);
  const data: Hex = `${encodeG1(g1)}${encodeG2(g2).slice(2)}`;
  return {
    signer: encodeG1(g1),
    data,
    registered: async () => {
      const [present] = await readEigen(rpc, {
        ...registrar,
        functionName: 'getBN254Key',
        args: [operatorSet, operator],
      });
      return present.X === 0n && present.Y === 0n ? undefined : encodeG1(present);
    },
    proof: async () => {
      const digest = await readEigen(rpc, {
        ...registrar,
        functionName: 'getBN254KeyRegistrationMessageHash',
        args: [operator, operatorSet, data],
      });
      return encodeG1(bn254Sign(scalar, digest));
    },
  };
}

function registrarOf({ eigenlayer }: KeyRegistration) {
  return { address: eigenlayer.keyRegistrar, abi: iKeyRegistrarAbi };
}
