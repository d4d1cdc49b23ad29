import { writeFileSync } from 'node:fs';

import { Option, type Command } from 'commander';

import { MatchmakerError } from '../engine/error.js';
import type { IclOrder } from '../protocol/icl/parseIcl.js';
import { announceManifest } from '../sdk/leases/announceManifest.js';
import { cancelUpdate } from '../sdk/leases/cancelUpdate.js';
import { closeLease } from '../sdk/leases/closeLease.js';
import { completeUpdate } from '../sdk/leases/completeUpdate.js';
import { endLease } from '../sdk/leases/endLease.js';
import { releaseExcess } from '../sdk/leases/releaseExcess.js';
import { renewLease } from '../sdk/leases/renewLease.js';
import { requestUpdate } from '../sdk/leases/requestUpdate.js';
import { topUpLease } from '../sdk/leases/topUpLease.js';
import { formatAmount, formatMicro } from '../sdk/amounts.js';
import { readBlock } from '../sdk/calls/readBlock.js';
import type { MarketClient } from '../sdk/marketClient.js';
import { cancelOrder } from '../sdk/orders/cancelOrder.js';
import { createOrder } from '../sdk/orders/createOrder.js';
import { expireOrder } from '../sdk/orders/expireOrder.js';
import { getOrder, type Order } from '../sdk/orders/getOrder.js';
import { listOrders } from '../sdk/orders/listOrders.js';
import { ORDER_STATUSES, type OrderStatus } from '../sdk/orders/orderStatus.js';
import { refundOrder } from '../sdk/orders/refundOrder.js';
import { replaceOrder } from '../sdk/orders/replaceOrder.js';
import { selfMatch } from '../sdk/orders/selfMatch.js';
import { readIcl } from '../sdk/readIcl.js';
import { getToken, type MarketToken } from '../sdk/tokens/listTokens.js';
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
import { addressOf, cpuOf, gpuOf, hashOf, memoryOf, microOf, minutesOf, readText, storageOf } from './marketValues.js';
import { addTenantFlags, printSigned, type TenantFlags } from './signedCommands.js';
import { integer, InvalidFlagError } from './usage.js';

/** An order did not come to the status that was waited for. */
class StatusTimeoutError extends MatchmakerError<'STATUS_TIMEOUT'> {
  constructor(orderId: number, status: OrderStatus, wanted: readonly string[], seconds: number) {
    super('STATUS_TIMEOUT', `order ${orderId} is ${status} after ${seconds} s, not ${wanted.join(' or ')}`, {
      metadata: { orderId, status, wanted },
      retryable: true,
    });
  }
}

/** Registers `order create|cancel|update|close|status|list|...`. */
export function registerOrderCommands(program: Command, print: (line: string) => void): void {
  const order = program.command('order').description('deploy: post orders, follow their leases, pay for what is used');
  registerPosting(order, print);
  registerReading(order, print);
  registerRunning(order, print);
}

