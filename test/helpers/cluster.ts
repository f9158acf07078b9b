// Hosts, each a namespace, joined by an underlay with a machine outside; and their part of the virtual networks, made without a master.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import { apply, type Failure } from '../../src/agent/kernel/apply.ts';
import type { ClusterState } from '../../src/agent/master/cluster-state.ts';
import { type Action, NOTHING, type Wanted } from '../../src/agent/kernel/host-state.ts';
import { openKernel } from '../../src/agent/kernel/kernel.ts';
import { look } from '../../src/agent/kernel/look.ts';
import { plan } from '../../src/agent/kernel/plan.ts';
import { findUnderlay } from '../../src/agent/kernel/underlay.ts';
import { type HostOptions, wishOf } from '../../src/agent/wanted.ts';
import { openNetworkNamespace } from '../../src/linux/network-namespace.ts';
import { resultOf } from './assertions.ts';
import { type Attachment, attachment, type Result } from './cni.ts';
import { agent, cluster, vteps } from './cluster-state.ts';
import { eventually, runOrThrow, systemPath } from './command.ts';
import { createHost, type Host } from './host.ts';
import { createNamespace, type Namespace } from './namespace.ts';
import type { Configuration } from './network-configuration.ts';

/** The underlay of each family: the nth host has the nth address, and the machine outside the last of these. */
export const underlay = {
	4: { address: (nth: number) => `10.64.0.${nth}`, prefix: 16, outside: '10.64.0.254' },
	6: { address: (nth: number) => `fd10::${nth.toString(16)}`, prefix: 64, outside: 'fd10::fe' },
} as const;

export interface ClusterHost extends Host {
	/** From 1 on. */
	readonly nth: number;
	/** On the underlay. */
	readonly ip: string;
	/** Has it be as after a reboot: nothing of its kernel is left, nor of its containers; its directory is, and its network card. */
	reboot(): void;
}

export interface Cluster {
	readonly hosts: readonly ClusterHost[];
	/** A machine on the underlay that is no host, to which all hosts send what they know no way for. */
	readonly outside: Namespace;
	/** What a master would say of these hosts, of all when none are given. */
	readonly state: (members?: readonly ClusterHost[]) => ClusterState;
}

export interface ClusterOptions {
	/** The family by which hosts reach each other. */
	readonly tunnels?: 4 | 6;
	/** Of the underlay, in bytes. */
	readonly mtu?: number;
}

/** Makes hosts that go when the test ends, with addresses of both families on their underlay. */
export function createCluster(
	t: ExecutionContext,
	count: number,
	{ tunnels = 4, mtu = 1500 }: ClusterOptions = {},
): Cluster {
	const wire = createNamespace(t, 'underlay');
	wire.must(['ip', 'link', 'add', 'wire', 'mtu', `${mtu}`, 'type', 'bridge', 'mcast_snooping', '0']);
	wire.must(['ip', 'link', 'set', 'wire', 'up']);
	const plug = (machine: Namespace, addresses: Readonly<Record<4 | 6, string>>) => {
		const port = `p${randomBytes(4).toString('hex')}`;
		wire.must([
			'ip',
			'link',
			'add',
			port,
			'mtu',
			`${mtu}`,
			'type',
			'veth',
			'peer',
			'name',
			'eth0',
			'mtu',
			`${mtu}`,
			'netns',
			machine.name,
		]);
		wire.must(['ip', 'link', 'set', port, 'master', 'wire', 'up']);
		machine.must(['sh', '-c', 'echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad']);
		for (const family of [4, 6] as const) {
			const cidr = `${addresses[family]}/${underlay[family].prefix}`;
			machine.must(['ip', 'address', 'add', cidr, 'dev', 'eth0', 'nodad']);
		}
		machine.must(['ip', 'link', 'set', 'eth0', 'up']);
	};
	const outside = createNamespace(t, 'outside');
	plug(outside, { 4: underlay[4].outside, 6: underlay[6].outside });
	const hosts = Array.from({ length: count }, (_, at): ClusterHost => {
		const nth = at + 1;
		const host = createHost(t);
		const connect = () => {
			plug(host, { 4: underlay[4].address(nth), 6: underlay[6].address(nth) });
			for (const { outside: via } of Object.values(underlay))
				host.must(['ip', 'route', 'add', 'default', 'via', via]);
		};
		connect();
		const reboot = () => {
			const card = host.link('eth0')?.address ?? '';
			// Whoever is still in the old namespace has no wire any more.
			host.must(['ip', 'link', 'del', 'eth0']);
			for (const command of ['del', 'add']) runOrThrow(['ip', 'netns', command, host.name]);
			host.must(['ip', 'link', 'set', 'lo', 'up']);
			connect();
			host.must(['ip', 'link', 'set', 'eth0', 'address', card]);
		};
		return { ...host, nth, ip: underlay[tunnels].address(nth), reboot };
	});
	for (const machine of [outside, ...hosts])
		eventually('the underlay to be up', () => machine.link('eth0')?.operstate === 'UP');
	return {
		hosts,
		outside,
		state: (members = hosts) => cluster(members.map(({ nth, ip }) => agent(nth, nth, ip))),
	};
}

