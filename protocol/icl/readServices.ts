import type { IclValue } from './iclValue.js';
import { nearest } from './nearest.js';

/** One port of a service as the manifest tells it to the provider. */
export interface IclExpose {
  /** First and last port inside the container. */
  readonly port: number;
  readonly portEnd: number;
  /** First port outside; the same as `port` when the document names none. */
  readonly as: number;
  readonly proto: 'tcp' | 'udp';
  /** Host names that are served. */
  readonly accept: readonly string[];
  readonly to: readonly { readonly service: string | null; readonly global: boolean }[];
  readonly usePublicPort: boolean;
}

/** What runs, as the document says. */
export interface IclService {
  readonly name: string;
  readonly value: IclValue;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly expose: readonly IclExpose[];
  readonly pullPolicy: string | null;
  readonly credentials: { readonly registry: string; readonly username: string; readonly password: string } | null;
  /** Mounts by volume. */
  readonly mounts: ReadonlyMap<
    string,
    { readonly value: IclValue; readonly mount: string | null; readonly readOnly: boolean }
  >;
}

const SERVICE_KEYS = ['image', 'command', 'args', 'env', 'expose', 'pull_policy', 'credentials', 'params'];
const EXPOSE_KEYS = ['port', 'port_range', 'as', 'port_range_as', 'accept', 'proto', 'to', 'use_public_port'];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Notes a problem unless the name can be a service's, placement's or volume's. */
export function checkName(kind: string, name: string, value: IclValue): void {
  if (!NAME.test(name)) {
    value.fail(`\`${name}\` is no name of a ${kind}`, 'use 1 to 63 lower-case letters, digits and inner hyphens');
  }
}

/** Services of a document by name. */
export function readServices(value: IclValue): ReadonlyMap<string, IclService> {
  const services = new Map<string, IclService>();
  const members = value.members();
  for (const [name, service] of members ?? []) {
    checkName('service', name, service);
    services.set(name, readService(name, service, [...(members?.keys() ?? [])]));
  }
  if (members !== null && members.size === 0) value.fail('names no service', 'describe at least one');
  return services;
}

function readService(name: string, value: IclValue, names: readonly string[]): IclService {
  const members = value.members(SERVICE_KEYS) ?? new Map<string, IclValue>();
  return {
    name,
    value,
    image: readImage(value, members.get('image')),
    command: readTexts(members.get('command')),
    args: readTexts(members.get('args')),
    env: readEnv(members.get('env')),
    expose: readList(members.get('expose'), (entry) => readExpose(entry, names)),
    pullPolicy: readPullPolicy(members.get('pull_policy')),
    credentials: readCredentials(members.get('credentials')),
    mounts: readMounts(members.get('params')),
  };
}

function readImage(service: IclValue, value: IclValue | undefined): string {
  if (value === undefined) {
    service.fail('has no `image`', 'name the container image, like `image: redis:7.2`');
    return '';
  }
  const image = value.text() ?? '';
  if (image !== '' && /\s/.test(image)) value.fail('an image has no spaces', 'write registry/name:tag');
  return image;
}

function readEnv(value: IclValue | undefined): readonly string[] {
  return readList(value, (entry) => {
    const text = entry.text();
    if (text !== null && !/^[A-Za-z_][A-Za-z0-9_.-]*(=|$)/.test(text)) {
      return entry.fail('is no environment variable', 'write NAME=value');
    }
    return text;
  });
}

function readExpose(value: IclValue, services: readonly string[]): IclExpose | null {
  const members = value.members(EXPOSE_KEYS);
  if (members === null) return null;
  const range = readPorts(value, members.get('port'), members.get('port_range'), 'port', 'port_range');
  if (range === null) return null;
  const [port, portEnd] = range;
  const asPort = members.get('as');
  const asRange = members.get('port_range_as');
  let outside: readonly [number, number] | null = [port, portEnd];
  if (asPort !== undefined || asRange !== undefined) outside = readPorts(value, asPort, asRange, 'as', 'port_range_as');
  if (outside !== null && outside[1] - outside[0] !== portEnd - port) {
    value.fail('the ports outside are not as many as inside', 'give both ranges the same length');
  }
  const accept = readTexts(members.get('accept'));
  const to = readList(members.get('to'), (target) => readTarget(target, services));
  const isGlobal = to.some(({ global }) => global);
  if (accept.length > 0 && !isGlobal) {
    members.get('accept')?.fail('host names are served to the outside only', 'add `- global: true` to `to`');
  }
  return {
    port,
    portEnd,
    as: outside?.[0] ?? port,
    proto: readProto(members.get('proto')),
    accept,
    to,
    usePublicPort: members.get('use_public_port')?.truth() ?? false,
  };
}

