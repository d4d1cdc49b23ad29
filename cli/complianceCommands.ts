import type { Command } from 'commander';
import { keccak256, stringToBytes, type Hex } from 'viem';

import standards from '../config/catalogue/standards.json' with { type: 'json' };
import { formatAmount } from '../sdk/amounts.js';
import { readBlock } from '../sdk/calls/readBlock.js';
import { accreditAuditor } from '../sdk/compliance/accreditAuditor.js';
import { attestReport } from '../sdk/compliance/attestReport.js';
import { getAuditor } from '../sdk/compliance/getAuditor.js';
import { listReports } from '../sdk/compliance/listReports.js';
import { postBond } from '../sdk/compliance/postBond.js';
import { requestBondRelease } from '../sdk/compliance/requestBondRelease.js';
import { revokeReport } from '../sdk/compliance/revokeReport.js';
import { revokeReportOf } from '../sdk/compliance/revokeReportOf.js';
import { slashAuditor } from '../sdk/compliance/slashAuditor.js';
import { withdrawBond } from '../sdk/compliance/withdrawBond.js';
import { withdrawTreasury } from '../sdk/compliance/withdrawTreasury.js';
import { requireAccount } from '../sdk/marketClient.js';
import { getBondToken } from '../sdk/tokens/stakingToken.js';
import {
  addReadFlags,
  addWriteFlags,
  openEither,
  openReader,
  openWriter,
  type ReadFlags,
  type WriteFlags,
} from './marketFlags.js';
import { amountText, fieldLines, printResult, tableLines, timeText } from './marketOutput.js';
import { addressOf, amountOf, evidenceHashOf, nameOfId, percentOf, readBytes, rowOf } from './marketValues.js';
import { integer, InvalidFlagError, MissingFlagError } from './usage.js';

interface AttestFlags extends WriteFlags {
  readonly provider: number;
  readonly standard: string;
  readonly scope: string;
  readonly report: string;
  readonly uri: string;
  readonly from?: string;
  readonly until: string;
  readonly bonus: string;
}