function registerPosting(order: Command, print: (line: string) => void): void {
  addTenantFlags(order.command('create').description('post the orders of an ICL document, one for each placement'))
    .argument('<icl>', 'ICL document')
    .option('--placement <name>', 'only this placement')
    .option('--expires-in <duration>', 'give up when not matched by then', '1h')
    .option('--quiet', 'print the order ids alone', false)
    .action(async (file: string, flags: TenantFlags & { placement?: string; expiresIn: string; quiet: boolean }) => {
      const client = flags.signOnly ? openReader(flags) : openWriter(flags);
      const orders = await ordersOf(client, file, flags.placement);
      const expiresAtSeconds = await secondsFromNow(client, minutesOf('--expires-in', flags.expiresIn));
      if (flags.signOnly) {
        const calls = orders.map(({ spec }) => ({ type: 'CreateOrder', spec, expiresAt: expiresAtSeconds }) as const);
        await printSigned(print, flags, calls);
        return;
      }
      const created = [];
      for (const { placement, spec, manifestHash } of orders) {
        const { orderId, eligibleFromBlock, transactionHash } = await createOrder(client, { spec, expiresAtSeconds });
        created.push({ orderId, placement, manifestHash, eligibleFromBlock, expiresAtSeconds, transactionHash });
      }
      if (flags.quiet) {
        printIds(
          print,
          created.map(({ orderId }) => orderId),
        );
        return;
      }
      printResult(print, flags.json, {
        json: { orders: created },
        lines: created.map(
          ({ orderId, placement, eligibleFromBlock }) =>
            `order ${orderId} (${placement}) posted; bids are taken until block ${eligibleFromBlock}`,
        ),
      });
    });

  addTenantFlags(order.command('cancel').description('end an open order; its lock comes back with `order refund`'))
    .argument('<order>', 'order id', integer)
    .action(async (orderId: number, flags: TenantFlags) => {
      if (flags.signOnly) {
        await printSigned(print, flags, [{ type: 'CancelOrder', orderId }]);
        return;
      }
      const done = await cancelOrder(openWriter(flags), { orderId });
      printResult(print, flags.json, {
        json: { orderId, ...done },
        lines: [
          `order ${orderId} ends with round ${done.untilRound}; then \`order refund ${orderId}\` returns its lock`,
        ],
      });
    });

  addWriteFlags(order.command('expire').description('end an open order whose time has passed, for anyone'))
    .argument('<order>', 'order id', integer)
    .action(async (orderId: number, flags: WriteFlags) => {
      const done = await expireOrder(openWriter(flags), { orderId });
      printResult(print, flags.json, {
        json: { orderId, ...done },
        lines: [
          `order ${orderId} ends with round ${done.untilRound}; then \`order refund ${orderId}\` returns its lock`,
        ],
      });
    });

  addWriteFlags(order.command('refund').description('return the lock of an ended order, for anyone'))
    .argument('<order>', 'order id', integer)
    .action(async (orderId: number, flags: WriteFlags) => {
      const done = await refundOrder(openWriter(flags), { orderId });
      printResult(print, flags.json, { json: { orderId, ...done }, lines: [`order ${orderId} refunded`] });
    });

  addWriteFlags(order.command('self-match').description('take an eligible machine yourself when nobody matches'))
    .argument('<order>', 'order id', integer)
    .option('--machine <id>', 'this machine; default: the cheapest that may take it', integer)
    .action(async (orderId: number, flags: WriteFlags & { machine?: number }) => {
      const done = await selfMatch(openWriter(flags), {
        orderId,
        ...(flags.machine === undefined ? {} : { machineId: flags.machine }),
      });
      printResult(print, flags.json, {
        json: { orderId, ...done },
        lines: [
          `order ${orderId} is a lease on machine ${done.machineId} at ${formatMicro(done.priceMicroPerHour)} an hour`,
        ],
      });
    });
}

