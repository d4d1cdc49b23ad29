import { setTimeout } from 'node:timers/promises';

import type { Command } from 'commander';
import type { Hex } from 'viem';

import resources from '../config/resources.json' with { type: 'json' };
import { hashManifest, type Manifest } from '../protocol/icl/manifest.js';
import { formatAmount, formatMicro } from '../sdk/amounts.js';
import { placeBid } from '../sdk/bids/placeBid.js';
import { releaseBond } from '../sdk/bids/releaseBond.js';
import { withdrawBid } from '../sdk/bids/withdrawBid.js';
import { readBlock } from '../sdk/calls/readBlock.js';
import { getBalance } from '../sdk/escrow/getBalance.js';
import { withdraw } from '../sdk/escrow/withdraw.js';
import { acceptUpdate } from '../sdk/leases/acceptUpdate.js';
import { claimLease } from '../sdk/leases/claimLease.js';
import { closeLease } from '../sdk/leases/closeLease.js';
import { confirmDeployment } from '../sdk/leases/confirmDeployment.js';
import { listLeases } from '../sdk/leases/listLeases.js';
import { markReady } from '../sdk/leases/markReady.js';
import { requireAccount, type MarketClient } from '../sdk/marketClient.js';
import { getOrder, type Order } from '../sdk/orders/getOrder.js';
import { listOrders } from '../sdk/orders/listOrders.js';
import { activateProvider } from '../sdk/provider/activateProvider.js';
import { getEarnings } from '../sdk/provider/getEarnings.js';
import { getProvider } from '../sdk/provider/getProvider.js';
import { listCertificates } from '../sdk/provider/listCertificates.js';
import { proposeProvider } from '../sdk/provider/proposeProvider.js';
import { publishCertificate } from '../sdk/provider/publishCertificate.js';
import { registerProvider } from '../sdk/provider/registerProvider.js';
import { removeAttributes } from '../sdk/provider/removeAttributes.js';
import { revokeCertificate } from '../sdk/provider/revokeCertificate.js';
import { setHostUri } from '../sdk/provider/setHostUri.js';
import { setMaintenance } from '../sdk/provider/setMaintenance.js';
import { submitAttributes } from '../sdk/provider/submitAttributes.js';
import { submitCapabilities } from '../sdk/provider/submitCapabilities.js';
import { CATALOGUE } from '../sdk/readIcl.js';
import { getToken, listTokens } from '../sdk/tokens/listTokens.js';
import { registerMachineCommands } from './machineCommands.js';
import {
  addReadFlags,
  addWriteFlags,
  openEither,
  openReader,
  openWriter,
  type ReadFlags,
  type WriteFlags,
} from './marketFlags.js';
import { amountText, fieldLines, printIds, printResult, tableLines, timeText } from './marketOutput.js';
import {
  addressOf,
  amountOf,
  capabilityBits,
  capabilityNames,
  hashOf,
  microOf,
  minutesOf,
  providerOf,
  readCertificate,
  readText,
  regionOf,
  rowOf,
  tokenOf,
} from './marketValues.js';
import { orderJson, orderTable } from './orderCommands.js';
import { registerProposalCommands } from './proposalCommands.js';
import { integer, InvalidFlagError } from './usage.js';
import { registerVerifyCommands } from './verifyCommands.js';

interface ProviderFlags extends WriteFlags {
  readonly provider?: number;
}

type Print = (line: string) => void;

/** Registers `provider register|activate|machine|offer|bid|ready|confirm|claim|status|earnings|withdraw|...`. */
export function registerProviderCommands(program: Command, print: Print): void {
  const provider = program
    .command('provider')
    .description('rent out machines: register, offer, serve leases, get paid');
  registerJoining(provider, print);
  registerProposalCommands(provider, print);
  registerMachineCommands(provider, print);
  registerBidding(provider, print);
  registerServing(provider, print);
  registerMoney(provider, print);
  registerIdentity(provider, print);
  registerVerifyCommands(provider, print);
}

function ofProvider(parent: Command, name: string, description: string): Command {
  return addWriteFlags(parent.command(name).description(description)).option(
    '--provider <id>',
    'provider; default: the one you own',
    integer,
  );
}