/** Registers `compliance accredit|bond|slash|treasury|attest|revoke|list|auditor`. */
export function registerComplianceCommands(program: Command, print: (line: string) => void): void {
  const compliance = program.command('compliance').description('auditors, and their reports about providers');

  addWriteFlags(compliance.command('accredit').description('accredit an auditor (compliance role)'))
    .argument('<auditor>', 'address')
    .requiredOption('--max-bonus <percent>', 'largest bonus of one report, at most 10; 0 removes the auditor')
    .action(async (text: string, flags: WriteFlags & { maxBonus: string }) => {
      const auditor = addressOf('auditor', text);
      const maxBps = percentOf('--max-bonus', flags.maxBonus);
      const done = await accreditAuditor(openWriter(flags), { auditor, maxBps });
      printResult(print, flags.json, {
        json: { auditor, maxBps, ...done },
        lines: [
          maxBps === 0 ? `${auditor} is no auditor any more` : `${auditor} may attest bonuses up to ${maxBps / 100} %`,
        ],
      });
    });

  const bond = compliance.command('bond').description("an auditor's bond");
  addWriteFlags(bond.command('post').description('add to your bond'))
    .argument('<amount>', 'whole tokens')
    .action(async (amount: string, flags: WriteFlags) => {
      const client = openWriter(flags);
      const token = await getBondToken(client);
      const units = amountOf(amount, token);
      const done = await postBond(client, { amount: units });
      printResult(print, flags.json, {
        json: { ...done, amount: formatAmount(units, token.decimals), token: token.symbol },
        lines: [`posted ${amountText(units, token)}`],
      });
    });
  addWriteFlags(bond.command('release').description('begin to release your bond; you attest nothing more')).action(
    async (flags: WriteFlags) => {
      const done = await requestBondRelease(openWriter(flags));
      printResult(print, flags.json, {
        json: done,
        lines: [`the bond can leave after ${timeText(done.releaseAtSeconds)}`],
      });
    },
  );
  addWriteFlags(bond.command('withdraw').description('pay your released bond out')).action(
    async (flags: WriteFlags) => {
      const client = openWriter(flags);
      const token = await getBondToken(client);
      const done = await withdrawBond(client);
      printResult(print, flags.json, {
        json: { ...done, amount: formatAmount(done.amount, token.decimals), token: token.symbol },
        lines: [`withdrew ${amountText(done.amount, token)}`],
      });
    },
  );

  addWriteFlags(compliance.command('slash').description("take a part of an auditor's bond (slasher role)"))
    .argument('<auditor>', 'address')
    .requiredOption('--amount <amount>', 'at most so many whole tokens')
    .option('--evidence <file>', 'its hash goes on the chain, good for one slash')
    .option('--evidence-hash <hash>', 'the hash instead of the file')
    .action(async (text: string, flags: WriteFlags & { amount: string; evidence?: string; evidenceHash?: string }) => {
      const auditor = addressOf('auditor', text);
      const evidenceHash = evidenceHashOf(flags);
      const client = openWriter(flags);
      const token = await getBondToken(client);
      const done = await slashAuditor(client, { auditor, amount: amountOf(flags.amount, token), evidenceHash });
      printResult(print, flags.json, {
        json: {
          auditor,
          evidenceHash,
          ...done,
          amount: formatAmount(done.amount, token.decimals),
          token: token.symbol,
        },
        lines: [`took ${amountText(done.amount, token)} from the bond of ${auditor}`],
      });
    });

  addWriteFlags(
    compliance.command('treasury').description('pay what was taken of bonds to the treasury, for anyone'),
  ).action(async (flags: WriteFlags) => {
    const client = openWriter(flags);
    const token = await getBondToken(client);
    const done = await withdrawTreasury(client);
    printResult(print, flags.json, {
      json: { ...done, amount: formatAmount(done.amount, token.decimals), token: token.symbol },
      lines: [`paid ${amountText(done.amount, token)} to ${done.treasury}`],
    });
  });

  addWriteFlags(compliance.command('attest').description('attest a report about a provider; replaces your own'))
    .requiredOption('--provider <id>', 'provider', integer)
    .requiredOption('--standard <name>', `one of ${Object.keys(standards).join(', ')}`)
    .requiredOption('--scope <text>', 'what was audited; its hash goes on the chain')
    .requiredOption('--report <file>', 'the report; its hash goes on the chain')
    .requiredOption('--uri <uri>', 'where the report can be read')
    .option('--from <day>', 'first day that counts, YYYY-MM-DD; default: the day of the newest block')
    .requiredOption('--until <day>', 'last day that counts, YYYY-MM-DD')
    .requiredOption('--bonus <percent>', 'what it adds to score and rewards')
    .action(async (flags: AttestFlags) => attest(flags, print));

  addWriteFlags(compliance.command('revoke').description('take a report back'))
    .requiredOption('--provider <id>', 'provider', integer)
    .option('--auditor <address>', "this auditor's report (compliance role); default: your own")
    .action(async (flags: WriteFlags & { provider: number; auditor?: string }) => {
      const client = openWriter(flags);
      const auditor = flags.auditor === undefined ? null : addressOf('--auditor', flags.auditor);
      const done =
        auditor === null
          ? await revokeReport(client, { providerId: flags.provider })
          : await revokeReportOf(client, { providerId: flags.provider, auditor });
      printResult(print, flags.json, {
        json: { providerId: flags.provider, auditor: auditor ?? requireAccount(client, 'revoke'), ...done },
        lines: [`the report about provider ${flags.provider} is revoked`],
      });
    });

  addReadFlags(compliance.command('list').description('reports that stand about a provider'))
    .requiredOption('--provider <id>', 'provider', integer)
    .action(async (flags: ReadFlags & { provider: number }) => {
      const found = await listReports(openReader(flags), { providerId: flags.provider });
      printResult(print, flags.json, {
        json: { providerId: flags.provider, ...found },
        lines: [
          ...tableLines(
            ['standard', 'auditor', 'bonus', 'until', 'counts', 'uri'],
            found.reports.map(({ auditor, report, counts }) => [
              nameOfId(standards, report.standard),
              auditor,
              `${report.bps / 100} %`,
              dayText(report.expiryDay),
              counts ? 'yes' : 'no',
              report.uri,
            ]),
          ),
          `multiplier ${found.complianceBps / 10_000} before the policy's cap`,
        ],
      });
    });

  addWriteFlags(compliance.command('auditor').description("an auditor's standing"))
    .argument('[auditor]', 'address; default: yours')
    .action(async (text: string | undefined, flags: WriteFlags) => {
      const client = openEither(flags);
      const auditor = text === undefined ? client.account?.address : addressOf('auditor', text);
      if (auditor === undefined) throw new MissingFlagError('auditor', null, 'an address, or the key of your account');
      const [token, found] = await Promise.all([getBondToken(client), getAuditor(client, { auditor })]);
      printResult(print, flags.json, {
        json: {
          auditor,
          ...found,
          bond: formatAmount(found.bond, token.decimals),
          minimumBond: formatAmount(found.minimumBond, token.decimals),
          token: token.symbol,
        },
        lines: fieldLines([
          ['auditor', auditor],
          ['accredited', found.maxBps === 0 ? 'no' : `for bonuses up to ${found.maxBps / 100} %`],
          ['bond', `${amountText(found.bond, token)} of ${amountText(found.minimumBond, token)}`],
          ['released after', found.releaseAtSeconds === 0 ? null : timeText(found.releaseAtSeconds)],
        ]),
      });
    });
}

async function attest(flags: AttestFlags, print: (line: string) => void): Promise<void> {
  const client = openWriter(flags);
  const { timestamp } = await readBlock(client);
  const report = {
    standard: rowOf('--standard', flags.standard, standards).id,
    scopeHash: keccak256(stringToBytes(flags.scope)),
    reportHash: fileHash(flags.report),
    uri: flags.uri,
    issueDay: flags.from === undefined ? Number(timestamp / 86_400n) : dayOf('--from', flags.from),
    expiryDay: dayOf('--until', flags.until),
    bps: percentOf('--bonus', flags.bonus),
  };
  const done = await attestReport(client, { providerId: flags.provider, report });
  printResult(print, flags.json, {
    json: { providerId: flags.provider, report, ...done },
    lines: [`attested ${flags.standard} for provider ${flags.provider} until ${flags.until}`],
  });
}

function fileHash(file: string): Hex {
  return keccak256(readBytes('--report', file));
}

/** Days since 1970. Throws InvalidFlagError. */
function dayOf(flag: string, text: string): number {
  const milliseconds = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(milliseconds)) throw new InvalidFlagError(flag, `\`${text}\` is no day`, 'write it like 2030-12-31');
  return milliseconds / 86_400_000;
}

function dayText(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}
