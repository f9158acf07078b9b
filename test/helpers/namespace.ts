// A network namespace of a test's own, and what the kernel has in it.
import { randomBytes } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import { type Outcome, type RunOptions, run, runOrThrow, start } from './command.ts';

/** What `ip -json -details link` says of a device, as far as tests look. */
export interface Link {
	readonly ifindex: number;
	readonly ifname: string;
	readonly mtu: number;
	readonly address: string;
	readonly flags: readonly string[];
	readonly operstate: string;
	readonly promiscuity: number;
	readonly master?: string;
	readonly ifalias?: string;
	readonly linkinfo?: {
		readonly info_kind?: string;
		readonly info_data?: Readonly<Record<string, unknown>>;
		readonly info_slave_data?: Readonly<Record<string, unknown>>;
	};
	readonly addr_info?: readonly AddressInfo[];
}

export interface AddressInfo {
	readonly family: 'inet' | 'inet6';
	readonly local: string;
	readonly prefixlen: number;
	readonly scope: string;
	readonly tentative?: boolean;
	readonly nodad?: boolean;
}

/** What `ip -json route` says of a route, as far as tests look. */
export interface KernelRoute {
	readonly dst: string;
	readonly gateway?: string;
	readonly dev?: string;
	readonly metric?: number;
	readonly table?: string;
	readonly scope?: string;
	readonly protocol?: string;
	readonly prefsrc?: string;
	readonly type?: string;
	readonly metrics?: readonly Readonly<Record<string, number>>[];
}

export interface Namespace {
	readonly name: string;
	/** The file that stands for the namespace. */
	readonly path: string;
	/** Runs a program inside, as on a machine of its own: /sys shows this namespace. */
	run(argv: readonly string[], options?: RunOptions): Outcome;
	/** The same for a program that has to succeed; gives its stdout. */
	must(argv: readonly string[]): string;
	/** Starts a program inside, for several at once. */
	start(argv: readonly string[], options?: RunOptions): Promise<Outcome>;
	/** Every device, with its addresses. */
	links(): Link[];
	link(name: string): Link | undefined;
	/** {@link addressesOf} a device. */
	addresses(device: string): string[];
	/** The routes of one family in a table, the kernel's own link-local and multicast ones left out. */
	routes(family: 4 | 6, table?: string): KernelRoute[];
	/** The value of a sysctl, with the file's path below /proc/sys. */
	sysctl(path: string): string;
}

/** The addresses of a device with their prefix lengths, the link-local ones that the kernel makes of MACs left out. */
export function addressesOf(link: Link | undefined): string[] {
	return (link?.addr_info ?? [])
		.filter(({ family, local, scope }) => family === 'inet' || scope !== 'link' || local === 'fe80::1')
		.map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

/** Makes a namespace that goes when the test ends. */
export function createNamespace(t: ExecutionContext, role: string): Namespace {
	const name = `mo-${role}-${randomBytes(4).toString('hex')}`;
	runOrThrow(['ip', 'netns', 'add', name]);
	t.teardown(() => run(['ip', 'netns', 'del', name]));
	return namespaceAt(name, `/run/netns/${name}`, ['ip', 'netns', 'exec', name]);
}

/** A namespace that a file other than that of `ip netns` stands for. */
export function namespaceOf(path: string): Namespace {
	return namespaceAt(path, path, ['nsenter', `--net=${path}`]);
}

/** A namespace that these words lead into. */
export function namespaceAt(name: string, path: string, enter: readonly string[]): Namespace {
	const query = <Row>(argv: readonly string[]): Row[] => {
		const text = runOrThrow([...enter, ...argv]);
		const rows: unknown = JSON.parse(text.trim() === '' ? '[]' : text);
		return rows as Row[];
	};
	const namespace: Namespace = {
		name,
		path,
		run: (argv, options) => run([...enter, ...argv], options),
		must: (argv) => runOrThrow([...enter, ...argv]),
		start: (argv, options) => start([...enter, ...argv], options),
		links: () => query<Link>(['ip', '-json', '-details', 'address']),
		link: (device) => namespace.links().find((link) => link.ifname === device),
		addresses: (device) => addressesOf(namespace.link(device)),
		routes: (family, table = 'main') =>
			query<KernelRoute>(['ip', '-json', '-details', `-${family}`, 'route', 'show', 'table', table]).filter(
				(route) => !/^(?:fe80|ff00)::/u.test(route.dst),
			),
		sysctl: (file) => runOrThrow([...enter, 'cat', `/proc/sys/${file}`]).trim(),
	};
	return namespace;
}