function registerReading(order: Command, print: (line: string) => void): void {
  addReadFlags(order.command('status').description('where an order is in its life'))
    .argument('<order>', 'order id', integer)
    .addOption(new Option('--wait <status...>', 'wait until it is one of these').choices([...ORDER_STATUSES]))
    .option('--timeout <duration>', 'how long to wait', '5min')
    .action(async (orderId: number, flags: ReadFlags & { wait?: OrderStatus[]; timeout: string }) => {
      const client = openReader(flags);
      const found =
        flags.wait === undefined
          ? await getOrder(client, { orderId })
          : await waitFor(client, orderId, flags.wait, minutesOf('--timeout', flags.timeout) * 60);
      const token = await getToken(client, { tokenId: found.spec.tokenId });
      printResult(print, flags.json, { json: orderJson(found, token), lines: orderLines(found, token) });
    });

  addWriteFlags(order.command('list').description('your orders, the newest first'))
    .option('--tenant <address>', "this tenant's orders; `all` for everybody's")
    .option('--limit <number>', 'at most so many', integer, 50)
    .action(async (flags: WriteFlags & { tenant?: string; limit: number }) => {
      const client = openEither(flags);
      const tenant =
        flags.tenant === undefined
          ? client.account?.address
          : flags.tenant === 'all'
            ? undefined
            : addressOf('--tenant', flags.tenant);
      const orders = await listOrders(client, { limit: flags.limit, ...(tenant === undefined ? {} : { tenant }) });
      const tokens = new Map<number, MarketToken>();
      for (const { spec } of orders) {
        if (!tokens.has(spec.tokenId)) tokens.set(spec.tokenId, await getToken(client, { tokenId: spec.tokenId }));
      }
      const tokenOf = (found: Order): MarketToken => tokens.get(found.spec.tokenId) as MarketToken;
      printResult(print, flags.json, {
        json: { orders: orders.map((found) => orderJson(found, tokenOf(found))) },
        lines: orderTable(orders, tokenOf),
      });
    });

  addReadFlags(order.command('check').description('read an ICL document and show its orders without posting them'))
    .argument('<icl>', 'ICL document')
    .action(async (file: string, flags: ReadFlags) => {
      const orders = await ordersOf(openReader(flags), file, undefined);
      printResult(print, flags.json, {
        json: {
          orders: orders.map(({ placement, spec, manifestHash, tokenSymbol }) => ({
            placement,
            spec,
            manifestHash,
            token: tokenSymbol,
          })),
        },
        lines: tableLines(
          ['placement', 'GPUs', 'cores', 'memory GiB', 'storage GiB', 'at most an hour', 'minutes'],
          orders.map(({ placement, spec, tokenSymbol }) => [
            placement,
            String(spec.milliGpu / 1000),
            String(spec.cpuMilli / 1000),
            (spec.memoryMib / 1024).toFixed(2),
            String(spec.storageGib),
            `${formatMicro(spec.maxPriceMicroPerHour)} ${tokenSymbol}`,
            String(spec.durationMinutes),
          ]),
        ),
      });
    });

  addTenantFlags(
    order.command('manifest').description('write the manifest of a placement, and announce it for its order'),
  )
    .argument('<icl>', 'ICL document')
    .option('--placement <name>', 'this placement; needed when there are several')
    .option('--out <file>', 'write the manifest as JSON')
    .option('--announce <order>', 'announce its hash for this order, a lease of yours', integer)
    .action(async (file: string, flags: TenantFlags & { placement?: string; out?: string; announce?: number }) => {
      if (flags.signOnly && flags.announce === undefined) {
        throw new InvalidFlagError('--sign-only', 'there is nothing to sign', 'name the order with --announce');
      }
      const client = flags.signOnly || flags.announce === undefined ? openReader(flags) : openWriter(flags);
      const { manifest, manifestHash, placement } = onlyOrder(await ordersOf(client, file, flags.placement));
      if (flags.out !== undefined)
        writeFileSync(flags.out, `${JSON.stringify(manifest, undefined, 2)}\n`, { mode: 0o600 });
      if (flags.signOnly && flags.announce !== undefined) {
        await printSigned(print, flags, [{ type: 'AnnounceManifest', orderId: flags.announce, manifestHash }]);
        return;
      }
      const done =
        flags.announce === undefined ? {} : await announceManifest(client, { orderId: flags.announce, manifestHash });
      printResult(print, flags.json, {
        json: { placement, manifestHash, orderId: flags.announce ?? null, manifest, ...done },
        lines: [
          `manifest of ${placement}: ${manifestHash}`,
          ...(flags.out === undefined ? [] : [`written to ${flags.out}; it may hold secrets`]),
          ...(flags.announce === undefined ? [] : [`announced for order ${flags.announce}`]),
        ],
      });
    });
}

interface UpdateFlags extends TenantFlags {
  readonly icl?: string;
  readonly placement?: string;
  readonly expiresIn: string;
  readonly gpu?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly storage?: string;
  readonly maxPrice?: string;
  readonly manifestHash?: string;
  readonly cancel: boolean;
}

