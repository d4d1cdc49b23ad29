import type { Hex } from 'viem';
import { OrderFieldInvalidError, validateOrderSpec, type OrderSpec } from '../orderSpec.js';
import { IclInvalidError } from './iclProblem.js';
import type { IclTables } from './iclTables.js';
import { IclDocument, type IclValue } from './iclValue.js';
import { hashManifest, type Manifest, type ManifestService } from './manifest.js';
import { nearest } from './nearest.js';
import { divideUp, parseDurationMinutes } from './quantities.js';
import { readCompute, type IclResources, type IclVolume } from './readCompute.js';
import { readPlacements, type IclPlacement, type ResolveProvider } from './readPlacements.js';
import { readList, readServices, type IclService } from './readServices.js';

/** What an ICL document is read with. */
export interface ParseIclOptions {
  readonly tables: IclTables;
  /** Finds the provider that an account owns; by default no account owns one. */
  readonly resolveProvider?: ResolveProvider;
}

/** One order of a document: a placement with all its services. */
export interface IclOrder {
  readonly placement: string;
  readonly spec: OrderSpec;
  /** Symbol of the token that the order pays in. */
  readonly tokenSymbol: string;
  readonly manifest: Manifest;
  readonly manifestHash: Hex;
}

/** What an ICL document says. */
export interface IclOrders {
  /** The deployment's name, null when the document has none. */
  readonly name: string | null;
  /** One for each placement, in the document's order. */
  readonly orders: readonly IclOrder[];
}

/**
 * Reads an ICL document (version 1.0, Spheron's deployment language) into orders: resources are summed over the services of a
 * placement and their replicas; CPU in thousandths, memory rounded up to MiB (volumes of class ram count as memory), storage
 * rounded up to GiB, the duration rounded up to minutes. A price is the ceiling of its service, all replicas together; their
 * sum is the order's. Every order passes `validateOrderSpec`.
 * Throws IclInvalidError, and nothing else, with all problems at once, each with its line, its column and what to write instead.
 */
export function parseIcl(text: string, options: ParseIclOptions): IclOrders {
  const document = new IclDocument(text);
  const orders = readOrders(document, options);
  const problems = document.problems();
  if (problems.length > 0 || orders === null) throw new IclInvalidError(problems);
  return orders;
}

function readOrders(document: IclDocument, options: ParseIclOptions): IclOrders | null {
  const root = document.root();
  const members = root?.members(['version', 'services', 'profiles', 'deployment']) ?? null;
  if (root === null || members === null) return null;
  readVersion(root, members.get('version'));
  const [servicesValue, profilesValue, deploymentValue] = (['services', 'profiles', 'deployment'] as const).map(
    (key) => {
      const value = members.get(key);
      if (value === undefined) root.fail(`has no \`${key}\``, `add \`${key}\``);
      return value;
    },
  );
  const services = servicesValue === undefined ? null : readServices(servicesValue);
  const profiles = profilesValue === undefined ? null : readProfiles(profilesValue, options);
  if (services === null || profiles === null || deploymentValue === undefined) return null;

  const placed = readDeployment(deploymentValue, services, profiles);
  const orders: IclOrder[] = [];
  for (const placement of profiles.placements.values()) {
    const members = placed.get(placement.name);
    if (members === undefined) {
      placement.value.fail('no service is deployed here', 'deploy one, or remove the placement');
      continue;
    }
    const order = members.placed.length === 0 ? null : orderOf(placement, members, profiles);
    if (order !== null) orders.push(order);
  }
  return { name: profiles.name, orders };
}

function readVersion(root: IclValue, value: IclValue | undefined): void {
  if (value === undefined) root.fail('has no `version`', 'begin with `version: "1.0"`');
  else if (value.text() !== '1.0') value.fail('this version is not known', 'write `version: "1.0"`');
}

interface Profiles {
  readonly name: string | null;
  readonly durationMinutes: bigint;
  /** Bitmap; 0 for any. */
  readonly tiers: number;
  readonly compute: ReadonlyMap<string, IclResources>;
  readonly placements: ReadonlyMap<string, IclPlacement>;
}

const PROFILE_KEYS = ['name', 'mode', 'duration', 'tier', 'tiers', 'compute', 'placement'];

