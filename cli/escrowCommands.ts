import type { Command } from 'commander';
import { zeroAddress } from 'viem';

import { chooseSponsor } from '../sdk/escrow/chooseSponsor.js';
import { deposit } from '../sdk/escrow/deposit.js';
import { getBalance } from '../sdk/escrow/getBalance.js';
import { sponsorAccounts } from '../sdk/escrow/sponsorAccounts.js';
import { withdraw } from '../sdk/escrow/withdraw.js';
import { withdrawSponsored } from '../sdk/escrow/withdrawSponsored.js';
import { formatAmount } from '../sdk/amounts.js';
import { requireAccount } from '../sdk/marketClient.js';
import { listTokens } from '../sdk/tokens/listTokens.js';
import { addWriteFlags, openEither, openReader, openWriter, type WriteFlags } from './marketFlags.js';
import { amountText, printResult, tableLines } from './marketOutput.js';
import { addressOf, amountOf, tokenOf } from './marketValues.js';
import { addTenantFlags, printSigned, type TenantFlags } from './signedCommands.js';
import { MissingFlagError } from './usage.js';

/** Registers `escrow deposit|withdraw|balance|sponsor|...`. */
export function registerEscrowCommands(program: Command, print: (line: string) => void): void {
  const escrow = program.command('escrow').description('what you have in the market: deposit, withdraw, sponsor');

  addTenantFlags(escrow.command('deposit').description('put tokens into the escrow, free for orders and bonds'))
    .argument('<amount>', 'whole tokens, like 12.5')
    .argument('<token>', 'symbol')
    .action(async (amount: string, symbol: string, flags: TenantFlags) => {
      const client = flags.signOnly ? openReader(flags) : openWriter(flags);
      const token = await tokenOf(client, symbol);
      const units = amountOf(amount, token);
      if (flags.signOnly) {
        await printSigned(print, flags, [{ type: 'Deposit', tokenId: token.tokenId, amount: units }]);
        return;
      }
      const done = await deposit(client, { tokenId: token.tokenId, amount: units });
      printResult(print, flags.json, {
        json: { ...done, credited: formatAmount(done.credited, token.decimals), token: token.symbol },
        lines: [`deposited ${amountText(done.credited, token)}`],
      });
    });

  addTenantFlags(escrow.command('withdraw').description('pay free balance out to your account'))
    .argument('<amount>', 'whole tokens, or all')
    .argument('<token>', 'symbol')
    .action(async (amount: string, symbol: string, flags: TenantFlags) => {
      const client = openWriter(flags);
      const token = await tokenOf(client, symbol);
      const units =
        amount === 'all'
          ? (await getBalance(client, { account: requireAccount(client, 'withdraw'), tokenId: token.tokenId })).balance
          : amountOf(amount, token);
      if (flags.signOnly) {
        await printSigned(print, flags, [{ type: 'Withdraw', tokenId: token.tokenId, amount: units }]);
        return;
      }
      const done = await withdraw(client, { tokenId: token.tokenId, amount: units });
      printResult(print, flags.json, {
        json: { ...done, amount: formatAmount(units, token.decimals), token: token.symbol },
        lines: [`withdrew ${amountText(units, token)}`],
      });
    });

  addWriteFlags(escrow.command('balance').description('what an account has free, in bonds, and from its sponsor'))
    .argument('[account]', 'address; default: yours')
    .action(async (text: string | undefined, flags: WriteFlags) => {
      const client = openEither(flags);
      if (text === undefined && client.account === undefined) {
        throw new MissingFlagError('account', null, 'an address, or the key of your account');
      }
      const account = text === undefined ? requireAccount(client, 'balance') : addressOf('account', text);
      const tokens = await listTokens(client);
      const rows = await Promise.all(
        tokens.map(async (token) => ({ token, ...(await getBalance(client, { account, tokenId: token.tokenId })) })),
      );
      printResult(print, flags.json, {
        json: {
          account,
          balances: rows.map(({ token, balance, bonds, sponsor, sponsored }) => ({
            token: token.symbol,
            balance: formatAmount(balance, token.decimals),
            bonds: formatAmount(bonds, token.decimals),
            sponsor,
            sponsored: formatAmount(sponsored, token.decimals),
          })),
        },
        lines: tableLines(
          ['token', 'free', 'bonds', 'sponsored'],
          rows.map(({ token, balance, bonds, sponsored }) => [
            token.symbol,
            formatAmount(balance, token.decimals),
            formatAmount(bonds, token.decimals),
            formatAmount(sponsored, token.decimals),
          ]),
        ),
      });
    });

  addWriteFlags(
    escrow.command('sponsor').description("deposit for others' orders; only you can take back what is left"),
  )
    .argument('<amount>', 'whole tokens for each account')
    .argument('<token>', 'symbol')
    .argument('<accounts...>', 'addresses, at most 16')
    .action(async (amount: string, symbol: string, texts: string[], flags: WriteFlags) => {
      const client = openWriter(flags);
      const token = await tokenOf(client, symbol);
      const accounts = texts.map((text) => addressOf('accounts', text));
      const units = amountOf(amount, token);
      const done = await sponsorAccounts(client, { tokenId: token.tokenId, amount: units, accounts });
      printResult(print, flags.json, {
        json: { ...done, accounts, amount: formatAmount(units, token.decimals), token: token.symbol },
        lines: accounts.map((account) => `sponsored ${account} with ${amountText(units, token)}`),
      });
    });

  addWriteFlags(escrow.command('unsponsor').description('take sponsored funds back that are not locked'))
    .argument('<amount>', 'whole tokens')
    .argument('<token>', 'symbol')
    .argument('<account>', 'sponsored address')
    .action(async (amount: string, symbol: string, text: string, flags: WriteFlags) => {
      const client = openWriter(flags);
      const token = await tokenOf(client, symbol);
      const units = amountOf(amount, token);
      const account = addressOf('account', text);
      const done = await withdrawSponsored(client, { tokenId: token.tokenId, account, amount: units });
      printResult(print, flags.json, {
        json: { ...done, account, amount: formatAmount(units, token.decimals), token: token.symbol },
        lines: [`took ${amountText(units, token)} back from ${account}`],
      });
    });

  addTenantFlags(escrow.command('choose-sponsor').description('name whose funds your next orders use first'))
    .argument('<sponsor>', 'address, or none')
    .action(async (text: string, flags: TenantFlags) => {
      const sponsor = text === 'none' ? null : addressOf('sponsor', text);
      if (flags.signOnly) {
        await printSigned(print, flags, [{ type: 'ChooseSponsor', sponsor: sponsor ?? zeroAddress }]);
        return;
      }
      const client = openWriter(flags);
      const done = await chooseSponsor(client, { sponsor });
      printResult(print, flags.json, {
        json: { ...done, sponsor },
        lines: [sponsor === null ? 'your orders use your own funds' : `your orders use the funds of ${sponsor} first`],
      });
    });
}