function registerJoining(provider: Command, print: Print): void {
  addWriteFlags(
    provider.command('register').description('propose yourself as a provider, or join on an approved proposal'),
  )
    .option('--proposal <id>', 'join on this approved proposal', integer)
    .option('--name <name>', 'name of the provider')
    .option('--host-uri <uri>', 'where tenants reach it')
    .option('--region <code>', 'like germany or us-east')
    .option('--tier <number>', 'trust tier asked for, 1 to 7', integer, 7)
    .option('--gpus <number>', 'planned GPUs', integer, 0)
    .option('--cores <number>', 'planned cores, at least one', integer)
    .action(
      async (
        flags: WriteFlags & {
          proposal?: number;
          name?: string;
          hostUri?: string;
          region?: string;
          tier: number;
          gpus: number;
          cores?: number;
        },
      ) => {
        const client = openWriter(flags);
        if (flags.proposal !== undefined) {
          const done = await registerProvider(client, { proposalId: flags.proposal });
          printResult(print, flags.json, { json: done, lines: [`registered as provider ${done.providerId}`] });
          return;
        }
        const { name, hostUri, region, cores } = flags;
        if (name === undefined || hostUri === undefined || region === undefined || cores === undefined) {
          throw new InvalidFlagError(
            'provider',
            'the proposal is incomplete',
            'name --name, --host-uri, --region and --cores',
          );
        }
        const done = await proposeProvider(client, {
          name,
          hostUri,
          region: regionOf(region),
          tier: flags.tier,
          devices: flags.gpus,
          cores,
        });
        printResult(print, flags.json, {
          json: done,
          lines: [
            done.providerId === null
              ? `proposal ${done.proposalId} waits for approval; then \`provider register --proposal ${done.proposalId}\``
              : `registered as provider ${done.providerId}`,
          ],
        });
      },
    );

  ofProvider(
    provider,
    'activate',
    'take a registered provider to Active; its own stake must cover what is required',
  ).action(async (flags: ProviderFlags) => {
    const client = openWriter(flags);
    const providerId = await providerOf(client, flags.provider);
    const done = await activateProvider(client, { providerId });
    printResult(print, flags.json, { json: { providerId, ...done }, lines: [`provider ${providerId} is Active`] });
  });

  ofProvider(provider, 'maintenance', 'planned work: no matching, and downtime is no fault')
    .argument('<switch>', 'on or off')
    .action(async (text: string, flags: ProviderFlags) => {
      if (text !== 'on' && text !== 'off')
        throw new InvalidFlagError('switch', `\`${text}\` is neither`, 'write on or off');
      const client = openWriter(flags);
      const providerId = await providerOf(client, flags.provider);
      const done = await setMaintenance(client, { providerId, maintenance: text === 'on' });
      printResult(print, flags.json, {
        json: { providerId, maintenance: text === 'on', ...done },
        lines: [`provider ${providerId} is ${text === 'on' ? 'in Maintenance' : 'Active'}`],
      });
    });

  ofProvider(provider, 'host-uri', 'change where tenants reach the provider')
    .argument('<uri>', 'at most 256 bytes')
    .action(async (hostUri: string, flags: ProviderFlags) => {
      const client = openWriter(flags);
      const providerId = await providerOf(client, flags.provider);
      const done = await setHostUri(client, { providerId, hostUri });
      printResult(print, flags.json, {
        json: { providerId, hostUri, ...done },
        lines: [`provider ${providerId} is at ${hostUri}`],
      });
    });

  ofProvider(provider, 'status', "a provider's standing").action(async (flags: ProviderFlags) => {
    const client = openEither(flags);
    const found = await getProvider(client, { providerId: await providerOf(client, flags.provider) });
    const percent = (bps: number | null): string => (bps === null ? 'not measured yet' : `${bps / 100} %`);
    printResult(print, flags.json, {
      json: found,
      lines: fieldLines([
        ['provider', `${found.providerId}${found.name === '' ? '' : ` (${found.name})`}`],
        ['status', found.status],
        ['owner', found.owner],
        ['host', found.hostUri],
        ['trust tier', String(found.tier)],
        ['stake', `${found.stakeWhole} whole tokens, own and delegated`],
        ['required', `${found.requiredStakeWhole} whole tokens of own stake`],
        ['uptime', percent(found.uptimeBps)],
        ['reputation', percent(found.reputationBps)],
        ['slashes', String(found.slashes)],
        ['capabilities', capabilityNames(found.capabilities)],
        [
          'waiting for the verifier',
          found.pendingCapabilities === null ? null : capabilityNames(found.pendingCapabilities),
        ],
      ]),
    });
  });
}