function readProfiles(value: IclValue, { tables, resolveProvider }: ParseIclOptions): Profiles | null {
  const members = value.members(PROFILE_KEYS);
  if (members === null) return null;
  const mode = members.get('mode');
  if (mode !== undefined && mode.text() !== 'provider') {
    mode.fail('only provider machines are matched', 'write `mode: provider`');
  }
  const compute = members.get('compute');
  const placement = members.get('placement');
  if (compute === undefined) value.fail('has no `compute`', 'describe what each service needs');
  if (placement === undefined) value.fail('has no `placement`', 'say where services go and what they may cost');
  return {
    name: members.get('name')?.text() ?? null,
    durationMinutes: readDuration(value, members.get('duration')),
    tiers: readTiers(members.get('tier'), members.get('tiers')),
    compute: compute === undefined ? new Map() : readCompute(compute, tables),
    placements:
      placement === undefined ? new Map() : readPlacements(placement, tables, resolveProvider ?? (() => null)),
  };
}

function readDuration(profiles: IclValue, value: IclValue | undefined): bigint {
  if (value === undefined) {
    profiles.fail('has no `duration`', 'say how long to pay for at most, like `duration: 12h`');
    return 1n;
  }
  const text = value.text();
  const minutes = text === null ? null : parseDurationMinutes(text);
  if (minutes === null && text !== null) {
    value.fail(`\`${text}\` is no duration`, 'write a number with s, min, h, d, mon or y, like 12h');
  }
  if (minutes === 0n) value.fail('the duration is zero', 'write at least 1min');
  return minutes ?? 1n;
}

const TIER_BITS: Readonly<Record<string, number>> = {
  secured: 0b000_0111,
  community: 0b111_1000,
  'secured-1': 1 << 0,
  'secured-2': 1 << 1,
  'secured-3': 1 << 2,
  'community-1': 1 << 3,
  'community-2': 1 << 4,
  'community-3': 1 << 5,
  'community-4': 1 << 6,
};

function readTiers(tier: IclValue | undefined, tiers: IclValue | undefined): number {
  if (tier !== undefined) tiers?.fail('`tier` and `tiers` mean the same', 'keep one of them');
  const value = tier ?? tiers;
  if (value === undefined || value.isEmpty()) return 0;
  const single = value.isList() ? null : value.text();
  const entries = value.isList()
    ? readList(value, (entry) => {
        const text = entry.text();
        return text === null ? null : { text, entry };
      })
    : single === null
      ? []
      : [{ text: single, entry: value }];
  let bits = 0;
  for (const { text, entry } of entries) {
    // Spheron's SDK writes the names without the hyphen.
    const name = text.trim().replace(/^(secured|community)(\d)$/, '$1-$2');
    const known = Object.hasOwn(TIER_BITS, name) ? TIER_BITS[name] : undefined;
    if (known !== undefined) bits |= known;
    else {
      const suggestion = nearest(name, Object.keys(TIER_BITS));
      entry.fail(
        `\`${text}\` is no tier`,
        suggestion === null ? `name one of ${Object.keys(TIER_BITS).join(', ')}` : `did you mean \`${suggestion}\`?`,
      );
    }
  }
  return bits;
}

/** A service where it runs. */
interface Placed {
  readonly service: IclService;
  readonly resources: IclResources;
  readonly count: number;
  /** Its name in the placement's pricing. */
  readonly profile: string;
  readonly value: IclValue;
}

/** Most replicas of a service in one placement. */
const MOST_REPLICAS = 1_000;

/** What is deployed in a placement. */
interface Inhabitants {
  readonly placed: Placed[];
  /** Services that the document places here, those with a problem of their own too. */
  readonly named: Set<string>;
}

function readDeployment(
  value: IclValue,
  services: ReadonlyMap<string, IclService>,
  profiles: Profiles,
): ReadonlyMap<string, Inhabitants> {
  const inhabitants = new Map<string, Inhabitants>();
  const members = value.members();
  for (const [name, deployed] of members ?? []) {
    const service = known('service', name, deployed, services);
    for (const [placementName, entry] of deployed.members() ?? []) {
      const placement = known('placement', placementName, entry, profiles.placements);
      const here = inhabitants.get(placementName) ?? { placed: [], named: new Set<string>() };
      here.named.add(name);
      inhabitants.set(placementName, here);
      const parts = entry.members(['profile', 'count']);
      if (parts === null) continue;
      const profileValue = parts.get('profile');
      const countValue = parts.get('count');
      if (profileValue === undefined) entry.fail('has no `profile`', 'name the compute profile of the service');
      if (countValue === undefined) entry.fail('has no `count`', 'say how many replicas run, like `count: 1`');
      const profile = profileValue?.text() ?? null;
      const count = countValue?.integer(1, MOST_REPLICAS) ?? 1;
      const resources =
        profile === null || profileValue === undefined
          ? null
          : known('compute profile', profile, profileValue, profiles.compute);
      if (service === null || placement === null || resources === null || profile === null) continue;
      here.placed.push({ service, resources, count, profile, value: entry });
    }
  }
  for (const [name, service] of services) {
    if (members !== null && !members.has(name)) {
      service.value.fail('is not deployed', `add \`${name}\` to \`deployment\`, or remove it here`);
    }
  }
  return inhabitants;
}