function readPorts(
  parent: IclValue,
  single: IclValue | undefined,
  range: IclValue | undefined,
  singleKey: string,
  rangeKey: string,
): readonly [number, number] | null {
  if ((single === undefined) === (range === undefined)) {
    return parent.fail(`needs exactly one of \`${singleKey}\` and \`${rangeKey}\``, `write \`${singleKey}: 8080\``);
  }
  if (single !== undefined) {
    const port = single.integer(1, 65_535);
    return port === null ? null : [port, port];
  }
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(range?.text() ?? '');
  const first = Number(match?.[1] ?? 0);
  const last = Number(match?.[2] ?? 0);
  if (first >= 1 && first <= last && last <= 65_535) return [first, last];
  return range?.fail('is no range of ports', 'write it like 8000-8010') ?? null;
}

function readProto(value: IclValue | undefined): 'tcp' | 'udp' {
  const proto = value?.text()?.toLowerCase();
  if (proto === undefined || proto === 'tcp') return 'tcp';
  if (proto !== 'udp') value?.fail(`\`${proto}\` is no protocol`, 'write tcp or udp');
  return 'udp';
}

function readTarget(
  value: IclValue,
  services: readonly string[],
): { readonly service: string | null; readonly global: boolean } | null {
  const members = value.members(['service', 'global']);
  if (members === null) return null;
  const service = members.get('service')?.text() ?? null;
  const global = members.get('global')?.truth() ?? false;
  if (service === null && !global) return value.fail('reaches nobody', 'write `service: NAME` or `global: true`');
  if (service !== null && !services.includes(service)) {
    const suggestion = nearest(service, services);
    members
      .get('service')
      ?.fail(
        `there is no service \`${service}\``,
        suggestion === null ? `name one of ${services.join(', ')}` : `did you mean \`${suggestion}\`?`,
      );
  }
  return { service, global };
}

function readPullPolicy(value: IclValue | undefined): string | null {
  const policy = value?.text() ?? null;
  if (policy !== null && !PULL_POLICIES.includes(policy)) {
    value?.fail(`\`${policy}\` is no pull policy`, `write one of ${PULL_POLICIES.join(', ')}`);
  }
  return policy;
}

function readCredentials(value: IclValue | undefined): IclService['credentials'] {
  const members = value?.members(['registry', 'username', 'password']) ?? null;
  if (value === undefined || members === null) return null;
  const [registry, username, password] = ['registry', 'username', 'password'].map((key) => {
    const member = members.get(key);
    return member === undefined ? value.fail(`lacks \`${key}\``, `add \`${key}\``) : member.text();
  });
  return { registry: registry ?? '', username: username ?? '', password: password ?? '' };
}

function readMounts(value: IclValue | undefined): IclService['mounts'] {
  const mounts = new Map<string, { value: IclValue; mount: string | null; readOnly: boolean }>();
  const storage = value?.members(['storage'])?.get('storage');
  for (const [volume, entry] of storage?.members() ?? []) {
    const members = entry.members(['mount', 'readOnly']);
    const mount = members?.get('mount')?.text() ?? null;
    if (mount !== null && !mount.startsWith('/')) {
      members?.get('mount')?.fail('a mount is an absolute path', 'begin it with /');
    }
    mounts.set(volume, { value: entry, mount, readOnly: members?.get('readOnly')?.truth() ?? false });
  }
  return mounts;
}

/** Entries of a list that could be read; an absent or empty value is an empty list. */
export function readList<Entry>(
  value: IclValue | undefined,
  read: (entry: IclValue) => Entry | null,
): readonly Entry[] {
  if (value === undefined || value.isEmpty()) return [];
  const entries: Entry[] = [];
  for (const entry of value.entries() ?? []) {
    const item = read(entry);
    if (item !== null) entries.push(item);
  }
  return entries;
}

function readTexts(value: IclValue | undefined): readonly string[] {
  return readList(value, (entry) => entry.text());
}
