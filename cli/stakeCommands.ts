import { Option, type Command } from 'commander';

import { formatAmount } from '../sdk/amounts.js';
import { readBlock } from '../sdk/calls/readBlock.js';
import { requireAccount } from '../sdk/marketClient.js';
import { addStake } from '../sdk/stake/addStake.js';
import { delegateStake } from '../sdk/stake/delegateStake.js';
import { getStake } from '../sdk/stake/getStake.js';
import { requestUndelegate } from '../sdk/stake/requestUndelegate.js';
import { requestUnstake } from '../sdk/stake/requestUnstake.js';
import { setCommission } from '../sdk/stake/setCommission.js';
import { SLASH_CAUSES, slashProvider, type SlashCause } from '../sdk/stake/slashProvider.js';
import { withdrawCompensation } from '../sdk/stake/withdrawCompensation.js';
import { withdrawUnbonded } from '../sdk/stake/withdrawUnbonded.js';
import { getStakingToken } from '../sdk/tokens/stakingToken.js';
import { addWriteFlags, openEither, openWriter, type WriteFlags } from './marketFlags.js';
import { amountText, fieldLines, printResult, tableLines, timeText } from './marketOutput.js';
import { addressOf, amountOf, evidenceHashOf, percentOf, providerOf } from './marketValues.js';
import { integer, InvalidFlagError } from './usage.js';

interface StakeFlags extends WriteFlags {
  readonly provider?: number;
}

interface SlashFlags extends WriteFlags {
  readonly cause: SlashCause;
  readonly share: string;
  readonly order?: number;
  readonly harm?: string;
  readonly evidence?: string;
  readonly evidenceHash?: string;
}