function registerRunning(order: Command, print: (line: string) => void): void {
  addTenantFlags(
    order
      .command('update')
      .description(
        'replace an open order, or ask the provider of a running lease for other resources, price or manifest',
      ),
  )
    .argument('<order>', 'order id', integer)
    .option('--icl <file>', 'take everything from this document')
    .option('--placement <name>', 'of this placement; needed when there are several')
    .option('--expires-in <duration>', 'of an open order: give up when not matched by then', '1h')
    .option('--gpu <number>', 'GPUs, or a share of one')
    .option('--cpu <cores>', 'like 8, 0.5 or 100m')
    .option('--memory <size>', 'like 32Gi')
    .option('--storage <size>', 'like 200Gi')
    .option('--max-price <amount>', 'ceiling of the new price, whole tokens an hour')
    .option('--manifest-hash <hash>', 'the manifest from now on')
    .option('--cancel', 'take an earlier request back', false)
    .action(async (orderId: number, flags: UpdateFlags) => updateOrder(orderId, flags, print));

  addTenantFlags(order.command('renew').description('set the paid time of a lease to a duration from now'))
    .argument('<order>', 'order id', integer)
    .requiredOption('--for <duration>', 'from now, like 12h')
    .action(async (orderId: number, flags: TenantFlags & { for: string }) => {
      const durationMinutes = minutesOf('--for', flags.for);
      if (flags.signOnly) {
        await printSigned(print, flags, [{ type: 'RenewLease', orderId, durationMinutes }]);
        return;
      }
      const done = await renewLease(openWriter(flags), { orderId, durationMinutes });
      printResult(print, flags.json, {
        json: { orderId, ...done },
        lines: [`order ${orderId} is paid until ${timeText(done.paidThroughSeconds)}`],
      });
    });

  addTenantFlags(order.command('top-up').description('add time to a lease at the price of now'))
    .argument('<order>', 'order id', integer)
    .requiredOption('--add <duration>', 'like 1h')
    .action(async (orderId: number, flags: TenantFlags & { add: string }) => {
      const addedMinutes = minutesOf('--add', flags.add);
      if (flags.signOnly) {
        await printSigned(print, flags, [{ type: 'TopUp', orderId, addedMinutes }]);
        return;
      }
      const done = await topUpLease(openWriter(flags), { orderId, addedMinutes });
      printResult(print, flags.json, {
        json: { orderId, ...done },
        lines: [`order ${orderId} is paid until ${timeText(done.paidThroughSeconds)}`],
      });
    });

  addTenantFlags(order.command('close').description('end a lease: pay what has accrued, get the rest back'))
    .argument('<order>', 'order id', integer)
    .action(async (orderId: number, flags: TenantFlags) => {
      if (flags.signOnly) {
        await printSigned(print, flags, [{ type: 'CloseLease', orderId }]);
        return;
      }
      const client = openWriter(flags);
      const done = await closeLease(client, { orderId });
      printEnd(print, flags.json, orderId, done, await tokenOfOrder(client, orderId));
    });

  addWriteFlags(order.command('end').description('end a lease whose deadline has passed, for anyone'))
    .argument('<order>', 'order id', integer)
    .action(async (orderId: number, flags: WriteFlags) => {
      const client = openWriter(flags);
      const done = await endLease(client, { orderId });
      printEnd(print, flags.json, orderId, done, await tokenOfOrder(client, orderId));
    });

  addWriteFlags(
    order.command('release-excess').description('return what a lock holds beyond the accepted price, for anyone'),
  )
    .argument('<order>', 'order id', integer)
    .action(async (orderId: number, flags: WriteFlags) => {
      const client = openWriter(flags);
      const done = await releaseExcess(client, { orderId });
      const token = await tokenOfOrder(client, orderId);
      printResult(print, flags.json, {
        json: { orderId, ...done, amount: formatAmount(done.amount, token.decimals), token: token.symbol },
        lines: [`returned ${amountText(done.amount, token)}`],
      });
    });
}

