// A cluster whose hosts have Docker, and who of its containers sees whom.
import type { ExecutionContext } from 'ava';
import { underlay } from './cluster.ts';
import { type AgentHost, type RunningCluster, startCluster } from './cluster-hosts.ts';
import { until } from './cluster-process.ts';
import { createDockerPlace, type DockerPlace } from './docker.ts';
import { documentExample } from './master.ts';
import type { Namespace } from './namespace.ts';
import { askSeen, type Runner } from './seen.ts';

export const dockerNeeds = ['vxlan', 'ipv6', 'dockerd', 'docker-containers'] as const;

/** With IPv6 for both of its networks. */
const members = {
	...documentExample,
	vtep_subnet6: 'fd01:a::/64',
	overlays: [
		{ name: 'dcos', subnet: '9.0.0.0/8', prefix: 26, subnet6: 'fd01:b::/64', prefix6: 80 },
		{ name: 'dcos-1', subnet: '192.168.0.0/16', prefix: 24, subnet6: 'fd01:c::/64', prefix6: 80 },
	],
};

export interface DockerHost extends AgentHost {
	readonly docker: DockerPlace;
}

/** Starts a cluster, and an engine on each host, with options of its own by their order. */
export async function startDockerCluster(
	t: ExecutionContext,
	options: readonly (readonly string[])[],
): Promise<{ cluster: RunningCluster; hosts: DockerHost[] }> {
	const cluster = await startCluster(t, { size: options.length, members });
	const hosts: DockerHost[] = [];
	for (const [at, host] of cluster.hosts.entries()) {
		const docker = createDockerPlace(t, host);
		await host.agent().end();
		// After a boot, Docker finds a host that does not forward: the policy of FORWARD becomes DROP.
		host.must(['sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward']);
		await docker.start(...(options[at] ?? []));
		if (options[at]?.includes('--ip6tables') === true) host.must(['ip6tables', '-P', 'FORWARD', 'DROP']);
		await host.startAgent('--docker', docker.socket);
		await host.agent().event('docker rules set', 0, 30_000);
		hosts.push({ ...host, docker });
	}
	return { cluster, hosts };
}

/** Somebody in the networks, and how to run a program there. */
export interface Peer {
	readonly namespace: Namespace;
	readonly address: string;
	readonly address6: string | undefined;
	readonly host: AgentHost;
	readonly runs: Runner;
}

/** Waits until each peer is seen by all others by its own address, and outside by that of its host. */
export async function untilAllSee(peers: readonly Peer[]): Promise<void> {
	for (const peer of peers) {
		const wanted = JSON.stringify(wantedOf(peer, peers));
		let seen = '';
		await until(
			`${wanted} from ${peer.address}`,
			async () => {
				seen = JSON.stringify(sorted(await askSeen(peer.runs, Object.keys(JSON.parse(wanted) as object))));
				return seen === wanted;
			},
			30_000,
		).catch((error: unknown) => {
			throw new Error(`it sees ${seen}`, { cause: error });
		});
	}
}

function wantedOf(peer: Peer, peers: readonly Peer[]): Record<string, string> {
	const { address, address6, host } = peer;
	const others = peers.filter((other) => other !== peer);
	const others6 = address6 === undefined ? [] : others.flatMap((other) => other.address6 ?? []);
	return sorted({
		...Object.fromEntries(others.map((other) => [other.address, address])),
		...Object.fromEntries(others6.map((other) => [other, address6 ?? ''])),
		[underlay[4].outside]: host.ip,
		...(address6 !== undefined && { [underlay[6].outside]: underlay[6].address(host.nth) }),
	});
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
