// What leads a host's packets to other hosts: as its kernel has it, and as the master's state wants it.
import type { State } from './cluster-hosts.ts';
import type { Namespace } from './namespace.ts';

/** Routes, neighbours and forwarding entries, sorted; none without a VTEP. */
export function entriesOf(namespace: Namespace): string[] {
	if (namespace.run(['ip', 'link', 'show', 'vtep1024']).status !== 0) return [];
	const lines = (...argv: readonly string[]): string[] =>
		namespace
			.must(argv)
			.split('\n')
			.filter((line) => line.trim() !== '');
	const routes = [4, 6].flatMap((family) => lines('ip', `-${family}`, 'route', 'show', 'proto', '124'));
	const words = (line: string, ...after: readonly string[]): string[] =>
		after.map((word) => new RegExp(`\\b${word} (\\S+)`).exec(line)?.[1] ?? '');
	return [
		...routes.map((line) => {
			const [dst = '', kind = ''] = line.split(' ');
			return dst === 'unreachable' ? `unreachable ${kind}` : `${dst} via ${words(line, 'via')[0]}`;
		}),
		...lines('ip', 'neighbour', 'show', 'dev', 'vtep1024', 'nud', 'permanent').map(
			(line) => `${line.split(' ')[0]} at ${words(line, 'lladdr')[0]}`,
		),
		...lines('bridge', 'fdb', 'show', 'dev', 'vtep1024').map(
			(line) => `${line.split(' ')[0]} to ${words(line, 'dst')[0]}`,
		),
	].toSorted();
}

/** What the master's state comes to on a host, in the same words. */
export function wantedEntries({ agents, network }: State, ip: string): string[] {
	const plain = (cidr: string): string => cidr.replace(/\/.*/u, '');
	if (agents.every((agent) => agent.ip !== ip)) return [];
	const entries = new Set<string>();
	for (const { subnet, subnet6 } of network.overlays) {
		for (const overlay of [subnet, subnet6]) if (overlay !== undefined) entries.add(`unreachable ${overlay}`);
	}
	for (const agent of agents.filter((one) => one.ip !== ip)) {
		for (const { subnet, subnet6, backend } of agent.overlays) {
			const { vtep_ip, vtep_ip6 = '', vtep_mac } = backend.vxlan;
			if (subnet !== undefined) entries.add(`${subnet} via ${plain(vtep_ip)}`);
			if (subnet6 !== undefined) entries.add(`${subnet6} via ${plain(vtep_ip6)}`);
			for (const vtep of [vtep_ip, vtep_ip6]) if (vtep !== '') entries.add(`${plain(vtep)} at ${vtep_mac}`);
			entries.add(`${vtep_mac} to ${agent.ip}`);
		}
	}
	return [...entries].toSorted();
}