async function updateOrder(orderId: number, flags: UpdateFlags, print: (line: string) => void): Promise<void> {
  if (flags.cancel && flags.signOnly) {
    await printSigned(print, flags, [{ type: 'CancelUpdate', orderId }]);
    return;
  }
  const client = flags.signOnly ? openReader(flags) : openWriter(flags);
  if (flags.cancel) {
    const done = await cancelUpdate(client, { orderId });
    printResult(print, flags.json, {
      json: { orderId, ...done },
      lines: [`the request for order ${orderId} is taken back`],
    });
    return;
  }
  const order = flags.icl === undefined ? null : onlyOrder(await ordersOf(client, flags.icl, flags.placement));
  const { lease } = await getOrder(client, { orderId });
  if (lease === null) {
    if (order === null)
      throw new InvalidFlagError('--icl', `order ${orderId} is not a lease yet`, 'name a document to replace it with');
    const expiresAtSeconds = await secondsFromNow(client, minutesOf('--expires-in', flags.expiresIn));
    if (flags.signOnly) {
      const { spec } = order;
      await printSigned(print, flags, [{ type: 'ReplaceOrder', orderId, spec, expiresAt: expiresAtSeconds }]);
      return;
    }
    const done = await replaceOrder(client, { orderId, spec: order.spec, expiresAtSeconds });
    printResult(print, flags.json, {
      json: { orderId, ...done },
      lines: [`order ${orderId} is cancelled, order ${done.newOrderId} stands in its place`],
    });
    return;
  }
  const wanted = {
    orderId,
    ...(order === null
      ? {}
      : {
          milliGpu: order.spec.milliGpu,
          cpuMilli: order.spec.cpuMilli,
          memoryMib: order.spec.memoryMib,
          storageGib: order.spec.storageGib,
          maxPriceMicroPerHour: order.spec.maxPriceMicroPerHour,
          manifestHash: order.manifestHash,
        }),
    ...(flags.gpu === undefined ? {} : { milliGpu: gpuOf('--gpu', flags.gpu) }),
    ...(flags.cpu === undefined ? {} : { cpuMilli: cpuOf('--cpu', flags.cpu) }),
    ...(flags.memory === undefined ? {} : { memoryMib: memoryOf('--memory', flags.memory) }),
    ...(flags.storage === undefined ? {} : { storageGib: storageOf('--storage', flags.storage) }),
    ...(flags.maxPrice === undefined ? {} : { maxPriceMicroPerHour: microOf('--max-price', flags.maxPrice) }),
    ...(flags.manifestHash === undefined ? {} : { manifestHash: hashOf('--manifest-hash', flags.manifestHash) }),
  };
  if (flags.signOnly) {
    const update = await completeUpdate(client, wanted);
    await printSigned(print, flags, [{ type: 'RequestUpdate', orderId, update }]);
    return;
  }
  const { update, ...done } = await requestUpdate(client, wanted);
  printResult(print, flags.json, {
    json: { orderId, update, ...done },
    lines: [`asked provider ${lease.providerId} to update order ${orderId}; it may accept or not`],
  });
}

function printEnd(
  print: (line: string) => void,
  asJson: boolean,
  orderId: number,
  done: Awaited<ReturnType<typeof closeLease>>,
  token: MarketToken,
): void {
  printResult(print, asJson, {
    json: { orderId, ...done, accrued: formatAmount(done.accrued, token.decimals), token: token.symbol },
    lines: [`order ${orderId} ended (${done.end}); it earned ${amountText(done.accrued, token)} before fees`],
  });
}

async function tokenOfOrder(client: MarketClient, orderId: number): Promise<MarketToken> {
  const { spec } = await getOrder(client, { orderId });
  return getToken(client, { tokenId: spec.tokenId });
}

async function ordersOf(
  client: MarketClient,
  file: string,
  placement: string | undefined,
): Promise<readonly IclOrder[]> {
  const { orders } = await readIcl(client, { text: readText('icl', file) });
  if (placement === undefined) return orders;
  const chosen = orders.filter((order) => order.placement === placement);
  if (chosen.length > 0) return chosen;
  throw new InvalidFlagError(
    '--placement',
    `the document has no placement \`${placement}\``,
    `name one of ${orders.map((order) => order.placement).join(', ')}`,
  );
}

function onlyOrder(orders: readonly IclOrder[]): IclOrder {
  const [first] = orders;
  if (first !== undefined && orders.length === 1) return first;
  throw new InvalidFlagError(
    '--placement',
    'the document has several placements',
    `name one of ${orders.map(({ placement }) => placement).join(', ')}`,
  );
}

/** By the chain's clock, which is the one that ends the order. */
async function secondsFromNow(client: MarketClient, minutes: number): Promise<number> {
  const { timestamp } = await readBlock(client);
  return Number(timestamp) + minutes * 60;
}

async function waitFor(
  client: MarketClient,
  orderId: number,
  wanted: readonly OrderStatus[],
  seconds: number,
): Promise<Order> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const order = await getOrder(client, { orderId });
    if (wanted.includes(order.status)) return order;
    if (Date.now() >= deadline) throw new StatusTimeoutError(orderId, order.status, wanted, seconds);
    await new Promise((resolve) => {
      setTimeout(resolve, Math.max(client.deployment.blockTimeMs, 250));
    });
  }
}

