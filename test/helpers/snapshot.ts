// Everything on a host that an attachment may leave behind, in a form that two moments can be compared in.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { addressesOf, type Namespace } from './namespace.ts';

export interface Snapshot {
	readonly links: readonly string[];
	readonly addresses: readonly string[];
	readonly routes: readonly string[];
	readonly ruleset: readonly string[];
	readonly leases: Readonly<Record<string, string>>;
	/** What is remembered of the rules of attachments; that of networks stays, as their tables do. */
	readonly records: Readonly<Record<string, string>>;
}

// they follow the carrier, which follows the ports, some milliseconds later
const CARRIER_FLAGS = new Set(['LOWER_UP', 'NO-CARRIER']);

/** Takes the picture: links with their settings, addresses, routes, firewall rules, files of the lease store. */
export function takeSnapshot(host: Namespace, dataDir: string, natDir: string): Snapshot {
	const links = host.links();
	const device = (name: string | undefined) => name ?? '-';
	return {
		links: links
			.map((link) => {
				const flags = link.flags.filter((flag) => !CARRIER_FLAGS.has(flag)).join(',');
				const { hairpin, isolated } = link.linkinfo?.info_slave_data ?? {};
				return `${link.ifindex} ${link.ifname} ${link.address} mtu ${link.mtu} ${flags} master ${device(link.master)} promiscuity ${link.promiscuity} hairpin ${hairpin} isolated ${isolated} ${link.ifalias ?? ''}`;
			})
			.toSorted(),
		addresses: links.flatMap((link) => addressesOf(link).map((address) => `${link.ifname} ${address}`)).toSorted(),
		// those of IPv6 in the table "local" come when duplicate address detection is over
		routes: [...host.routes(4, 'all'), ...host.routes(6)]
			.map(
				(route) =>
					`${route.type ?? ''} ${route.dst} via ${device(route.gateway)} dev ${device(route.dev)} table ${route.table ?? 'main'}`,
			)
			.toSorted(),
		ruleset: ruleset(host),
		leases: filesBelow(dataDir),
		records: filesBelow(join(natDir, 'attachments')),
	};
}

function ruleset(host: Namespace): string[] {
	return (
		host
			// How often the rules were met is the packets' doing.
			.must(['nft', '--stateless', 'list', 'ruleset'])
			.split('\n')
			.map((line) => line.trim())
			.filter((line) => line !== '')
	);
}

function filesBelow(directory: string): Record<string, string> {
	if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return {};
	const found: Record<string, string> = {};
	for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
		// last.N says where the search for an address goes on, and belongs to no attachment
		if (entry.isDirectory() || /^last\.\d+$/u.test(entry.name)) continue;
		const path = join(entry.parentPath, entry.name);
		found[path.slice(directory.length + 1)] = entry.isFile() ? readFileSync(path, 'latin1') : '';
	}
	return found;
}