/** What was done on a host. */
export interface Programmed {
	readonly wanted: Wanted;
	readonly actions: readonly Action[];
	readonly failures: readonly Failure[];
}

/** Makes a host as the state says; as nothing at all without one. */
export function program(host: ClusterHost, state?: ClusterState, options: Partial<HostOptions> = {}): Programmed {
	const opened = openNetworkNamespace(host.path);
	try {
		return opened.run(() => {
			const kernel = openKernel(performance.now() + 20_000);
			try {
				const wish =
					state &&
					wishOf(state, { ip: host.ip, underlayMtu: findUnderlay(kernel.route, host.ip).mtu, ...options });
				const wanted = wish?.wanted ?? NOTHING;
				const actions = plan(wanted, look(kernel, vteps.name, wanted));
				return { wanted, actions, failures: apply(kernel, vteps.name, actions) };
			} finally {
				kernel.close();
			}
		});
	} finally {
		opened.close();
	}
}

/** A container on a host of a cluster. */
export interface Member extends Attachment {
	readonly host: ClusterHost;
	readonly container: Namespace;
	/** By family. */
	readonly addresses: Readonly<Record<4 | 6, string>>;
}

/** ADDs a container to the network of {@link agent} with the plugin, with more keys; throws when that fails. */
export function joinNetwork(t: ExecutionContext, host: ClusterHost, keys: Configuration = {}): Member {
	const container = host.container();
	const { dcos: own } = agent(host.nth).networks;
	const described = attachment(host, container, {
		cniVersion: '1.1.0',
		name: 'dcos',
		type: 'mesos-overlay',
		mtu: host.link('vtep1024')?.mtu,
		natDir: host.natDir,
		...keys,
		ipam: {
			type: 'mesos-overlay-ipam',
			agentSubnet: own?.subnet,
			agentSubnet6: own?.subnet6,
			prefix: 24,
			prefix6: 80,
			overlay: '9.0.0.0/8',
			overlay6: 'fd01:b::/64',
			dataDir: host.dataDir,
			...(keys['ipam'] as Configuration | undefined),
		},
	});
	const result: Result = resultOf(t, described.add());
	const addressOf = (family: 4 | 6) =>
		result.ips.find(({ address }) => address.includes(':') === (family === 6))?.address.replace(/\/.*/u, '') ?? '';
	return { ...described, host, container, addresses: { 4: addressOf(4), 6: addressOf(6) } };
}

/** A keeper in a process of its own, as in a daemon, which also tells the rules of the host about the networks. */
export interface KeeperProcess {
	readonly child: ChildProcess;
	/** Hands it a state to bring about; gives what it did. */
	readonly want: (state: ClusterState) => Promise<KeeperReport>;
	/** The next thing that it does of its own accord. */
	readonly next: () => Promise<KeeperReport>;
	/** Ends it in the orderly way; gives its status and the seconds of processor time that it used. */
	readonly stop: () => Promise<{ readonly status: number; readonly cpuSeconds: number }>;
}

export interface KeeperReport {
	readonly causes: readonly string[];
	/** What was done, without its details. */
	readonly actions: readonly string[];
	readonly failures: readonly string[];
	readonly cpuSeconds?: number;
}

/** Starts one on a host. */
export function startKeeperOn(t: ExecutionContext, host: ClusterHost): KeeperProcess {
	const peer = join(import.meta.dirname, 'keeper-peer.ts');
	const words = ['netns', 'exec', host.name, process.execPath, '--no-warnings', peer, host.ip, host.natDir];
	const child = spawn('ip', words, { env: { PATH: systemPath }, stdio: ['pipe', 'pipe', 'inherit'] });
	t.teardown(() => child.kill('SIGKILL'));
	const reports: KeeperReport[] = [];
	const waiting: ((report: KeeperReport) => void)[] = [];
	createInterface({ input: child.stdout }).on('line', (line) => {
		const report = JSON.parse(line) as KeeperReport;
		const first = waiting.shift();
		if (first === undefined) reports.push(report);
		else first(report);
	});
	const next = (): Promise<KeeperReport> => {
		const report = reports.shift();
		return report === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(report);
	};
	return {
		child,
		next,
		want: (state) => {
			child.stdin.write(`${JSON.stringify({ ...state, agents: [...state.agents.values()] })}\n`);
			return next();
		},
		stop: async () => {
			const ended = once(child, 'exit');
			child.stdin.end();
			const { cpuSeconds = Number.NaN } = await next();
			const [status] = (await ended) as [number];
			return { status, cpuSeconds };
		},
	};
}