function known<Item>(kind: string, name: string, value: IclValue, items: ReadonlyMap<string, Item>): Item | null {
  const item = items.get(name);
  if (item !== undefined) return item;
  const suggestion = nearest(name, items.keys());
  return value.fail(
    `there is no ${kind} \`${name}\``,
    suggestion === null
      ? `name one of ${[...items.keys()].join(', ') || '(none is described)'}`
      : `did you mean \`${suggestion}\`?`,
  );
}

function orderOf(placement: IclPlacement, { placed, named }: Inhabitants, profiles: Profiles): IclOrder | null {
  const price = priceOf(placement, placed, named);
  const gpu = gpuOf(placement, placed);
  let cpuMilli = 0n;
  let memoryBytes = 0n;
  let storageBytes = 0n;
  let capabilities = placement.capabilities;
  for (const { resources, count } of placed) {
    const replicas = BigInt(count);
    cpuMilli += resources.cpuMilli * replicas;
    memoryBytes += resources.memoryBytes * replicas;
    for (const { bytes, storageClass } of resources.volumes) {
      if (storageClass === 'ram') memoryBytes += bytes * replicas;
      else storageBytes += bytes * replicas;
      if (storageClass === 'beta3') capabilities |= NVME_STORAGE;
    }
  }
  const services = placed.map(manifestService);
  if (price === null || gpu === null) return null;
  const spec: OrderSpec = {
    milliGpu: Number(gpu.milliGpu),
    cpuMilli: Number(cpuMilli),
    memoryMib: Number(divideUp(memoryBytes, 1n << 20n)),
    storageGib: Number(divideUp(storageBytes, 1n << 30n)),
    models: gpu.models,
    regions: placement.regions,
    regionsExcluded: placement.regionsExcluded,
    providersWanted: placement.providersWanted,
    providersExcluded: placement.providersExcluded,
    tiers: profiles.tiers,
    attributes: capabilities,
    regionRequired: placement.regionRequired && placement.regions.length > 0,
    minUptimeBps: placement.minUptimeBps,
    minReputationBps: placement.minReputationBps,
    maxSlashes: placement.maxSlashes,
    tokenId: price.tokenId,
    maxPriceMicroPerHour: Number(price.microPerHour),
    durationMinutes: Number(profiles.durationMinutes),
  };
  try {
    validateOrderSpec(spec);
  } catch (error) {
    if (!(error instanceof OrderFieldInvalidError)) throw error;
    placement.value.fail(
      `the order of this placement is out of bounds: ${error.message.replace(/^order: /, '')}`,
      FIXES[error.field] ?? 'ask for less',
    );
    return null;
  }
  const manifest: Manifest = { version: '1.0', name: placement.name, services };
  return { placement: placement.name, spec, tokenSymbol: price.symbol, manifest, manifestHash: hashManifest(manifest) };
}

/** Bit of the capability that a persistent volume of class beta3 needs: nvme-storage in config/catalogue/capabilities.json. */
const NVME_STORAGE = 1n << 1n;

const FIXES: Partial<Readonly<Record<keyof OrderSpec, string>>> = {
  models: 'name at most 8 GPU models, and none without a GPU',
  regions: 'name at most 8 regions',
  regionsExcluded: 'exclude at most 8 regions',
  providersWanted: 'name at most 8 providers',
  providersExcluded: 'exclude at most 8 providers',
  maxPriceMicroPerHour: 'let the prices of the services sum to more than zero and at most 549755.813887 an hour',
  durationMinutes: 'pay for at most 16777215 minutes',
  milliGpu: 'use at most 8 GPUs a placement; several placements are several orders',
};