function registerBidding(provider: Command, print: Print): void {
  const bid = provider.command('bid').description('bids on single orders, below your own offer');
  addWriteFlags(bid.command('place').description('bid on an open order, or change your bid'))
    .argument('<order>', 'order id', integer)
    .requiredOption('--machine <id>', 'machine', integer)
    .requiredOption('--price <amount>', 'whole tokens an hour for the whole order')
    .action(async (orderId: number, flags: WriteFlags & { machine: number; price: string }) => {
      const client = openWriter(flags);
      const priceMicroPerHour = microOf('--price', flags.price);
      const done = await placeBid(client, { orderId, machineId: flags.machine, priceMicroPerHour });
      const token = await getToken(client, { tokenId: (await getOrder(client, { orderId })).spec.tokenId });
      printResult(print, flags.json, {
        json: {
          orderId,
          machineId: flags.machine,
          ...done,
          bond: formatAmount(done.bond, token.decimals),
          token: token.symbol,
        },
        lines: [
          `bid ${formatMicro(priceMicroPerHour)} ${token.symbol} an hour on order ${orderId}; a bond of ${amountText(done.bond, token)} is held`,
        ],
      });
    });
  addReadFlags(bid.command('open').description('orders that take bids now, the newest first'))
    .option('--wait', 'wait until there is one', false)
    .option('--timeout <duration>', 'how long to wait', '5min')
    .option('--quiet', 'print the order ids alone', false)
    .action(async (flags: ReadFlags & { wait: boolean; timeout: string; quiet: boolean }) => {
      const client = openReader(flags);
      const orders = await openForBids(client, flags.wait ? minutesOf('--timeout', flags.timeout) * 60 : 0);
      if (flags.quiet) {
        printIds(
          print,
          orders.map(({ orderId }) => orderId),
        );
        return;
      }
      const tokens = new Map((await listTokens(client)).map((token) => [token.tokenId, token]));
      const tokenOfOrder = (order: Order) => tokens.get(order.spec.tokenId)!;
      printResult(print, flags.json, {
        json: { orders: orders.map((order) => orderJson(order, tokenOfOrder(order))) },
        lines: orderTable(orders, tokenOfOrder),
      });
    });
  for (const [name, description, act, past] of [
    ['withdraw', 'end your bid from the next round on', withdrawBid, 'ends'],
    ['release-bond', 'return a bond that is not needed any more, for anyone', releaseBond, 'has its bond back'],
  ] as const) {
    ofProvider(bid, name, description)
      .argument('<order>', 'order id', integer)
      .action(async (orderId: number, flags: ProviderFlags) => {
        const client = openWriter(flags);
        const providerId = await providerOf(client, flags.provider);
        const done = await act(client, { orderId, providerId });
        printResult(print, flags.json, {
          json: { orderId, providerId, ...done },
          lines: [`the bid of provider ${providerId} on order ${orderId} ${past}`],
        });
      });
  }
}

/** Orders whose bid window is open, of the newest 20; waits up to `waitSeconds` until there is one. */
async function openForBids(client: MarketClient, waitSeconds: number): Promise<readonly Order[]> {
  const deadline = Date.now() + waitSeconds * 1000;
  for (;;) {
    const orders = await listOrders(client, { limit: 20 });
    const { number } = await readBlock(client);
    const open = orders.filter(
      ({ status, eligibleFromBlock }) =>
        (status === 'PROVIDER_LOOKUP' || status === 'CREATE_BID') && BigInt(eligibleFromBlock ?? 0) > number,
    );
    if (open.length > 0 || Date.now() >= deadline) return open;
    await setTimeout(Math.max(client.deployment.blockTimeMs, 250));
  }
}