/** An order as commands print it for machines: amounts in whole tokens, spec as on the chain. */
export function orderJson(order: Order, token: MarketToken): Record<string, unknown> {
  const { lease, lock, ...rest } = order;
  return {
    ...rest,
    token: token.symbol,
    lock: {
      locked: formatAmount(lock.locked, token.decimals),
      spent: formatAmount(lock.spent, token.decimals),
      released: lock.released,
    },
    lease:
      lease === null
        ? null
        : {
            ...lease,
            accrued: formatAmount(lease.accrued, token.decimals),
            pricePerHour: formatMicro(lease.priceMicroPerHour),
          },
  };
}

/** Orders as a table for people. */
export function orderTable(orders: readonly Order[], tokenOf: (order: Order) => MarketToken): readonly string[] {
  return tableLines(
    ['order', 'status', 'GPUs', 'cores', 'price an hour', 'provider', 'paid until'],
    orders.map((order) => {
      const { lease, spec } = order;
      return [
        String(order.orderId),
        order.status,
        String((lease ?? spec).milliGpu / 1000),
        String((lease ?? spec).cpuMilli / 1000),
        `${lease === null ? '<= ' : ''}${formatMicro(lease?.priceMicroPerHour ?? spec.maxPriceMicroPerHour)} ${tokenOf(order).symbol}`,
        lease === null ? '-' : String(lease.providerId),
        timeText(lease?.endTimeSeconds ?? null) ?? '-',
      ];
    }),
  );
}

function orderLines(order: Order, token: MarketToken): readonly string[] {
  const { lease, spec, lock } = order;
  const size = lease ?? spec;
  return fieldLines([
    ['order', String(order.orderId)],
    ['status', order.status],
    ['tenant', order.tenant],
    [
      'asks for',
      `${size.milliGpu / 1000} GPUs, ${size.cpuMilli / 1000} cores, ${size.memoryMib} MiB, ${size.storageGib} GiB`,
    ],
    ['at most', `${formatMicro(spec.maxPriceMicroPerHour)} ${token.symbol} an hour`],
    ['locked', lock.released ? 'released' : amountText(lock.locked - lock.spent, token)],
    [
      'bids',
      order.bids.length === 0
        ? null
        : order.bids.map((bid) => `provider ${bid.providerId} at ${formatMicro(bid.priceMicroPerHour)}`).join(', '),
    ],
    ['bids until block', order.eligibleFromBlock === null ? null : String(order.eligibleFromBlock)],
    ['ends with round', order.untilRound === null ? null : String(order.untilRound)],
    ['expires', lease === null ? timeText(order.expiresAtSeconds) : null],
    ['provider', lease === null ? null : `${lease.providerId}, machine ${lease.machineId}`],
    [
      'price',
      lease === null
        ? null
        : `${formatMicro(lease.priceMicroPerHour)} ${token.symbol} an hour${lease.fromBid ? ' (bid)' : ''}`,
    ],
    ['ready', timeText(lease?.readyAtSeconds ?? null)],
    ['confirmed', timeText(lease?.confirmedAtSeconds ?? null)],
    [lease?.end === 'None' ? 'paid until' : 'ended', timeText(lease?.endTimeSeconds ?? null)],
    ['ended as', lease === null || lease.end === 'None' ? null : lease.end],
    ['accrued', lease === null ? null : `${amountText(lease.accrued, token)} before fees`],
    ['manifest', lease?.manifestHash ?? null],
    [
      'asked update',
      lease?.update == null
        ? null
        : `${lease.update.milliGpu / 1000} GPUs, ${lease.update.cpuMilli / 1000} cores, ${lease.update.memoryMib} MiB, ${lease.update.storageGib} GiB at most ${formatMicro(lease.update.maxPriceMicroPerHour)} an hour`,
    ],
    [
      'next deadline',
      lease?.nextDeadline == null ? null : `${timeText(lease.nextDeadline.atSeconds)} (${lease.nextDeadline.end})`,
    ],
  ]);
}
