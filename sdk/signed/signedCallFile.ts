import type { Address } from 'viem';
import { z } from 'zod';
import type { Deployment } from '../../chain/deployment.js';
import { MatchmakerError } from '../../engine/error.js';
import { CallArgumentInvalidError, readArguments, type ArgumentType } from '../governance/abiArguments.js';
import { SIGNED_CALL_TYPES, type AuthorizedCall, type SignedCall } from './signedCalls.js';

const FORMAT = 'matchmaker-signed-calls-1';

const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  chainId: z.number().int(),
  signedCalls: z.string(),
  calls: z.array(z.strictObject({ call: z.looseObject({ type: z.string() }), authorization: z.unknown() })).min(1),
});

const AUTHORIZATION: ArgumentType = {
  type: 'tuple',
  name: 'authorization',
  components: [
    { name: 'tenant', type: 'address' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
    { name: 'signature', type: 'bytes' },
  ],
};

/** A file of signed calls that is none, or one for another market. */
export class SignedCallsInvalidError extends MatchmakerError<'SIGNED_CALLS_INVALID'> {
  constructor(problem: string) {
    super('SIGNED_CALLS_INVALID', `the file of signed calls cannot be sent: ${problem}`, { metadata: { problem } });
  }
}

type Market = Pick<Deployment, 'chainId' | 'contracts'>;

/** Signed calls as JSON that anyone can send to this market; integers above 2^48 are decimal strings. */
export function signedCallsJson(market: Market, calls: readonly AuthorizedCall[]): Record<string, unknown> {
  return { format: FORMAT, chainId: market.chainId, signedCalls: market.contracts.signedCalls, calls };
}

/**
 * The signed calls of `signedCallsJson`, from parsed JSON.
 * Throws SignedCallsInvalidError for what is no such file or was signed for another market.
 */
export function parseSignedCalls(market: Market, json: unknown): readonly AuthorizedCall[] {
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new SignedCallsInvalidError(`${issue?.path.join('.') || '(root)'}: ${issue?.message ?? 'it is no object'}`);
  }
  const { chainId, signedCalls, calls } = parsed.data;
  if (chainId !== market.chainId || signedCalls.toLowerCase() !== market.contracts.signedCalls) {
    throw new SignedCallsInvalidError(
      `it was signed for ${signedCalls} on chain ${chainId}, this market has ${market.contracts.signedCalls} on chain ${market.chainId}`,
    );
  }
  return calls.map(({ call, authorization }, index) => {
    try {
      return readCall(call, authorization);
    } catch (error) {
      if (error instanceof CallArgumentInvalidError)
        throw new SignedCallsInvalidError(`calls[${index}]: ${error.message}`);
      throw error;
    }
  });
}

const TYPES: Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>> = SIGNED_CALL_TYPES;
/** Structs of fields, and what every type ends in. */
const STRUCTS = new Set(['OrderSpec', 'LeaseUpdate']);
const AUTHORIZATION_FIELDS = new Set(['tenant', 'nonce', 'deadline']);

function readCall({ type, ...fields }: { readonly type: string }, authorization: unknown): AuthorizedCall {
  const known = Object.hasOwn(TYPES, type) && !STRUCTS.has(type) ? TYPES[type] : undefined;
  if (known === undefined) throw new CallArgumentInvalidError('call.type', `there is no signed call ${type}`);
  const components = known.filter(({ name }) => !AUTHORIZATION_FIELDS.has(name)).map(argumentOf);
  const [call] = readArguments([{ type: 'tuple', name: 'call', components }], [fields]);
  const [authorized] = readArguments([AUTHORIZATION], [authorization]);
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- read by the very types that the call is signed with
    call: { type, ...(call as object) } as SignedCall,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- read by the types above
    authorization: authorized as AuthorizedCall['authorization'] & { readonly tenant: Address },
  };
}

function argumentOf({ name, type }: { readonly name: string; readonly type: string }): ArgumentType {
  const fields = STRUCTS.has(type) ? TYPES[type] : undefined;
  return fields === undefined ? { name, type } : { name, type: 'tuple', components: fields.map(argumentOf) };
}