function registerServing(provider: Command, print: Print): void {
  ofProvider(provider, 'leases', 'orders matched with you, the newest first')
    .option('--limit <number>', 'at most so many', integer, 50)
    .action(async (flags: ProviderFlags & { limit: number }) => {
      const client = openEither(flags);
      const providerId = await providerOf(client, flags.provider);
      const leases = await listLeases(client, { providerId, limit: flags.limit });
      const tokens = new Map((await listTokens(client)).map((token) => [token.tokenId, token]));
      const tokenOfOrder = (order: (typeof leases)[number]) => tokens.get(order.spec.tokenId)!;
      printResult(print, flags.json, {
        json: { providerId, leases: leases.map((order) => orderJson(order, tokenOfOrder(order))) },
        lines: orderTable(leases, tokenOfOrder),
      });
    });

  addWriteFlags(provider.command('ready').description('say that you are ready for the manifest; paid time begins'))
    .argument('<order>', 'order id', integer)
    .action(async (orderId: number, flags: WriteFlags) => {
      const done = await markReady(openWriter(flags), { orderId });
      printResult(print, flags.json, {
        json: { orderId, ...done },
        lines: [`ready for order ${orderId}, paid until ${timeText(done.paidThroughSeconds)}`],
      });
    });

  addWriteFlags(provider.command('confirm').description('say that the announced manifest runs'))
    .argument('<order>', 'order id', integer)
    .option('--manifest <file>', 'the manifest that runs, as JSON')
    .option('--hash <hash>', 'its hash, instead of the file')
    .action(async (orderId: number, flags: WriteFlags & { manifest?: string; hash?: string }) => {
      const client = openWriter(flags);
      const manifestHash = confirmedHash(flags);
      const done = await confirmDeployment(client, { orderId, manifestHash });
      printResult(print, flags.json, {
        json: { orderId, manifestHash, ...done },
        lines: [`order ${orderId} is confirmed: ${manifestHash}`],
      });
    });

  addWriteFlags(provider.command('accept').description("accept the tenant's request to update a lease"))
    .argument('<order>', 'order id', integer)
    .option('--price <amount>', "whole tokens an hour; default: the tenant's ceiling")
    .action(async (orderId: number, flags: WriteFlags & { price?: string }) => {
      const done = await acceptUpdate(openWriter(flags), {
        orderId,
        ...(flags.price === undefined ? {} : { priceMicroPerHour: microOf('--price', flags.price) }),
      });
      printResult(print, flags.json, {
        json: { orderId, ...done },
        lines: [`order ${orderId} is updated, at ${formatMicro(done.priceMicroPerHour)} an hour`],
      });
    });

  addWriteFlags(provider.command('close').description('end a lease; you get what has accrued, once it was confirmed'))
    .argument('<order>', 'order id', integer)
    .action(async (orderId: number, flags: WriteFlags) => {
      const done = await closeLease(openWriter(flags), { orderId });
      printResult(print, flags.json, { json: { orderId, ...done }, lines: [`order ${orderId} ended (${done.end})`] });
    });
}

function confirmedHash(flags: { readonly manifest?: string; readonly hash?: string }): Hex {
  if ((flags.manifest === undefined) === (flags.hash === undefined)) {
    throw new InvalidFlagError(
      '--manifest',
      'name exactly one of --manifest and --hash',
      'a file hashes to what really runs',
    );
  }
  if (flags.hash !== undefined) return hashOf('--hash', flags.hash);
  const text = readText('--manifest', flags.manifest ?? '');
  try {
    return hashManifest(JSON.parse(text) as Manifest);
  } catch {
    throw new InvalidFlagError(
      '--manifest',
      `${flags.manifest} is not JSON`,
      'name the file that `order manifest --out` wrote',
    );
  }
}

function registerMoney(provider: Command, print: Print): void {
  addWriteFlags(provider.command('claim').description('credit yourself with what a lease has accrued'))
    .argument('<order>', 'order id', integer)
    .action(async (orderId: number, flags: WriteFlags) => {
      const client = openWriter(flags);
      const done = await claimLease(client, { orderId });
      const token = await getToken(client, { tokenId: (await getOrder(client, { orderId })).spec.tokenId });
      printResult(print, flags.json, {
        json: { orderId, ...done, amount: formatAmount(done.amount, token.decimals), token: token.symbol },
        lines: [`credited ${amountText(done.amount, token)} after fees`],
      });
    });

  ofProvider(provider, 'earnings', 'what leases earned, token by token').action(async (flags: ProviderFlags) => {
    const client = openEither(flags);
    const providerId = await providerOf(client, flags.provider);
    const found = await getEarnings(client, { providerId });
    printResult(print, flags.json, {
      json: {
        providerId,
        earnings: found.map(({ symbol, decimals, credited, withdrawable, accruing, runningLeases }) => ({
          token: symbol,
          credited: formatAmount(credited, decimals),
          withdrawable: formatAmount(withdrawable, decimals),
          accruing: formatAmount(accruing, decimals),
          runningLeases,
        })),
      },
      lines: tableLines(
        ['token', 'credited', 'withdrawable', 'accruing before fees', 'running leases'],
        found.map(({ symbol, decimals, credited, withdrawable, accruing, runningLeases }) => [
          symbol,
          formatAmount(credited, decimals),
          formatAmount(withdrawable, decimals),
          formatAmount(accruing, decimals),
          String(runningLeases.length),
        ]),
      ),
    });
  });

  addWriteFlags(provider.command('withdraw').description('pay earnings out to your account'))
    .argument('<amount>', 'whole tokens, or all')
    .argument('<token>', 'symbol')
    .action(async (amount: string, symbol: string, flags: WriteFlags) => {
      const client = openWriter(flags);
      const token = await tokenOf(client, symbol);
      const units =
        amount === 'all'
          ? (await getBalance(client, { account: requireAccount(client, 'withdraw'), tokenId: token.tokenId })).balance
          : amountOf(amount, token);
      const done = await withdraw(client, { tokenId: token.tokenId, amount: units });
      printResult(print, flags.json, {
        json: { ...done, amount: formatAmount(units, token.decimals), token: token.symbol },
        lines: [`withdrew ${amountText(units, token)}`],
      });
    });
}

