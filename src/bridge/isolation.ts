// Has packets between containers of a bridge pass the host's rules, which decide who may talk to whom.
//
// On hosts where bridged packets pass the rules of IP anyway (bridge-nf-call-iptables, as Docker and Kubernetes want it),
// nothing need be done; and nothing may be done, since a port of the host that leads to a neighbour on the bridge is a
// bridged packet there. On others the ports are isolated from each other. Where a policy lets some of them talk, the bridge
// answers for all of them, and the host passes their packets on.

import type { Request } from '../cni/request.ts';
import { ensureSysctl, hasSysctl, readSysctl } from '../linux/sysctl.ts';
import type { NatConfiguration } from '../nat/configuration.ts';
import { readAttachmentRecord, readNetworkRecord } from '../nat/record-files.ts';
import type { Connection } from '../netlink/connection.ts';
import { findLink, type Link } from '../netlink/link.ts';
import { tolerating } from '../netlink/netlink-error.ts';
import { addProxyNeighbour, removeProxyNeighbour } from '../netlink/proxy-neighbour.ts';
import { NETLINK_ROUTE, openConnection } from '../netlink/socket.ts';

/** Whether packets from port to port pass the rules of IP, of both families. */
function filtersBridged(): boolean {
	return ['iptables', 'ip6tables'].every((family) => {
		const name = `bridge/bridge-nf-call-${family}`;
		return hasSysctl(name) && readSysctl(name) === '1';
	});
}

/** Whether a port has to be isolated from other ports for the rules to be kept. */
export function needsIsolatedPort({ isolation, policy }: NatConfiguration): boolean {
	return (isolation === 'container' || policy !== undefined) && !filtersBridged();
}

/** Has the host's interface answer for a container's addresses, at once. Documentation/networking/ip-sysctl.rst */
export function answerForContainer(host: Connection, link: Link, addresses: readonly string[]): void {
	ensureSysctl(`ipv4/conf/${link.name}/proxy_arp_pvlan`, '1');
	ensureSysctl(`ipv4/neigh/${link.name}/proxy_delay`, '0');
	const ipv6 = addresses.filter((address) => address.includes(':'));
	if (ipv6.length === 0) return;
	ensureSysctl(`ipv6/conf/${link.name}/proxy_ndp`, '1');
	ensureSysctl(`ipv6/neigh/${link.name}/proxy_delay`, '0');
	// IPv4 needs no entry an address: with proxy_arp_pvlan, the kernel answers for all that it routes to the same link.
	host.execute(...ipv6.map((address) => addProxyNeighbour(link, address)));
}

/** The end of it, for what is recorded of an attachment. */
export function answerNoMore(directory: string, request: Request): void {
	const record = readAttachmentRecord(directory, request);
	if (record?.policy === undefined) return;
	const { bridge = '' } = readNetworkRecord(directory, record.network) ?? {};
	const host = openConnection(NETLINK_ROUTE, request.deadline);
	const link = findLink(host, bridge);
	if (link === undefined) return;
	for (const address of record.addresses.filter((each) => each.includes(':'))) {
		tolerating(['ENOENT'], () => host.execute(removeProxyNeighbour(link, address)));
	}
}
