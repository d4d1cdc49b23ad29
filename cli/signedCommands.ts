import { randomBytes } from 'node:crypto';

import type { Command } from 'commander';

import type { MarketClient } from '../sdk/marketClient.js';
import { isNonceUsed } from '../sdk/signed/isNonceUsed.js';
import { parseSignedCalls, signedCallsJson } from '../sdk/signed/signedCallFile.js';
import { sendSignedCall, signOffline, type SignedCall } from '../sdk/signed/signedCalls.js';
import { readJsonFile } from '../service/readJsonFile.js';
import { addWriteFlags, openSigner, openWriter, type WriteFlags } from './marketFlags.js';
import { printResult } from './marketOutput.js';
import { minutesOf } from './marketValues.js';

type Print = (line: string) => void;

/** Flags of a tenant's command that can be signed instead of sent. */
export interface TenantFlags extends WriteFlags {
  readonly signOnly: boolean;
  readonly validFor: string;
}

/** Adds what a tenant's command takes: the flags of a write, and those to sign it for somebody else to send. */
export function addTenantFlags(command: Command): Command {
  return addWriteFlags(command)
    .option('--sign-only', 'send nothing; print the signed call as JSON, for anyone to send with `relay`', false)
    .option('--valid-for <duration>', 'with --sign-only: until when the signature may be used', '1h');
}

/**
 * Signs calls for somebody else to send and prints them as JSON. Every call has a nonce of its own random key, so that no node is
 * asked, and none waits for another. Throws the errors of `openSigner`.
 */
export async function printSigned(print: Print, flags: TenantFlags, calls: readonly SignedCall[]): Promise<void> {
  const signer = openSigner(flags);
  const deadlineSeconds = Math.floor(Date.now() / 1000) + minutesOf('--valid-for', flags.validFor) * 60;
  const signed = [];
  for (const call of calls) {
    const nonce = BigInt(`0x${randomBytes(24).toString('hex')}`) << 64n;
    signed.push(await signOffline(signer, { call, deadlineSeconds, nonce }));
  }
  printResult(print, true, { json: signedCallsJson(signer.deployment, signed), lines: [] });
}

/** Registers `relay`. */
export function registerSignedCommands(program: Command, print: Print): void {
  addWriteFlags(
    program.command('relay').description('send calls that tenants signed with --sign-only; you pay the gas'),
  )
    .argument('<file>', 'what --sign-only printed')
    .action(async (file: string, flags: WriteFlags) => {
      const client = openWriter(flags);
      const calls = parseSignedCalls(client.deployment, readJsonFile('file', file));
      const sent = [];
      for (const signed of calls) sent.push({ type: signed.call.type, ...(await relay(client, signed)) });
      printResult(print, flags.json, {
        json: { sent },
        lines: sent.map(({ type, transactionHash, orderId }) =>
          transactionHash === null
            ? `${type} was sent before`
            : `${type} sent in ${transactionHash}${orderId === null ? '' : `: order ${orderId}`}`,
        ),
      });
    });
}

/** A file that was sent in part can be sent again: what is used up is left out. */
async function relay(
  client: MarketClient,
  signed: Parameters<typeof sendSignedCall>[1],
): Promise<{ readonly transactionHash: string | null; readonly orderId: number | null }> {
  if (await isNonceUsed(client, signed)) return { transactionHash: null, orderId: null };
  return sendSignedCall(client, signed);
}