function registerIdentity(provider: Command, print: Print): void {
  const certificate = provider
    .command('certificate')
    .description('mTLS keys that speak for your account, also for tenants');
  addWriteFlags(certificate.command('publish').description("publish a certificate's key"))
    .argument('<certificate>', 'X.509 certificate in PEM')
    .action(async (file: string, flags: WriteFlags) => {
      const found = readCertificate(file);
      const done = await publishCertificate(openWriter(flags), found);
      printResult(print, flags.json, {
        json: { ...found, ...done },
        lines: [`${found.fingerprint} speaks for you until ${timeText(found.notAfterSeconds)}`],
      });
    });
  addWriteFlags(certificate.command('revoke').description('revoke a key for ever'))
    .argument('<fingerprint>', 'from `certificate list`')
    .action(async (text: string, flags: WriteFlags) => {
      const fingerprint = hashOf('fingerprint', text);
      const done = await revokeCertificate(openWriter(flags), { fingerprint });
      printResult(print, flags.json, { json: { fingerprint, ...done }, lines: [`${fingerprint} is revoked`] });
    });
  addWriteFlags(certificate.command('list').description('keys that speak for an account now'))
    .argument('[account]', 'address; default: yours')
    .action(async (text: string | undefined, flags: WriteFlags) => {
      const client = openEither(flags);
      const account = text === undefined ? requireAccount(client, 'certificate list') : addressOf('account', text);
      const certificates = await listCertificates(client, { account });
      printResult(print, flags.json, {
        json: { account, certificates },
        lines: tableLines(
          ['fingerprint', 'until'],
          certificates.map(({ fingerprint, notAfterSeconds }) => [fingerprint, timeText(notAfterSeconds) ?? '']),
        ),
      });
    });

  const attributes = provider
    .command('attributes')
    .description('what you have; it counts once the verifier approves it');
  for (const category of ['cpu', 'gpu'] as const) {
    ofProvider(attributes, category, `submit your ${category.toUpperCase()}s, for rewards; none takes them away`)
      .argument('<rows...>', 'NAME=UNITS, like h100=8; or none')
      .action(async (rows: string[], flags: ProviderFlags) => {
        const client = openWriter(flags);
        const providerId = await providerOf(client, flags.provider);
        const isNone = rows.length === 1 && rows[0] === 'none';
        const submitted = isNone ? [] : rows.map((row) => resourceOf(category, row));
        submitted.sort((a, b) => a.resourceId - b.resourceId);
        const done = isNone
          ? await removeAttributes(client, { providerId, category })
          : await submitAttributes(client, { providerId, category, resources: submitted });
        printResult(print, flags.json, {
          json: { providerId, category, resources: submitted, ...done },
          lines: [isNone ? `provider ${providerId} has no ${category} rows` : `submitted; the verifier looks at them`],
        });
      });
  }
  ofProvider(attributes, 'capabilities', 'submit capabilities that orders can require')
    .argument('<names...>', Object.keys(CATALOGUE.capabilities).join(', '))
    .action(async (names: string[], flags: ProviderFlags) => {
      const client = openWriter(flags);
      const providerId = await providerOf(client, flags.provider);
      const capabilities = capabilityBits(names);
      const done = await submitCapabilities(client, { providerId, capabilities });
      printResult(print, flags.json, {
        json: { providerId, names, capabilities, ...done },
        lines: ['submitted; the verifier looks at them'],
      });
    });
}

function resourceOf(category: 'cpu' | 'gpu', text: string): { readonly resourceId: number; readonly units: number } {
  const [name = '', units = ''] = text.split('=');
  const table = Object.fromEntries(
    resources.flatMap((row, index) => (row.category === category ? [[row.name, index + 1] as const] : [])),
  );
  const resourceId = rowOf('rows', name, table);
  if (!/^[1-9]\d{0,6}$/.test(units))
    throw new InvalidFlagError('rows', `\`${text}\` names no units`, 'write NAME=UNITS, like h100=8');
  return { resourceId, units: Number(units) };
}