function priceOf(
  placement: IclPlacement,
  placed: readonly Placed[],
  named: ReadonlySet<string>,
): { tokenId: number; symbol: string; microPerHour: bigint } | null {
  let microPerHour = 0n;
  let first: { tokenId: number; symbol: string } | null = null;
  let complete = true;
  const used = new Set<string>();
  for (const { service, profile, value } of placed) {
    const key = placement.pricing.has(service.name) ? service.name : profile;
    const price = placement.pricing.get(key);
    if (price === undefined) {
      value.fail(
        `placement \`${placement.name}\` has no price for \`${service.name}\``,
        `add \`${service.name}: {token: ..., amount: ...}\` to its pricing`,
      );
      complete = false;
      continue;
    }
    used.add(key);
    microPerHour += price.microPerHour;
    if (price.tokenId === null || price.symbol === null) complete = false;
    else if (first === null) first = { tokenId: price.tokenId, symbol: price.symbol };
    else if (first.tokenId !== price.tokenId) {
      price.value.fail(
        `pays in ${price.symbol}, others of the placement in ${first.symbol}`,
        'use one token a placement',
      );
    }
  }
  for (const [name, price] of placement.pricing) {
    if (used.has(name) || (placed.length < named.size && named.has(name))) continue;
    price.value.fail(`\`${name}\` is not deployed here`, 'name a service of this placement, or remove the price');
  }
  return first === null || !complete ? null : { ...first, microPerHour };
}

/** GPUs of a placement: shares of one device, or whole devices; all of one model, because it is one machine. */
function gpuOf(
  placement: IclPlacement,
  placed: readonly Placed[],
): { milliGpu: bigint; models: readonly number[] } | null {
  const withGpu = placed.filter(({ resources }) => resources.milliGpu > 0n);
  const shares = withGpu.filter(({ resources }) => resources.milliGpu < 1000n);
  const whole = withGpu.filter(({ resources }) => resources.milliGpu >= 1000n);
  const milliGpu = withGpu.reduce((sum, { resources, count }) => sum + resources.milliGpu * BigInt(count), 0n);
  const namesOf = (list: readonly Placed[]): string => list.map(({ service }) => service.name).join(', ');
  if (shares.length > 0 && whole.length > 0) {
    return placement.value.fail(
      `shares of a GPU (${namesOf(shares)}) and whole GPUs (${namesOf(whole)}) do not go together on one machine`,
      'put them into two placements, or use whole GPUs for all',
    );
  }
  if (shares.length > 0 && milliGpu > 1000n) {
    return placement.value.fail(
      `the shares of ${namesOf(shares)} sum to ${Number(milliGpu) / 1000} GPUs, but shares are of one device`,
      'let them sum to at most 1, or put them into several placements',
    );
  }
  let models: readonly number[] | null = null;
  for (const { resources } of withGpu) {
    if (resources.models === null) continue;
    const accepted: readonly number[] = resources.models;
    models = models === null ? accepted : models.filter((id) => accepted.includes(id));
  }
  if (models !== null && models.length === 0) {
    return placement.value.fail(
      `no GPU model suits all of ${namesOf(withGpu)}`,
      'name a common model, or put the services into several placements',
    );
  }
  return { milliGpu, models: models ?? [] };
}

function manifestService({ service, resources, count }: Placed): ManifestService {
  const volumes = new Map(resources.volumes.map((volume) => [volume.name, volume]));
  for (const [name, { value }] of service.mounts) known('volume', name, value, volumes);
  return {
    name: service.name,
    count,
    image: service.image,
    command: service.command,
    args: service.args,
    env: service.env,
    pullPolicy: service.pullPolicy,
    credentials: service.credentials,
    resources: {
      cpuMilli: Number(resources.cpuMilli),
      memoryBytes: resources.memoryBytes.toString(),
      milliGpu: Number(resources.milliGpu),
      models: resources.models ?? [],
      volumes: resources.volumes.map((volume) => {
        const mount = service.mounts.get(volume.name);
        requireMount(service, volume, mount?.mount ?? null);
        return {
          name: volume.name,
          bytes: volume.bytes.toString(),
          persistent: volume.persistent,
          storageClass: volume.storageClass,
          mount: mount?.mount ?? null,
          readOnly: mount?.readOnly ?? false,
        };
      }),
    },
    expose: service.expose,
  };
}

function requireMount(service: IclService, volume: IclVolume, mount: string | null): void {
  if (mount !== null || (!volume.persistent && volume.storageClass !== 'ram')) return;
  service.value.fail(
    `mounts volume \`${volume.name}\` nowhere`,
    `add \`params: {storage: {${volume.name}: {mount: /path}}}\``,
  );
}
