// Subnets that this host had of a network before it got others. Their containers keep what they need; it goes with the last one.
//
// Until then a bridge has two gateway addresses of IPv4: the plugin would give it none beside a former one. What would stay of a
// former subnet would be in the way to whoever gets it next.

import { formatAddress, parseAddress } from '../../ipam/address.ts';
import type { AgentNetwork } from '../../ipam/agent-file.ts';
import { formatSubnet, hasAddress, splitSubnet, type Subnet } from '../../ipam/subnet.ts';
import { sameNetwork } from '../../ip/cidr.ts';
import { withBackend } from '../../nat/backend.ts';
import { networkRecordPath, readNetworkRecord, withLock, writeRecord } from '../../nat/record-files.ts';
import { encodeRecord } from '../../nat/records.ts';
import { restore } from '../../nat/restore.ts';
import { addAddress, listAddresses, removeAddress } from '../../netlink/address.ts';
import type { Connection } from '../../netlink/connection.ts';
import { findLink, type Link } from '../../netlink/link.ts';
import { tolerating } from '../../netlink/netlink-error.ts';
import { removeSubnetRoute } from '../../netlink/route.ts';
import { NETLINK_ROUTE, openConnection } from '../../netlink/socket.ts';
import { subnetOf } from '../../overlay/subnet-text.ts';
import { type NetworkOptions, type Places, runPaths } from '../agent-options.ts';
import { livingLeases } from './containers.ts';

/**
 * Takes gateways, routes and rules of former subnets away when nobody has an address of them any more, and makes room for the
 * present ones beside them until then. `networks` are the present ones, as agent.json has them. Nothing waits past `deadline`
 * (ms of performance.now()). Throws CniError or NetlinkError.
 */
export async function dropFormerSubnets(
	places: Pick<Places, 'run'>,
	networks: ReadonlyMap<string, AgentNetwork>,
	{ addressing }: Pick<NetworkOptions, 'addressing'>,
	deadline: number,
): Promise<void> {
	for (const [network, { subnet, subnet6 }] of networks) {
		const { rules, leases } = runPaths(places);
		const own = [subnet, subnet6].filter((each) => each !== undefined);
		const former = formerSubnets(rules, network, own);
		if (former.length === 0) continue;
		const used = former.filter((each) => isUsed(each, leases, network));
		const unused = former.filter((each) => !used.includes(each));
		const connection = openConnection(NETLINK_ROUTE, deadline);
		try {
			const link = findLink(connection, `m-${network}`);
			if (link !== undefined) {
				for (const each of unused) withdraw(connection, link, each);
				if (used.length > 0 && addressing === 'bridged') addGateways(connection, link, own);
			}
		} finally {
			connection.close();
		}
		if (unused.length > 0) await forget(rules, network, unused, deadline);
	}
}

/** What the plugin has noted down of the containers' subnets, and is none of the present ones. */
function formerSubnets(rules: string, network: string, own: readonly Subnet[]): string[] {
	const present = own.flatMap((each) => [each, ...(splitSubnet(each) ?? [])]).map(formatSubnet);
	return readNetworkRecord(rules, network)?.subnets.filter((each) => !present.includes(each)) ?? [];
}

function isUsed(subnet: string, leases: string, network: string): boolean {
	const living = livingLeases(leases, network);
	if (living === undefined) return true;
	return living.some(({ address }) => {
		const ip = parseAddress(address);
		return ip !== undefined && hasAddress(subnetOf(subnet), ip);
	});
}

function withdraw(connection: Connection, link: Link, subnet: string): void {
	for (const { cidr, linkLocal } of listAddresses(connection, link)) {
		if (linkLocal || !sameNetwork(cidr, subnet)) continue;
		tolerating(['EADDRNOTAVAIL', 'ENODEV'], () => connection.execute(removeAddress(link, cidr)));
	}
	tolerating(['ESRCH', 'ENODEV'], () => connection.execute(removeSubnetRoute(link, subnet)));
}

/** Those that the plugin would give the bridge. */
function addGateways(connection: Connection, link: Link, own: readonly Subnet[]): void {
	for (const subnet of own) {
		const [half] = splitSubnet(subnet) ?? [];
		if (half === undefined) continue;
		const gateway = formatAddress({ family: half.family, value: half.network + 1n });
		tolerating(['EEXIST', 'ENODEV'], () => connection.execute(addAddress(link, `${gateway}/${half.prefix}`)));
	}
}

async function forget(rules: string, network: string, unused: readonly string[], deadline: number): Promise<void> {
	const known = readNetworkRecord(rules, network);
	if (known === undefined) return;
	await withBackend(known.backend, deadline, (backend) =>
		withLock(rules, deadline, () => {
			// Under the lock, since an ADD may have come between.
			const record = readNetworkRecord(rules, network);
			if (record === undefined) return;
			const subnets = record.subnets.filter((each) => !unused.includes(each));
			writeRecord(rules, networkRecordPath(rules, network), encodeRecord({ ...record, subnets }));
			restore(rules, backend);
		}),
	);
}