/** Registers `stake add|remove|withdraw|delegate|undelegate|commission|compensation|slash|status`. */
export function registerStakeCommands(program: Command, print: (line: string) => void): void {
  const stake = program
    .command('stake')
    .description("a provider's collateral: its own stake, and what others delegate");
  const ofProvider = (name: string, description: string): Command =>
    addWriteFlags(stake.command(name).description(description)).option(
      '--provider <id>',
      'provider; default: the one you own',
      integer,
    );

  ofProvider('add', "add to a provider's own stake")
    .argument('<amount>', 'whole tokens')
    .action(async (amount: string, flags: StakeFlags) => {
      const client = openWriter(flags);
      const [token, providerId] = await Promise.all([getStakingToken(client), providerOf(client, flags.provider)]);
      const units = amountOf(amount, token);
      const done = await addStake(client, { providerId, amount: units });
      printResult(print, flags.json, {
        json: { providerId, ...done, amount: formatAmount(units, token.decimals), token: token.symbol },
        lines: [`staked ${amountText(units, token)} for provider ${providerId}`],
      });
    });

  ofProvider('remove', 'let own stake go; it waits, and then `stake withdraw` pays it out')
    .argument('<amount>', 'whole tokens')
    .action(async (amount: string, flags: StakeFlags) => {
      const client = openWriter(flags);
      const [token, providerId] = await Promise.all([getStakingToken(client), providerOf(client, flags.provider)]);
      const done = await requestUnstake(client, { providerId, amount: amountOf(amount, token) });
      printResult(print, flags.json, {
        json: { providerId, ...done, amount: formatAmount(done.amount, token.decimals), token: token.symbol },
        lines: [
          `unbonding ${done.unbondingId}: ${amountText(done.amount, token)} leave after ${timeText(done.releaseAtSeconds)}`,
        ],
      });
    });

  ofProvider('withdraw', 'pay out unbondings that are over')
    .option('--unbonding <id>', 'only this one', integer)
    .action(async (flags: StakeFlags & { unbonding?: number }) => {
      const client = openWriter(flags);
      const account = requireAccount(client, 'stake withdraw');
      const [token, providerId] = await Promise.all([getStakingToken(client), providerOf(client, flags.provider)]);
      const { timestamp } = await readBlock(client);
      const over =
        flags.unbonding === undefined
          ? ((await getStake(client, { providerId, account })).account?.unbondings ?? [])
              .filter(({ releaseAtSeconds }) => BigInt(releaseAtSeconds) <= timestamp)
              .map(({ unbondingId }) => unbondingId)
          : [flags.unbonding];
      const paid = [];
      for (const unbondingId of over) {
        const done = await withdrawUnbonded(client, { providerId, unbondingId });
        paid.push({ unbondingId, ...done, amount: formatAmount(done.amount, token.decimals), token: token.symbol });
      }
      printResult(print, flags.json, {
        json: { providerId, paid },
        lines:
          paid.length === 0
            ? ['no unbonding of yours is over']
            : paid.map(({ unbondingId, amount }) => `unbonding ${unbondingId} paid ${amount} ${token.symbol}`),
      });
    });

  ofProvider('delegate', 'delegate stake to a provider, for a part of its rewards')
    .argument('<amount>', 'whole tokens')
    .action(async (amount: string, flags: StakeFlags) => {
      const client = openWriter(flags);
      const [token, providerId] = await Promise.all([getStakingToken(client), providerOf(client, flags.provider)]);
      const units = amountOf(amount, token);
      const done = await delegateStake(client, { providerId, amount: units });
      printResult(print, flags.json, {
        json: { providerId, ...done, amount: formatAmount(units, token.decimals), token: token.symbol },
        lines: [`delegated ${amountText(units, token)} to provider ${providerId}`],
      });
    });

  ofProvider('undelegate', 'let delegated stake go; it waits, and then `stake withdraw` pays it out')
    .argument('<amount>', 'whole tokens, or all')
    .action(async (amount: string, flags: StakeFlags) => {
      const client = openWriter(flags);
      const account = requireAccount(client, 'stake undelegate');
      const [token, providerId] = await Promise.all([getStakingToken(client), providerOf(client, flags.provider)]);
      const own = (await getStake(client, { providerId, account })).account;
      if (own === null || own.shares === 0n) {
        throw new InvalidFlagError(
          '--provider',
          `you delegate nothing to provider ${providerId}`,
          'name another provider',
        );
      }
      const units = amount === 'all' ? own.delegated : amountOf(amount, token);
      if (units > own.delegated) {
        throw new InvalidFlagError(
          'amount',
          `your delegation is worth ${amountText(own.delegated, token)}`,
          'ask for less, or all',
        );
      }
      // Rounded up, so that at least the amount leaves; never more than there is.
      const shares = units === own.delegated ? own.shares : (own.shares * units + own.delegated - 1n) / own.delegated;
      const done = await requestUndelegate(client, { providerId, shares });
      printResult(print, flags.json, {
        json: { providerId, ...done, amount: formatAmount(done.amount, token.decimals), token: token.symbol },
        lines: [
          `unbonding ${done.unbondingId}: ${amountText(done.amount, token)} leave after ${timeText(done.releaseAtSeconds)}`,
        ],
      });
    });

  ofProvider('commission', "set the provider's share of its delegators' rewards")
    .argument('<percent>', 'like 5 or 2.5')
    .action(async (percent: string, flags: StakeFlags) => {
      const client = openWriter(flags);
      const commissionBps = percentOf('percent', percent);
      const providerId = await providerOf(client, flags.provider);
      const done = await setCommission(client, { providerId, commissionBps });
      printResult(print, flags.json, {
        json: { providerId, commissionBps, ...done },
        lines: [
          `commission of provider ${providerId} is ${commissionBps / 100} % from ${timeText(done.effectiveAtSeconds)} on`,
        ],
      });
    });

  addWriteFlags(stake.command('compensation').description('pay out what slashes credited to you')).action(
    async (flags: WriteFlags) => {
      const client = openWriter(flags);
      const token = await getStakingToken(client);
      const done = await withdrawCompensation(client);
      printResult(print, flags.json, {
        json: { ...done, amount: formatAmount(done.amount, token.decimals), token: token.symbol },
        lines: [`paid ${amountText(done.amount, token)}`],
      });
    },
  );

  addWriteFlags(stake.command('slash').description('slash a provider for a cause (slasher role)'))
    .argument('<provider>', 'provider id', integer)
    .addOption(
      new Option(
        '--cause <cause>',
        'misconduct takes own, delegated and unbonding stake and rewards, and suspends; downtime takes own stake, or none when idle',
      )
        .choices([...SLASH_CAUSES])
        .makeOptionMandatory(),
    )
    .option('--share <percent>', 'of the stake that the cause may take', '0')
    .option('--order <id>', "the harmed tenant's order", integer)
    .option('--harm <amount>', 'what the tenant lost, whole tokens of stake; it is paid first')
    .option('--evidence <file>', 'its hash goes on the chain, good for one slash')
    .option('--evidence-hash <hash>', 'the hash instead of the file')
    .action(async (providerId: number, flags: SlashFlags) => {
      const evidenceHash = evidenceHashOf(flags);
      const amountBps = percentOf('--share', flags.share);
      const client = openWriter(flags);
      const token = await getStakingToken(client);
      const done = await slashProvider(client, {
        providerId,
        cause: flags.cause,
        amountBps,
        evidenceHash,
        ...(flags.order === undefined ? {} : { orderId: flags.order }),
        ...(flags.harm === undefined ? {} : { harm: amountOf(flags.harm, token) }),
      });
      const whole = (units: bigint): string => formatAmount(units, token.decimals);
      printResult(print, flags.json, {
        json: {
          providerId,
          cause: flags.cause,
          evidenceHash,
          ...done,
          token: token.symbol,
          ownAmount: whole(done.ownAmount),
          delegatedAmount: whole(done.delegatedAmount),
          unbondingAmount: whole(done.unbondingAmount),
          toTenant: whole(done.toTenant),
          toTreasury: whole(done.toTreasury),
        },
        lines: fieldLines([
          ['slashed', `provider ${providerId} for ${flags.cause}`],
          ['own stake', amountText(done.ownAmount, token)],
          ['delegated', amountText(done.delegatedAmount, token)],
          ['unbonding', amountText(done.unbondingAmount, token)],
          ['to the tenant', amountText(done.toTenant, token)],
          ['to the treasury', amountText(done.toTreasury, token)],
        ]),
      });
    });

  ofProvider('status', "a provider's stake, what is leaving, and your part of it")
    .option('--account <address>', "this account's part; default: yours")
    .action(async (flags: StakeFlags & { account?: string }) => {
      const client = openEither(flags);
      const account = flags.account === undefined ? client.account?.address : addressOf('--account', flags.account);
      const [token, providerId] = await Promise.all([getStakingToken(client), providerOf(client, flags.provider)]);
      const found = await getStake(client, { providerId, ...(account === undefined ? {} : { account }) });
      const whole = (units: bigint): string => formatAmount(units, token.decimals);
      const { account: part } = found;
      printResult(print, flags.json, {
        json: {
          providerId,
          token: token.symbol,
          own: whole(found.own),
          delegated: whole(found.delegated),
          unbonding: whole(found.unbonding),
          required: found.requiredWhole,
          commissionBps: found.commissionBps,
          unbondings: found.unbondings.map((entry) => ({ ...entry, amount: whole(entry.amount) })),
          account:
            part === null
              ? null
              : {
                  address: account,
                  shares: part.shares,
                  delegated: whole(part.delegated),
                  compensation: whole(part.compensation),
                  unbondings: part.unbondings.map((entry) => ({ ...entry, amount: whole(entry.amount) })),
                },
        },
        lines: fieldLines([
          ['provider', String(providerId)],
          ['own stake', amountText(found.own, token)],
          ['required', `${found.requiredWhole} ${token.symbol}`],
          ['delegated', amountText(found.delegated, token)],
          ['unbonding', amountText(found.unbonding, token)],
          ['commission', `${found.commissionBps / 100} %`],
          ['your delegation', part === null || part.shares === 0n ? null : amountText(part.delegated, token)],
          [
            'your compensation',
            part === null || part.compensation === 0n ? null : amountText(part.compensation, token),
          ],
        ]).concat(
          found.unbondings.length === 0
            ? []
            : [
                '',
                ...tableLines(
                  ['unbonding', 'account', 'stake', 'amount', 'after'],
                  found.unbondings.map((entry) => [
                    String(entry.unbondingId),
                    entry.account === account ? 'you' : entry.account,
                    entry.own ? 'own' : 'delegated',
                    amountText(entry.amount, token),
                    timeText(entry.releaseAtSeconds) ?? '',
                  ]),
                ),
              ],
        ),
      });
    });
}
